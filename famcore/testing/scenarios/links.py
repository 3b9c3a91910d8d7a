"""Symbolic links in the monitored path: what they lead to is monitored, by the path as spelled."""

from __future__ import annotations

from famcore.backend import Capability
from famcore.testing.actions import (
    make,
    make_directory,
    make_link,
    remove,
    remove_tree,
    rename,
    write,
)
from famcore.testing.expected import changed, created, deleted, end_exist, exists, in_any_order
from famcore.testing.scenario import IT, On, Scenario, Step, after

_SWITCHED = (
    "a symbolic link in the monitored path is switched: by name deleted and created, changed for"
    " each common one, then changed (full path); every time"
)
_THROUGH = "paths are kept as spelled, links too"

_RELEASES = (
    make_directory("1"),
    make("1/a"),
    make("1/both"),
    make_directory("2"),
    make("2/b"),
    make("2/both"),
    make_link("current", "1"),
)


def _switch(target: str) -> Step:
    return after(make_link("new", target), rename("new", "current"))


SCENARIOS = (
    Scenario(
        name="a directory is monitored through a link",
        rule=_THROUGH,
        given=(make_directory("d"), make("d/a"), make_link("l", "d")),
        monitors={IT: On("l")},
        begins={IT: [exists("/l"), exists("a"), end_exist("/l")]},
        steps=(
            after(make("d/b")).tells(created("b")),
            after(write("d/a")).tells(changed("a")),
            after(remove("d/b")).tells(deleted("b")),
        ),
    ),
    Scenario(
        name="a file is monitored through a link",
        rule=_THROUGH,
        given=(make_directory("d"), write("d/f"), make_link("l", "d/f")),
        monitors={IT: On("l")},
        begins={IT: [exists("/l"), end_exist("/l")]},
        steps=(
            after(write("d/f")).tells(changed("/l")),
            after(remove("d/f")).tells(deleted("/l")),
            after(make("d/f")).tells(created("/l")),
        ),
    ),
    Scenario(
        name="the link to a monitored directory is switched, time after time",
        rounds=5,
        rule=_SWITCHED,
        given=_RELEASES,
        monitors={IT: On("current")},
        steps=(
            _switch("2").tells(
                deleted("a"), in_any_order(created("b"), changed("both")), changed("/current")
            ),
            after(write("1/a")),
            after(write("2/b")).tells(changed("b")),
            _switch("1").tells(
                deleted("b"), in_any_order(created("a"), changed("both")), changed("/current")
            ),
        )
        * 5,
    ),
    Scenario(
        name="a link in the middle of a monitored path is switched, time after time",
        rounds=5,
        rule=_SWITCHED,
        given=(
            *(make_directory("1"), make_directory("1/d"), make("1/d/a")),
            *(make_directory("2"), make_directory("2/d"), make("2/d/a"), make_link("current", "1")),
        ),
        monitors={IT: On("current/d")},
        steps=(
            _switch("2").tells(changed("a"), changed("/current/d")),
            after(make("2/d/b")).tells(created("b")),
            _switch("1").tells(deleted("b"), changed("a"), changed("/current/d")),
            after(remove("2/d/b")),
        )
        * 5,
    ),
    Scenario(
        name="a file is monitored by a link through a link that is switched, as Kubernetes does",
        rounds=5,
        rule=_SWITCHED,
        given=(
            *(make_directory("v"), make_directory("v/..1"), write("v/..1/key")),
            *(make_link("v/..data", "..1"), make_link("v/key", "..data/key")),
        ),
        monitors={IT: On("v/key")},
        begins={IT: [exists("/v/key"), end_exist("/v/key")]},
        steps=(
            after(
                make_directory("v/..2"),
                write("v/..2/key"),
                make_link("v/..data_tmp", "..2"),
                rename("v/..data_tmp", "v/..data"),
            ).tells(changed("/v/key")),
            after(remove_tree("v/..1")),
            after(
                make_directory("v/..1"),
                write("v/..1/key"),
                make_link("v/..data_tmp", "..1"),
                rename("v/..data_tmp", "v/..data"),
            ).tells(changed("/v/key")),
            after(remove_tree("v/..2")),
        )
        * 5,
    ),
    Scenario(
        name="a release is gone by the time that the switch to another is heard of",
        rule=_SWITCHED,
        needs=Capability.EACH,
        given=_RELEASES,
        monitors={IT: On("current")},
        steps=(
            after(make_link("new", "2"), rename("new", "current"), remove_tree("1")).tells(
                deleted("a"), in_any_order(created("b"), changed("both")), changed("/current")
            ),
        ),
    ),
    Scenario(
        name="the link to a monitored directory goes and comes",
        rule=_SWITCHED,
        given=_RELEASES,
        monitors={IT: On("current")},
        steps=(
            after(remove("current")).tells(
                in_any_order(deleted("a"), deleted("both")), deleted("/current")
            ),
            after(make("1/more")),
            after(make_link("current", "2")).tells(
                created("/current"), in_any_order(created("b"), created("both"))
            ),
        ),
    ),
    Scenario(
        name="a monitored link leads to nothing, until its target comes",
        rule=_SWITCHED,
        given=(make_link("l", "d"),),
        monitors={IT: On("l")},
        begins={IT: [end_exist("/l")]},
        steps=(
            after(make_directory("d"), make("d/a")).tells(created("/l"), created("a")),
            after(make("d/b")).tells(created("b")),
        ),
    ),
)
