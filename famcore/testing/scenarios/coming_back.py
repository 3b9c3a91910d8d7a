"""The monitored directory comes back, by any way."""

from __future__ import annotations

from famcore.backend import Capability
from famcore.testing.actions import (
    make,
    make_directory,
    remove,
    remove_directory,
    remove_tree,
    rename,
    write,
)
from famcore.testing.expected import changed, created, deleted, in_any_order
from famcore.testing.scenario import IT, On, Scenario, after

_BACK = "… and comes back, by any way: created (full path), created for each entry"

SCENARIOS = (
    Scenario(
        name="the directory is removed and made, time after time",
        rounds=10,
        rule=_BACK,
        given=(make_directory("d"), make("d/a")),
        steps=(
            after(remove_tree("d")).tells(deleted("a"), deleted("/d")),
            after(make_directory("d")).tells(created("/d")),
            after(make("d/a")).tells(created("a")),
        )
        * 10,
    ),
    Scenario(
        name="the directory is removed, and made and filled at once",
        rule=_BACK,
        given=(make_directory("d"), make("d/a")),
        steps=(
            after(remove_tree("d")).tells(deleted("a"), deleted("/d")),
            after(make_directory("d"), make("d/a"), make_directory("d/b")).tells(
                created("/d"), in_any_order(created("a"), created("b"))
            ),
        )
        + (
            after(remove_tree("d")).tells(in_any_order(deleted("a"), deleted("b")), deleted("/d")),
            after(make_directory("d"), make("d/a"), make_directory("d/b")).tells(
                created("/d"), in_any_order(created("a"), created("b"))
            ),
        )
        * 9,
    ),
    Scenario(
        name="the directory is renamed away and back, time after time",
        rounds=10,
        rule=_BACK,
        given=(make_directory("d"), make("d/a")),
        steps=(
            after(rename("d", "away")).tells(deleted("a"), deleted("/d")),
            after(rename("away", "d")).tells(created("/d"), created("a")),
            after(write("d/a")).tells(changed("a")),
        )
        * 10,
    ),
    Scenario(
        name="the directory is renamed away and back at once",
        rule=_BACK,
        needs=Capability.EACH,
        given=(make_directory("d"), make("d/a")),
        steps=(
            after(rename("d", "away"), rename("away", "d")).tells(
                deleted("a"), deleted("/d"), created("/d"), created("a")
            ),
            after(make("d/b")).tells(created("b")),
        ),
    ),
    Scenario(
        name="the directory is removed and made at once, time after time",
        rounds=10,
        rule=_BACK,
        needs=Capability.EACH,
        given=(make_directory("d"), make("d/a")),
        steps=(
            after(remove_tree("d"), make_directory("d"), make("d/a")).tells(
                deleted("a"), deleted("/d"), created("/d"), created("a")
            ),
            after(write("d/a")).tells(changed("a")),
        )
        * 10,
    ),
    Scenario(
        name="the directory is replaced by another, time after time",
        rounds=10,
        rule=_BACK,
        needs=Capability.EACH,
        given=(make_directory("d"), make("d/a"), make_directory("new"), make("new/a")),
        steps=(
            after(rename("d", "away"), rename("new", "d")).tells(
                deleted("a"), deleted("/d"), created("/d"), created("a")
            ),
            # What went is told of no more, what came is.
            after(rename("away", "new"), write("new/a"), write("d/a")).tells(changed("a")),
        )
        * 10,
    ),
    Scenario(
        name="the directory, empty, is replaced by another that is renamed over it",
        rule=_BACK,
        needs=Capability.EACH,
        given=(make_directory("d"), make_directory("new"), make("new/a")),
        steps=(
            after(rename("new", "d")).tells(deleted("/d"), created("/d"), created("a")),
            after(make("d/b")).tells(created("b")),
        ),
    ),
    Scenario(
        name="the directory comes back under a directory that comes back",
        rule=_BACK,
        given=(make_directory("p"), make_directory("p/d"), make("p/d/a")),
        monitors={IT: On("p/d")},
        steps=(
            after(remove_tree("p")).tells(deleted("a"), deleted("/p/d")),
            after(make_directory("p"), make_directory("p/d"), make("p/d/a")).tells(
                created("/p/d"), created("a")
            ),
            after(write("p/d/a")).tells(changed("a")),
        )
        * 3,
    ),
    Scenario(
        name="the directory comes back from another name beside it",
        rule=_BACK,
        given=(make_directory("d"), make("d/a"), make_directory("p")),
        steps=(
            after(rename("d", "p/d")).tells(deleted("a"), deleted("/d")),
            after(remove("p/d/a"), make("p/d/b")),
            after(rename("p/d", "d")).tells(created("/d"), created("b")),
            after(remove("d/b")).tells(deleted("b")),
            after(remove_directory("d")).tells(deleted("/d")),
        ),
    ),
)
