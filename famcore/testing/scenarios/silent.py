"""What is no activity, or none of the monitored directory's."""

from __future__ import annotations

from famcore.testing.actions import (
    change_mode,
    list_directory,
    make,
    make_directory,
    open_to_write,
    read,
    remove,
    rename,
    write,
)
from famcore.testing.expected import created, nothing
from famcore.testing.scenario import Scenario, after

_READING = "reading or opening a file causes no event"
_BELOW = "a subdirectory's timestamps move with its content: nothing"
_NOT_RECURSIVE = "a monitor on a directory is not recursive"

SCENARIOS = (
    Scenario(
        name="files are read, opened and looked at",
        rule=_READING,
        given=(make_directory("d"), write("d/a"), make_directory("d/s"), write("d/s/b")),
        steps=(
            after(read("d/a"), read("d/s/b")).tells(nothing()),
            after(open_to_write("d/a")).tells(nothing()),
            after(list_directory("d"), list_directory("d/s")).tells(nothing()),
        ),
    ),
    Scenario(
        name="a subdirectory's timestamps move with its content",
        rule=_BELOW,
        given=(make_directory("d"), make_directory("d/s"), make("d/s/a")),
        steps=(
            after(make("d/s/b")).tells(nothing()),
            after(remove("d/s/a")).tells(nothing()),
            after(rename("d/s/b", "d/s/c")).tells(nothing()),
            after(make_directory("d/s/t")).tells(nothing()),
            # What comes next is told alone: nothing was held back.
            after(make("d/c")).tells(created("c")),
        ),
    ),
    Scenario(
        name="a change far below is not told of",
        rule=_NOT_RECURSIVE,
        given=(make_directory("d"), make_directory("d/s"), make_directory("d/s/t")),
        steps=(
            after(make("d/s/t/a"), write("d/s/t/a"), change_mode("d/s/t", 0o700)).tells(nothing()),
        ),
    ),
)
