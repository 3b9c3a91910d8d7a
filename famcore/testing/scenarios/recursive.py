"""A recursive monitor: entries of all depths."""

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
from famcore.testing.scenario import IT, On, Scenario, after

_ALL = (
    "recursive=True: entries of all depths, a directory's created before and its deleted after all"
    " that is in it"
)
_RENAMED = "it is renamed within the monitor: deleted old, then created new, moved_from = old"
_LINKS = "recursive=True: links to directories are not followed"
_PATTERNS = "ignore patterns: fnmatch globs, tried on the filename and on its last part"
_IGNORED = "in a recursive monitor an ignored directory is not entered"

_ON = {IT: On("d", recursive=True)}

SCENARIOS = (
    Scenario(
        name="a tree exists, each directory before what is in it",
        rule=_ALL,
        given=(make_directory("d"), make_directory("d/s"), make("d/s/a")),
        monitors=_ON,
        begins={IT: [exists("/d"), exists("s"), exists("s/a"), end_exist("/d")]},
    ),
    Scenario(
        name="files come, change and go at some depth",
        rule=_ALL,
        given=(make_directory("d"), make_directory("d/s"), make_directory("d/s/t")),
        monitors=_ON,
        steps=(
            after(make("d/s/t/a")).tells(created("s/t/a")),
            after(write("d/s/t/a")).tells(changed("s/t/a")),
            after(remove("d/s/t/a")).tells(deleted("s/t/a")),
        ),
    ),
    Scenario(
        name="a file is renamed from one directory to another",
        rule=_RENAMED,
        needs=Capability.EACH,
        given=(make_directory("d"), make_directory("d/s"), make_directory("d/t"), make("d/s/a")),
        monitors=_ON,
        steps=(
            after(rename("d/s/a", "d/t/b")).tells(deleted("s/a"), created("t/b", "s/a")),
            after(rename("d/t/b", "d/c")).tells(deleted("t/b"), created("c", "t/b")),
        ),
    ),
    Scenario(
        name="a tree is renamed, and all that is in it",
        rule=_RENAMED,
        needs=Capability.EACH,
        given=(make_directory("d"), make_directory("d/s"), make("d/s/a")),
        monitors=_ON,
        steps=(
            after(rename("d/s", "d/t")).tells(
                deleted("s/a"), deleted("s"), created("t", "s"), created("t/a", "s/a")
            ),
            after(write("d/t/a")).tells(changed("t/a")),
        ),
    ),
    Scenario(
        name="directories are made in each other at once, with a file",
        rule=_ALL,
        given=(make_directory("d"),),
        monitors=_ON,
        steps=(
            after(make_directory("d/s"), make_directory("d/s/t"), make("d/s/t/a")).tells(
                created("s"), created("s/t"), created("s/t/a")
            ),
            after(make("d/s/t/b")).tells(created("s/t/b")),
        ),
    ),
    Scenario(
        name="a tree goes, each directory after what was in it",
        rule=_ALL,
        given=(make_directory("d"), make_directory("d/s"), make_directory("d/s/t")),
        monitors=_ON,
        steps=(
            after(make("d/s/t/a")).tells(created("s/t/a")),
            after(remove_tree("d/s")).tells(deleted("s/t/a"), deleted("s/t"), deleted("s")),
        ),
    ),
    Scenario(
        name="a tree is renamed in, and out",
        rule=_ALL,
        given=(make_directory("d"), make_directory("o"), make("o/a"), make_directory("o/s")),
        monitors=_ON,
        steps=(
            after(rename("o", "d/o")).tells(
                created("o"), in_any_order(created("o/a"), created("o/s"))
            ),
            after(make("d/o/s/b")).tells(created("o/s/b")),
            after(remove("d/o/a")).tells(deleted("o/a")),
            after(rename("d/o", "o")).tells(deleted("o/s/b"), deleted("o/s"), deleted("o")),
            after(make("o/s/c")),
        ),
    ),
    Scenario(
        name="the directory that is monitored recursively goes and comes back",
        rule=_ALL,
        given=(make_directory("d"), make_directory("d/s"), make("d/s/a")),
        monitors=_ON,
        steps=(
            after(rename("d", "away")).tells(deleted("s/a"), deleted("s"), deleted("/d")),
            after(rename("away", "d")).tells(created("/d"), created("s"), created("s/a")),
        )
        * 3,
    ),
    Scenario(
        name="a link to a directory is an entry and no way",
        rule=_LINKS,
        given=(make_directory("d"), make_directory("o"), make("o/a"), make_link("d/l", "../o")),
        monitors=_ON,
        begins={IT: [exists("/d"), exists("l"), end_exist("/d")]},
        steps=(after(make("o/b")), after(remove("d/l")).tells(deleted("l"))),
    ),
    Scenario(
        name="a pattern with a slash is of names relative to the monitor",
        rule=_PATTERNS,
        ignore=("s/*.o",),
        given=(make_directory("d"), make_directory("d/s"), make("d/s/a.o"), make("d/b.o")),
        monitors=_ON,
        begins={
            IT: [exists("/d"), in_any_order(exists("s"), exists("b.o")), end_exist("/d")],
        },
        steps=(
            after(write("d/s/a.o"), make("d/s/c.o"), remove("d/s/a.o")),
            after(make("d/s/c")).tells(created("s/c")),
            after(make("d/c.o")).tells(created("c.o")),
        ),
    ),
    Scenario(
        name="an ignored directory is not entered",
        rule=_IGNORED,
        given=(make_directory("d"), make_directory("d/.svn"), make("d/.svn/a")),
        monitors=_ON,
        begins={IT: [exists("/d"), end_exist("/d")]},
        steps=(
            after(make("d/.svn/b")),
            after(make_directory("d/SCCS"), make("d/SCCS/a")),
        ),
    ),
)
