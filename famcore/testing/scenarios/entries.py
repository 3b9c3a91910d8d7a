"""Entries of a monitored directory that come, change and go."""

from __future__ import annotations

from famcore.backend import Capability
from famcore.testing.actions import (
    change_mode,
    hard_link,
    make,
    make_all,
    make_directory,
    make_fifo,
    make_link,
    remove,
    remove_directory,
    remove_tree,
    rename,
    stamp,
    truncate,
    write,
)
from famcore.testing.expected import changed, created, deleted, nothing, perhaps
from famcore.testing.scenario import Scenario, after

_APPEARS = "an entry appears (made, linked, renamed in): created"
_CHANGES = "its content or its attributes change: changed"
_GOES = "it goes (removed, renamed out): deleted"

SCENARIOS = (
    # --- it appears
    Scenario(
        name="an empty file is made",
        rule=_APPEARS,
        given=(make_directory("d"),),
        steps=(after(make("d/a")).tells(created("a")),),
    ),
    Scenario(
        name="a file is made and written",
        rule=_APPEARS,
        given=(make_directory("d"),),
        steps=(after(write("d/a")).tells(created("a"), changed("a")),),
    ),
    Scenario(
        name="a directory is made, and what is in it is not told of",
        rule=_APPEARS,
        given=(make_directory("d"),),
        steps=(
            after(make_directory("d/s")).tells(created("s")),
            after(write("d/s/a"), make_directory("d/s/t"), remove("d/s/a")),
        ),
    ),
    Scenario(
        name="a FIFO and symbolic links are made",
        rule=_APPEARS,
        given=(make_directory("d"), make_directory("out")),
        steps=(
            after(make_fifo("d/fifo")).tells(created("fifo")),
            after(make_link("d/to-directory", "../out")).tells(created("to-directory")),
            after(make_link("d/to-nothing", "nothing")).tells(created("to-nothing")),
        ),
    ),
    Scenario(
        name="a file from outside is hard-linked in",
        rule=_APPEARS,
        given=(make_directory("d"), write("out")),
        steps=(after(hard_link("out", "d/a")).tells(created("a")),),
    ),
    Scenario(
        name="an entry is hard-linked by another name",
        rule=_APPEARS,
        given=(make_directory("d"), write("d/a")),
        steps=(
            # The count of its links is an attribute of the first, too.
            after(hard_link("d/a", "d/b")).tells(perhaps(changed("a")), created("b")),
            after(remove("d/a")).tells(perhaps(changed("b")), deleted("a")),
        ),
    ),
    Scenario(
        name="a file and a directory are renamed in",
        rule=_APPEARS,
        given=(make_directory("d"), write("out"), make_directory("t"), make("t/below")),
        steps=(
            after(rename("out", "d/a")).tells(created("a")),
            after(write("d/a")).tells(changed("a")),
            after(rename("t", "d/s")).tells(created("s")),
        ),
    ),
    # --- it changes
    Scenario(
        name="a file is appended to and truncated",
        rule=_CHANGES,
        given=(make_directory("d"), write("d/a"), make("d/b")),
        steps=(
            after(write("d/a")).tells(changed("a")),
            after(truncate("d/a")).tells(changed("a")),
            after(write("d/b")).tells(changed("b")),
        ),
    ),
    Scenario(
        name="a file's mode and times are set",
        rule=_CHANGES,
        given=(make_directory("d"), write("d/a")),
        steps=(
            after(change_mode("d/a", 0o600)).tells(changed("a")),
            after(stamp("d/a")).tells(changed("a")),
        ),
    ),
    Scenario(
        name="a subdirectory's mode is set",
        rule=_CHANGES,
        needs=Capability.EACH,
        given=(make_directory("d"), make_directory("d/s")),
        steps=(after(change_mode("d/s", 0o700)).tells(changed("s")),),
    ),
    # --- it goes
    Scenario(
        name="a file, a link and a directory are removed",
        rule=_GOES,
        given=(make_directory("d"), write("d/a"), make_link("d/l", "a"), make_directory("d/s")),
        steps=(
            after(remove("d/a")).tells(deleted("a")),
            after(remove("d/l")).tells(deleted("l")),
            after(remove_directory("d/s")).tells(deleted("s")),
        ),
    ),
    Scenario(
        name="a directory is removed with all that is in it",
        rule=_GOES,
        given=(make_directory("d"), make_directory("d/s"), make_all("d/s/{}", 10)),
        steps=(after(remove_tree("d/s")).tells(deleted("s")),),
    ),
    Scenario(
        name="a file and a directory are renamed out, and change there",
        rule=_GOES,
        given=(make_directory("d"), write("d/a"), make_directory("d/s"), make("d/s/below")),
        steps=(
            after(rename("d/a", "a")).tells(deleted("a")),
            after(rename("d/s", "s")).tells(deleted("s")),
            after(write("a"), make("s/more"), remove("s/below")).tells(nothing()),
            after(change_mode("a", 0o600), change_mode("s", 0o700)).tells(nothing()),
        ),
    ),
)
