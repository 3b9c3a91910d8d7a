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
    write,
    write_thrice,
)
from famcore.testing.expected import changed, created, deleted, in_any_order
from famcore.testing.scenario import Scenario, after

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
