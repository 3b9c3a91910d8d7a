"""The monitored directory itself: its attributes change, it goes, it comes back."""

from __future__ import annotations

from famcore.testing.actions import (
    change_mode,
    make,
    make_directory,
    make_link,
    remove,
    remove_directory,
    remove_tree,
    rename,
    stamp,
    write,
)
from famcore.testing.expected import changed, created, deleted, in_any_order
from famcore.testing.scenario import IT, On, Scenario, after

_MODE = "the monitored directory's own mode or owner changes: changed (full path)"
_GOES = (
    "the monitored directory itself goes: deleted for each known entry, then deleted (full path);"
    " the monitor lives on"
)

_AB = in_any_order(deleted("a"), deleted("b"))

SCENARIOS = (
    Scenario(
        name="the directory's own mode is set",
        rule=_MODE,
        given=(make_directory("d"), make("d/a")),
        steps=(
            after(change_mode("d", 0o700)).tells(changed("/d")),
            after(change_mode("d", 0o755)).tells(changed("/d")),
        ),
    ),
    Scenario(
        name="what is above and beside the directory changes",
        rule=_MODE,
        given=(make_directory("p"), make_directory("p/d"), make("p/d/a")),
        monitors={IT: On("p/d")},
        steps=(
            after(change_mode("p", 0o700), stamp("p")),
            after(make("p/beside"), write("p/beside"), remove("p/beside")),
            after(make_directory("p/d2"), make("p/d2/a"), remove_tree("p/d2")),
        ),
    ),
    Scenario(
        name="an empty directory is removed",
        rule=_GOES,
        given=(make_directory("d"),),
        steps=(
            after(remove_directory("d")).tells(deleted("/d")),
            after(make("e")),
        ),
    ),
    Scenario(
        name="the directory is removed with all that is in it",
        rule=_GOES,
        given=(make_directory("d"), make("d/a"), make_directory("d/b"), make("d/b/below")),
        steps=(after(remove_tree("d")).tells(_AB, deleted("/d")),),
    ),
    Scenario(
        name="the directory is renamed, and changes where it is then",
        rule=_GOES,
        given=(make_directory("d"), make("d/a"), make_directory("d/b")),
        steps=(
            after(rename("d", "away")).tells(_AB, deleted("/d")),
            after(make("away/c"), write("away/a"), change_mode("away", 0o700)),
            after(remove_tree("away")),
        ),
    ),
    Scenario(
        name="the directory that holds the monitored one is removed with all that is in it",
        rule=_GOES,
        given=(make_directory("p"), make_directory("p/d"), make("p/d/a"), make("p/d/b")),
        monitors={IT: On("p/d")},
        steps=(
            after(remove_tree("p")).tells(_AB, deleted("/p/d")),
            after(make_directory("p")),
            after(make_directory("p/d")).tells(created("/p/d")),
            after(make("p/d/c")).tells(created("c")),
        ),
    ),
    Scenario(
        name="a directory far above the monitored one is renamed away and back",
        rule=_GOES,
        given=(
            make_directory("p"),
            make_directory("p/q"),
            make_directory("p/q/d"),
            make("p/q/d/a"),
            make("p/q/d/b"),
        ),
        monitors={IT: On("p/q/d")},
        steps=(
            after(rename("p", "away")).tells(_AB, deleted("/p/q/d")),
            after(make("away/q/d/c")),
            after(rename("away", "p")).tells(
                created("/p/q/d"), in_any_order(created("a"), created("b"), created("c"))
            ),
            after(remove("p/q/d/a")).tells(deleted("a")),
        ),
    ),
    Scenario(
        name="the directory is replaced by a file, and that by a directory",
        rule=_GOES,
        given=(make_directory("d"), make("d/a")),
        steps=(
            after(remove_tree("d"), make("d")).tells(deleted("a"), deleted("/d"), created("/d")),
            after(write("d")).tells(changed("/d")),
            after(remove("d"), make_directory("d"), make("d/b")).tells(
                deleted("/d"), created("/d"), created("b")
            ),
            after(make("d/c")).tells(created("c")),
        ),
    ),
    Scenario(
        name="the directory is replaced by a link to where it went",
        rule=_GOES,
        given=(make_directory("d"), make("d/a")),
        steps=(
            after(rename("d", "away"), make_link("d", "away")).tells(
                deleted("a"), deleted("/d"), created("/d"), created("a")
            ),
            after(make("away/b")).tells(created("b")),
        ),
    ),
)
