"""Monitors that are removed while others stay."""

from __future__ import annotations

from famcore.testing.actions import (
    change_mode,
    make,
    make_directory,
    remove,
    remove_tree,
    rename,
    write,
)
from famcore.testing.expected import changed, created, deleted, end_exist, exists, in_any_order
from famcore.testing.scenario import On, Scenario, after

_INDEPENDENT = (
    "monitors are independent: two on one path, one on a file and one on its directory, each get"
    " their own events"
)
_TWO = {"first": On("d"), "second": On("d")}
_FILE_AND_DIRECTORY = {"directory": On("d"), "file": On("d/f")}
_PARENT_AND_OWN = {"parent": On("d"), "own": On("d/s")}

SCENARIOS = (
    Scenario(
        name="one of two monitors on a directory is removed, then the other comes to be two",
        rule=_INDEPENDENT,
        given=(make_directory("d"), make("d/a")),
        monitors=_TWO,
        steps=(
            after(make("d/b")).without("first").tells(second=[created("b")]),
            after(change_mode("d", 0o700)).tells(second=[changed("/d")]),
            after()
            .sets(third=On("d"))
            .tells(third=[exists("/d"), in_any_order(exists("a"), exists("b")), end_exist("/d")]),
            after(remove("d/a")).tells(second=[deleted("a")], third=[deleted("a")]),
        ),
    ),
    Scenario(
        name="the monitor on a file's directory is removed, that on the file stays",
        rule=_INDEPENDENT,
        given=(make_directory("d"), write("d/f")),
        monitors=_FILE_AND_DIRECTORY,
        steps=(
            after(write("d/f")).without("directory").tells(file=[changed("/d/f")]),
            after(write("t"), rename("t", "d/f")).tells(file=[changed("/d/f")]),
            after(remove_tree("d")).tells(file=[deleted("/d/f")]),
            after(make_directory("d"), make("d/f")).tells(file=[created("/d/f")]),
        ),
    ),
    Scenario(
        name="the monitor on a file is removed, that on its directory stays",
        rule=_INDEPENDENT,
        given=(make_directory("d"), write("d/f")),
        monitors=_FILE_AND_DIRECTORY,
        steps=(
            after(write("d/f")).without("file").tells(directory=[changed("f")]),
            after(write("t"), rename("t", "d/f")).tells(directory=[changed("f")]),
            after(remove("d/f")).tells(directory=[deleted("f")]),
        ),
    ),
    Scenario(
        name="the monitor on a parent is removed, that on the directory in it stays",
        rule=_INDEPENDENT,
        given=(make_directory("d"), make_directory("d/s"), make("d/s/a")),
        monitors=_PARENT_AND_OWN,
        steps=(
            after(make("d/b"), make("d/s/b")).without("parent").tells(own=[created("b")]),
            after(rename("d/s", "d/t")).tells(
                own=[in_any_order(deleted("a"), deleted("b")), deleted("/d/s")]
            ),
            after(rename("d/t", "d/s")).tells(
                own=[created("/d/s"), in_any_order(created("a"), created("b"))]
            ),
        ),
    ),
    Scenario(
        name="the monitor on a directory is removed, that on its parent stays",
        rule=_INDEPENDENT,
        given=(make_directory("d"), make_directory("d/s"), make("d/s/a")),
        monitors=_PARENT_AND_OWN,
        steps=(
            after(make("d/b"), make("d/s/b")).without("own").tells(parent=[created("b")]),
            after(rename("d/s", "d/t")).tells(parent=[deleted("s"), created("t", "s")]),
        ),
    ),
)
