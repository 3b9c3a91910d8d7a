"""Several monitors at a time, each with events of its own."""

from __future__ import annotations

from famcore.backend import Capability
from famcore.testing.actions import (
    change_mode,
    hard_link,
    make,
    make_directory,
    make_fifo,
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
_SECOND = "a second HandleEvent object never displaces the first"
_TWO = {"first": On("d"), "second": On("d")}
_FILE_AND_DIRECTORY = {"directory": On("d"), "file": On("d/f")}
_PARENT_AND_OWN = {"parent": On("d"), "own": On("d/s")}

SCENARIOS = (
    Scenario(
        name="two monitors on one directory",
        rule=_INDEPENDENT,
        given=(make_directory("d"), make("d/a")),
        monitors=_TWO,
        steps=(
            after(make("d/b")).tells(first=[created("b")], second=[created("b")]),
            after(write("d/a")).tells(first=[changed("a")], second=[changed("a")]),
            after(rename("d/a", "d/c")).tells(
                first=[deleted("a"), created("c", "a")], second=[deleted("a"), created("c", "a")]
            ),
            after(change_mode("d", 0o700)).tells(first=[changed("/d")], second=[changed("/d")]),
            after(remove_tree("d")).tells(
                first=[in_any_order(deleted("b"), deleted("c")), deleted("/d")],
                second=[in_any_order(deleted("b"), deleted("c")), deleted("/d")],
            ),
            after(make_directory("d")).tells(first=[created("/d")], second=[created("/d")]),
        ),
    ),
    Scenario(
        name="two monitors on one file",
        rule=_INDEPENDENT,
        given=(write("f"),),
        monitors={"first": On("f"), "second": On("f")},
        steps=(
            after(write("f")).tells(first=[changed("/f")], second=[changed("/f")]),
            after(remove("f")).tells(first=[deleted("/f")], second=[deleted("/f")]),
            after(make("f")).tells(first=[created("/f")], second=[created("/f")]),
        ),
    ),
    Scenario(
        name="two monitors on one missing path",
        rule=_INDEPENDENT,
        monitors={"first": On("m"), "second": On("m")},
        steps=(after(make("m")).tells(first=[created("/m")], second=[created("/m")]),),
    ),
    Scenario(
        name="two monitors on one directory, spelled in two ways",
        rule=_INDEPENDENT,
        given=(make_directory("d"), make("d/a")),
        monitors={"first": On("d"), "second": On("d/../d")},
        steps=(
            after(make("d/b")).tells(first=[created("b")], second=[created("b")]),
            after(change_mode("d", 0o700)).tells(
                first=[changed("/d")], second=[changed("/d/../d")]
            ),
        ),
    ),
    Scenario(
        name="a second monitor comes to a directory that has changed meanwhile",
        rule=_SECOND,
        given=(make_directory("d"), make("d/a")),
        monitors={"first": On("d")},
        steps=(
            after(make("d/b")).tells(first=[created("b")]),
            after()
            .sets(second=On("d"))
            .tells(second=[exists("/d"), in_any_order(exists("a"), exists("b")), end_exist("/d")]),
            after(write("d/b")).tells(first=[changed("b")], second=[changed("b")]),
            after(remove("d/a")).tells(first=[deleted("a")], second=[deleted("a")]),
        ),
    ),
    Scenario(
        name="a second monitor comes to a file",
        rule=_SECOND,
        given=(make("f"),),
        monitors={"first": On("f")},
        steps=(
            after().sets(second=On("f")).tells(second=[exists("/f"), end_exist("/f")]),
            after(write("f")).tells(first=[changed("/f")], second=[changed("/f")]),
        ),
    ),
    Scenario(
        name="a file and its directory are both monitored",
        rule=_INDEPENDENT,
        given=(make_directory("d"), write("d/f"), make("d/a")),
        monitors=_FILE_AND_DIRECTORY,
        steps=(
            after(write("d/f")).tells(directory=[changed("f")], file=[changed("/d/f")]),
            after(write("d/a")).tells(directory=[changed("a")]),
            after(change_mode("d/f", 0o600)).tells(
                directory=[changed("f")], file=[changed("/d/f")]
            ),
            after(change_mode("d", 0o700)).tells(directory=[changed("/d")]),
            after(write("t"), rename("t", "d/f")).tells(
                directory=[changed("f")], file=[changed("/d/f")]
            ),
            after(write("d/f")).tells(directory=[changed("f")], file=[changed("/d/f")]),
        ),
    ),
    Scenario(
        name="a file is monitored before its directory is",
        rule=_INDEPENDENT,
        given=(make_directory("d"), write("d/f"), make("d/a")),
        monitors={"file": On("d/f"), "directory": On("d")},
        steps=(
            after(write("d/f")).tells(directory=[changed("f")], file=[changed("/d/f")]),
            after(make("d/b")).tells(directory=[created("b")]),
        ),
    ),
    Scenario(
        name="what is in a monitored subdirectory is told to its own monitor alone",
        rule=_INDEPENDENT,
        given=(make_directory("d"), make_directory("d/s")),
        monitors=_PARENT_AND_OWN,
        steps=(
            after(make("d/s/a")).tells(own=[created("a")]),
            after(make("d/b")).tells(parent=[created("b")]),
            after(rename("d/b", "d/s/b")).tells(parent=[deleted("b")], own=[created("b")]),
        ),
    ),
    Scenario(
        name="a monitored subdirectory's mode is told to its parent's monitor too",
        rule=_INDEPENDENT,
        needs=Capability.EACH,
        given=(make_directory("d"), make_directory("d/s")),
        monitors=_PARENT_AND_OWN,
        steps=(
            after(change_mode("d/s", 0o700)).tells(parent=[changed("s")], own=[changed("/d/s")]),
        ),
    ),
    Scenario(
        name="a FIFO and its directory are both monitored",
        rule=_INDEPENDENT,
        needs=Capability.EACH,
        given=(make_directory("d"), make_fifo("d/f")),
        monitors=_FILE_AND_DIRECTORY,
        steps=(
            after(change_mode("d/f", 0o600)).tells(
                directory=[changed("f")], file=[changed("/d/f")]
            ),
            after(remove("d/f")).tells(directory=[deleted("f")], file=[deleted("/d/f")]),
            after(make_fifo("d/f")).tells(directory=[created("f")], file=[created("/d/f")]),
        ),
    ),
    Scenario(
        name="two names of one file are monitored",
        rule=_INDEPENDENT,
        given=(write("f"), hard_link("f", "g")),
        monitors={"f": On("f"), "g": On("g")},
        steps=(after(write("f")).tells(f=[changed("/f")], g=[changed("/g")]),),
    ),
)
