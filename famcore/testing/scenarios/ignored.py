"""Names that are ignored, and those that are not."""

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
from famcore.testing.expected import changed, created, deleted, end_exist, exists
from famcore.testing.scenario import IT, On, Scenario, after

_DEFAULTS = (
    "the default ignore patterns are Bcfg2's: *~ *# .#* *.swp *.swpx .*.swx SCCS .svn 4913"
    " .gitignore"
)
_PATTERNS = "ignore patterns: fnmatch globs, tried on the filename and on its last part"
_ITSELF = "the monitored path itself is never ignored"
_RENAMED = "moved_from = old; None if old was ignored or outside"

_IGNORED = (
    *("a~", "a#", "#a#", ".#a", "a.swp", ".a.swp", "a.swpx", ".a.swx"),
    *("SCCS", ".svn", "4913", ".gitignore"),
)
_NOT_IGNORED = ("~a", "#a", "a.swx", "SCCS2", "svn", "49130", "gitignore", ".git", "a.swp.b")

SCENARIOS = (
    Scenario(
        name="names of the default patterns are ignored, whatever happens to them",
        rule=_DEFAULTS,
        given=(make_directory("d"), make("d/a")),
        steps=tuple(
            after(write(f"d/{name}"), write(f"d/{name}"), remove(f"d/{name}")) for name in _IGNORED
        ),
    ),
    Scenario(
        name="names of the default patterns that are there are ignored",
        rule=_DEFAULTS,
        given=(make_directory("d"), make("d/a"), *(make(f"d/{name}") for name in _IGNORED)),
        begins={IT: [exists("/d"), exists("a"), end_exist("/d")]},
        steps=tuple(after(remove(f"d/{name}")) for name in _IGNORED),
    ),
    Scenario(
        name="names that only look like the default patterns are not ignored",
        rule=_DEFAULTS,
        given=(make_directory("d"),),
        steps=tuple(after(make(f"d/{name}")).tells(created(name)) for name in _NOT_IGNORED),
    ),
    Scenario(
        name="directories and links are ignored by their names too",
        rule=_PATTERNS,
        given=(make_directory("d"),),
        steps=(
            after(make_directory("d/.svn"), make("d/.svn/entries"), remove_tree("d/.svn")),
            after(make_link("d/.#a", "someone@somewhere"), remove("d/.#a")),
        ),
    ),
    Scenario(
        name="patterns of one's own are in place of the default ones",
        rule=_PATTERNS,
        ignore=("*.o", "[0-9]?", "!x"),
        given=(make_directory("d"), make("d/a.o"), make("d/b~"), make("d/12")),
        begins={IT: [exists("/d"), exists("b~"), end_exist("/d")]},
        steps=(
            after(write("d/a.o"), make("d/c.o"), make("d/99"), make("d/!x")),
            after(make("d/A.O")).tells(created("A.O")),
            after(make("d/1")).tells(created("1")),
            after(make("d/123")).tells(created("123")),
        ),
    ),
    Scenario(
        name="nothing is ignored where there are no patterns",
        rule=_PATTERNS,
        ignore=(),
        given=(make_directory("d"), make("d/a~")),
        begins={IT: [exists("/d"), exists("a~"), end_exist("/d")]},
        steps=tuple(after(make(f"d/.{name}")).tells(created(f".{name}")) for name in _IGNORED),
    ),
    Scenario(
        name="the monitored directory's own name is a pattern's",
        rule=_ITSELF,
        given=(make_directory("d~"),),
        monitors={IT: On("d~")},
        begins={IT: [exists("/d~"), end_exist("/d~")]},
        steps=(
            after(make("d~/a")).tells(created("a")),
            after(make("d~/a~")),
            after(rename("d~", "away")).tells(deleted("a"), deleted("/d~")),
            after(rename("away", "d~")).tells(created("/d~"), created("a")),
        ),
    ),
    Scenario(
        name="the monitored file's own name is a pattern's, and its directory's monitor ignores it",
        rule=_ITSELF,
        given=(make_directory("d"), write("d/f~")),
        monitors={"file": On("d/f~"), "directory": On("d")},
        steps=(
            after(write("d/f~")).tells(file=[changed("/d/f~")]),
            after(write("t"), rename("t", "d/f~")).tells(file=[changed("/d/f~")]),
            after(remove("d/f~")).tells(file=[deleted("/d/f~")]),
            after(make("d/f~")).tells(file=[created("/d/f~")]),
        ),
    ),
    Scenario(
        name="a monitored subdirectory's name is a pattern's, and its parent's monitor ignores it",
        rule=_ITSELF,
        given=(make_directory("d"), make_directory("d/.svn"), make("d/.svn/a")),
        monitors={"own": On("d/.svn"), "parent": On("d")},
        steps=(
            after(write("d/.svn/a")).tells(own=[changed("a")]),
            after(remove_tree("d/.svn")).tells(own=[deleted("a"), deleted("/d/.svn")]),
            after(make_directory("d/.svn")).tells(own=[created("/d/.svn")]),
        ),
    ),
    Scenario(
        name="a file is renamed from an ignored name to one that is not",
        rule=_RENAMED,
        given=(make_directory("d"), write("d/a.swp")),
        steps=(after(rename("d/a.swp", "d/a")).tells(created("a")),),
    ),
    Scenario(
        name="a file is renamed from an ignored name onto a known one, time after time",
        rounds=10,
        rule=_RENAMED,
        given=(make_directory("d"), write("d/a")),
        steps=(after(write("d/a.swp"), rename("d/a.swp", "d/a")).tells(changed("a")),) * 10,
    ),
    Scenario(
        name="a file is renamed to an ignored name, and back",
        rule=_RENAMED,
        given=(make_directory("d"), write("d/a")),
        steps=(
            after(rename("d/a", "d/a~")).tells(deleted("a")),
            after(write("d/a~")),
            after(rename("d/a~", "d/a")).tells(created("a")),
        ),
    ),
    Scenario(
        name="an editor saves a file with a backup and a test of permissions",
        rule=_DEFAULTS,
        needs=Capability.EACH,
        given=(make_directory("d"), write("d/a")),
        steps=(
            after(
                make("d/4913"),
                remove("d/4913"),
                rename("d/a", "d/a~"),
                write("d/a"),
                remove("d/a~"),
            ).tells(deleted("a"), created("a"), changed("a")),
        )
        * 3,
    ),
)
