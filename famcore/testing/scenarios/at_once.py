"""Changes of entries that are too close to each other to be looked at one by one."""

from __future__ import annotations

from famcore.backend import Capability
from famcore.testing.actions import (
    change_mode,
    make,
    make_all,
    make_directory,
    remove,
    remove_directory,
    remove_tree,
    rename,
    write,
    write_thrice,
)
from famcore.testing.expected import changed, created, deleted, in_any_order
from famcore.testing.scenario import On, Scenario, after

_APPEARS = "an entry appears (made, linked, renamed in): created"
_AT_ONCE = "a file made and removed at once is created, deleted, if the backend has EACH"
_ORDER = "all events form one sequence, in the order of the changes"
_REPEATED = (
    "repeated changed of one name with no created/deleted of it between, in one batch, are one, at"
    " the first's place"
)

SCENARIOS = (
    Scenario(
        name="a file changes several times between two looks",
        rule=_REPEATED,
        given=(make_directory("d"), write("d/a"), write("d/b")),
        steps=(after(write_thrice("d/a")).tells(changed("a")),),
    ),
    Scenario(
        name="two files change in turn",
        rule=_REPEATED,
        given=(make_directory("d"), write("d/a"), write("d/b")),
        steps=(
            after(write("d/a"), write("d/b"), write("d/a"), write("d/b")).tells(
                in_any_order(changed("a"), changed("b"))
            ),
        ),
    ),
    Scenario(
        name="changes before and after a removal are told on both sides of it",
        rule=_REPEATED,
        needs=Capability.EACH,
        given=(make_directory("d"), write("d/a"), write("d/b")),
        steps=(
            after(
                write("d/a"), write("d/b"), write("d/a"), remove("d/a"), write("d/a"), write("d/b")
            ).tells(changed("a"), changed("b"), deleted("a"), created("a"), changed("a")),
        ),
    ),
    Scenario(
        name="a subdirectory's mode is set twice between two looks",
        rule=_REPEATED,
        needs=Capability.EACH,
        given=(make_directory("d"), make_directory("d/s"), make("d/a")),
        steps=(
            after(change_mode("d/s", 0o700), write("d/a"), change_mode("d/s", 0o755)).tells(
                changed("s"), changed("a")
            ),
        ),
    ),
    Scenario(
        name="the directory's own mode is set twice between two looks",
        rule=_REPEATED,
        needs=Capability.EACH,
        given=(make_directory("d"), make("d/a")),
        steps=(
            after(change_mode("d", 0o700), write("d/a"), change_mode("d", 0o755)).tells(
                changed("/d"), changed("a")
            ),
        ),
    ),
    Scenario(
        name="changes before and after two renames are told on both sides of them",
        rule=_REPEATED,
        needs=Capability.EACH,
        given=(make_directory("d"), make_directory("d/s"), make("d/a")),
        steps=(
            after(
                change_mode("d/s", 0o700),
                rename("d/s", "d/t"),
                rename("d/t", "d/s"),
                change_mode("d/s", 0o755),
            ).tells(
                changed("s"),
                deleted("s"),
                created("t", "s"),
                deleted("t"),
                created("s", "t"),
                changed("s"),
            ),
            after(write("d/a"), rename("d/a", "d/b"), rename("d/b", "d/a"), write("d/a")).tells(
                changed("a"),
                deleted("a"),
                created("b", "a"),
                deleted("b"),
                created("a", "b"),
                changed("a"),
            ),
        ),
    ),
    Scenario(
        name="a file and its directory are both monitored, and the file changes twice",
        rule=_REPEATED,
        needs=Capability.EACH,
        given=(make_directory("d"), write("d/f"), write("d/a")),
        monitors={"directory": On("d"), "file": On("d/f")},
        steps=(
            after(write("d/f"), write("d/a"), write("d/f"), write("d/a")).tells(
                directory=[changed("f"), changed("a")], file=[changed("/d/f")]
            ),
        ),
    ),
    Scenario(
        name="a file is made and removed at once",
        rule=_AT_ONCE,
        given=(make_directory("d"),),
        steps=(after(make("d/a"), remove("d/a")).tells(created("a"), deleted("a")),),
    ),
    Scenario(
        name="a directory is made and removed at once",
        rule=_AT_ONCE,
        given=(make_directory("d"),),
        steps=(
            after(make_directory("d/s"), remove_directory("d/s")).tells(created("s"), deleted("s")),
        ),
    ),
    Scenario(
        name="a file is removed and made again at once",
        rule=_AT_ONCE,
        needs=Capability.EACH,
        given=(make_directory("d"), write("d/a")),
        steps=(after(remove("d/a"), make("d/a")).tells(deleted("a"), created("a")),),
    ),
    Scenario(
        name="several entries come, change and go in their order",
        rule=_ORDER,
        needs=Capability.EACH,
        given=(make_directory("d"), make("d/1"), make("d/2")),
        steps=(
            after(
                make("d/b"), write("d/2"), make("d/a"), remove("d/1"), change_mode("d/b", 0o600)
            ).tells(created("b"), changed("2"), created("a"), deleted("1"), changed("b")),
        ),
    ),
    Scenario(
        name="more files come at once than a batch holds",
        is_burst=True,
        rule=_APPEARS,
        given=(make_directory("d"),),
        steps=(
            after(make_all("d/{}", 2_500)).tells(
                in_any_order(*(created(str(number)) for number in range(2_500)))
            ),
            after(remove_tree("d")).tells(
                in_any_order(*(deleted(str(number)) for number in range(2_500))), deleted("/d")
            ),
        ),
    ),
)
