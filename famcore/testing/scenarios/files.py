"""A monitor on a file."""

from __future__ import annotations

from famcore.backend import Capability
from famcore.testing.actions import (
    change_mode,
    hard_link,
    make,
    make_directory,
    make_fifo,
    open_to_write,
    read,
    remove,
    remove_tree,
    rename,
    stamp,
    truncate,
    write,
    write_thrice,
)
from famcore.testing.expected import changed, created, deleted, nothing, perhaps
from famcore.testing.scenario import IT, On, Scenario, after

_CHANGES = "its content or its attributes change: changed"
_READING = "reading or opening a file causes no event"
_REPLACED = "the file replaced by rename: changed, every time"
_GOES = "it goes (removed, renamed out): deleted"
_BACK = "… and comes back, by any way: created (full path), created for each entry"
_KIND = "a known entry is replaced by one of another kind (file, directory): deleted, created"
_AT_ONCE = "every change by name, those undone at once too, if the backend has EACH"
_SOLE = "filename is the full path for the monitored path itself; a file has no entries"

_ON = {IT: On("p/f")}
_GIVEN = (make_directory("p"), write("p/f"))

SCENARIOS = (
    Scenario(
        name="a monitored file changes in content, mode and times",
        rule=_CHANGES,
        given=_GIVEN,
        monitors=_ON,
        steps=(
            after(write("p/f")).tells(changed("/p/f")),
            after(truncate("p/f")).tells(changed("/p/f")),
            after(change_mode("p/f", 0o600)).tells(changed("/p/f")),
            after(stamp("p/f")).tells(changed("/p/f")),
            after(write_thrice("p/f")).tells(changed("/p/f")),
        ),
    ),
    Scenario(
        name="a monitored file is read and opened",
        rule=_READING,
        given=_GIVEN,
        monitors=_ON,
        steps=(
            after(read("p/f")).tells(nothing()),
            after(open_to_write("p/f")).tells(nothing()),
        ),
    ),
    Scenario(
        name="a monitored file's neighbours and directory change",
        rule=_SOLE,
        given=(*_GIVEN, make("p/a")),
        monitors=_ON,
        steps=(
            after(make("p/b"), write("p/a"), remove("p/a"), rename("p/b", "p/f2")),
            after(change_mode("p", 0o700)),
            after(write("p/f")).tells(changed("/p/f")),
        ),
    ),
    Scenario(
        name="a monitored file is replaced by rename, time after time",
        rounds=10,
        rule=_REPLACED,
        given=_GIVEN,
        monitors=_ON,
        steps=(
            after(write("p/t"), rename("p/t", "p/f")).tells(changed("/p/f")),
            after(write("p/f")).tells(changed("/p/f")),
        )
        * 10,
    ),
    Scenario(
        name="a monitored file is replaced by rename three times at once",
        rule=_REPLACED,
        given=(*_GIVEN, make("1"), make("2"), make("3")),
        monitors=_ON,
        steps=(
            after(rename("1", "p/f"), rename("2", "p/f"), rename("3", "p/f")).tells(
                changed("/p/f")
            ),
            after(write("p/f")).tells(changed("/p/f")),
        ),
    ),
    Scenario(
        name="a monitored file is removed and made, time after time",
        rounds=10,
        rule=_BACK,
        given=_GIVEN,
        monitors=_ON,
        steps=(
            after(remove("p/f")).tells(deleted("/p/f")),
            after(make("p/f")).tells(created("/p/f")),
            after(write("p/f")).tells(changed("/p/f")),
        )
        * 10,
    ),
    Scenario(
        name="a monitored file is removed and made at once",
        rule=_AT_ONCE,
        needs=Capability.EACH,
        given=_GIVEN,
        monitors=_ON,
        steps=(
            after(remove("p/f"), make("p/f")).tells(deleted("/p/f"), created("/p/f")),
            after(write("p/f")).tells(changed("/p/f")),
        ),
    ),
    Scenario(
        name="a monitored file is changed and removed at once",
        rule=_AT_ONCE,
        needs=Capability.EACH,
        given=_GIVEN,
        monitors=_ON,
        steps=(after(write("p/f"), remove("p/f")).tells(changed("/p/f"), deleted("/p/f")),),
    ),
    Scenario(
        name="a monitored file is renamed away, changes there, and is renamed back",
        rule=_GOES,
        given=_GIVEN,
        monitors=_ON,
        steps=(
            after(rename("p/f", "p/g")).tells(deleted("/p/f")),
            after(write("p/g"), change_mode("p/g", 0o600)).tells(nothing()),
            after(rename("p/g", "p/f")).tells(created("/p/f")),
            after(write("p/f")).tells(changed("/p/f")),
        ),
    ),
    Scenario(
        name="a monitored file goes although it has another name",
        rule=_GOES,
        given=(*_GIVEN, hard_link("p/f", "other")),
        monitors=_ON,
        steps=(
            # The count of its links, an attribute, falls as its name goes.
            after(remove("p/f")).tells(perhaps(changed("/p/f")), deleted("/p/f")),
            after(write("other"), change_mode("other", 0o600)),
            after(hard_link("other", "p/f")).tells(created("/p/f")),
        ),
    ),
    Scenario(
        name="a monitored file is written by another name, and loses that",
        rule=_CHANGES,
        given=(*_GIVEN, hard_link("p/f", "other")),
        monitors=_ON,
        steps=(
            after(write("other")).tells(changed("/p/f")),
            # The count of its links is an attribute.
            after(remove("other")).tells(perhaps(changed("/p/f"))),
        ),
    ),
    Scenario(
        name="a monitored file appears, goes and comes",
        rule=_BACK,
        given=(make_directory("p"),),
        monitors=_ON,
        steps=(
            after(write("p/f")).tells(created("/p/f"), perhaps(changed("/p/f"))),
            after(remove("p/f")).tells(deleted("/p/f")),
            after(write("t"), rename("t", "p/f")).tells(created("/p/f")),
            after(write("p/f")).tells(changed("/p/f")),
        ),
    ),
    Scenario(
        name="a monitored file is replaced by a directory, and that by a file",
        rule=_KIND,
        given=_GIVEN,
        monitors=_ON,
        steps=(
            after(remove("p/f"), make_directory("p/f"), make("p/f/a")).tells(
                deleted("/p/f"), created("/p/f"), created("a")
            ),
            after(make("p/f/b")).tells(created("b")),
            after(remove("p/f/a")).tells(deleted("a")),
            after(remove_tree("p/f"), make("p/f")).tells(
                deleted("b"), deleted("/p/f"), created("/p/f")
            ),
            after(write("p/f")).tells(changed("/p/f")),
        ),
    ),
    Scenario(
        name="a monitored FIFO's mode is set",
        rule=_CHANGES,
        needs=Capability.EACH,
        given=(make_directory("p"), make_fifo("p/f"), make("p/a")),
        monitors=_ON,
        steps=(
            after(change_mode("p/f", 0o600)).tells(changed("/p/f")),
            after(change_mode("p/a", 0o600)),
        ),
    ),
    Scenario(
        name="a monitored FIFO goes, comes and is replaced",
        rule=_GOES,
        given=(make_directory("p"), make_fifo("p/f")),
        monitors=_ON,
        steps=(
            after(remove("p/f")).tells(deleted("/p/f")),
            after(make_fifo("p/f")).tells(created("/p/f")),
            after(make_fifo("new"), rename("new", "p/f")).tells(changed("/p/f")),
            after(remove("p/f")).tells(deleted("/p/f")),
            after(make("p/f")).tells(created("/p/f")),
            after(write("p/f")).tells(changed("/p/f")),
        ),
    ),
    Scenario(
        name="a monitored file's directory goes and comes back",
        rule=_GOES,
        given=_GIVEN,
        monitors=_ON,
        steps=(
            after(rename("p", "away")).tells(deleted("/p/f")),
            after(write("away/f")),
            after(rename("away", "p")).tells(created("/p/f")),
            after(remove_tree("p")).tells(deleted("/p/f")),
            after(make_directory("p")),
            after(write("p/f")).tells(created("/p/f"), perhaps(changed("/p/f"))),
        ),
    ),
)
