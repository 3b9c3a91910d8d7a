"""What a monitor is told when it is set, and of a path that is missing then."""

from __future__ import annotations

from famcore.testing.actions import (
    make,
    make_all,
    make_directory,
    make_fifo,
    make_link,
    remove,
    rename,
    write,
)
from famcore.testing.expected import (
    changed,
    created,
    deleted,
    end_exist,
    exists,
    in_any_order,
)
from famcore.testing.scenario import IT, On, Scenario, after

_DIRECTORY = (
    "a monitor is set on a directory: exists for the directory (full path), exists for each entry"
    " in it, endExist (full path)"
)
_FILE = "a monitor is set on a file: exists, endExist (full path)"
_MISSING = (
    "a monitor is set on a path that is missing, its parent is there: endExist; created (full"
    " path) when it appears, then its entries' created"
)
_SPELLED = (
    "paths are made absolute, trailing slashes removed, else kept as spelled: that is the full"
    " path in events"
)

SCENARIOS = (
    Scenario(
        name="an empty directory exists",
        rule=_DIRECTORY,
        given=(make_directory("d"),),
        begins={IT: [exists("/d"), end_exist("/d")]},
    ),
    Scenario(
        name="a directory exists with each entry in it, whatever its kind",
        rule=_DIRECTORY,
        given=(
            make_directory("d"),
            make("d/a"),
            write("d/b"),
            make_directory("d/s"),
            make("d/s/below"),
            make_fifo("d/fifo"),
            make_link("d/to-directory", "s"),
            make_link("d/to-nothing", "nothing"),
        ),
        begins={
            IT: [
                exists("/d"),
                in_any_order(
                    *map(exists, ["a", "b", "s", "fifo", "to-directory", "to-nothing"]),
                ),
                end_exist("/d"),
            ]
        },
    ),
    Scenario(
        name="a directory exists with more entries than a batch holds",
        rule=_DIRECTORY,
        given=(make_directory("d"), make_all("d/{}", 2_500)),
        begins={
            IT: [
                exists("/d"),
                in_any_order(*(exists(str(number)) for number in range(2_500))),
                end_exist("/d"),
            ]
        },
    ),
    Scenario(
        name="a file exists",
        rule=_FILE,
        given=(write("f"),),
        monitors={IT: On("f")},
        begins={IT: [exists("/f"), end_exist("/f")]},
    ),
    Scenario(
        name="a missing path is told of when a file appears at it",
        rule=_MISSING,
        monitors={IT: On("missing")},
        begins={IT: [end_exist("/missing")]},
        steps=(
            after(make("missing")).tells(created("/missing")),
            after(write("missing")).tells(changed("/missing")),
        ),
    ),
    Scenario(
        name="a missing path is told of when a directory is made at it",
        rule=_MISSING,
        monitors={IT: On("missing")},
        begins={IT: [end_exist("/missing")]},
        steps=(
            after(make_directory("missing")).tells(created("/missing")),
            after(make("missing/a")).tells(created("a")),
        ),
    ),
    Scenario(
        name="a missing path is told of when a directory is made and filled at once",
        rule=_MISSING,
        monitors={IT: On("missing")},
        begins={IT: [end_exist("/missing")]},
        steps=(
            after(make_directory("missing"), make("missing/a"), make("missing/b")).tells(
                created("/missing"), in_any_order(created("a"), created("b"))
            ),
            after(make("missing/c")).tells(created("c")),
        ),
    ),
    Scenario(
        name="a missing path is told of when a directory with entries is renamed to it",
        rule=_MISSING,
        given=(make_directory("out"), make("out/a"), make_directory("out/s"), make("out/s/b")),
        monitors={IT: On("missing")},
        begins={IT: [end_exist("/missing")]},
        steps=(
            after(rename("out", "missing")).tells(
                created("/missing"), in_any_order(created("a"), created("s"))
            ),
            after(remove("missing/a")).tells(deleted("a")),
        ),
    ),
    Scenario(
        name="neighbours of a missing path are not told of",
        rule=_MISSING,
        given=(make("neighbour"),),
        monitors={IT: On("missing")},
        begins={IT: [end_exist("/missing")]},
        steps=(
            after(make("missing2"), write("neighbour"), remove("neighbour")),
            after(make("missing")).tells(created("/missing")),
        ),
    ),
    Scenario(
        name="a path is kept as spelled, but for trailing slashes",
        rule=_SPELLED,
        given=(make_directory("d"), make_directory("x"), make("d/a")),
        monitors={IT: On("x/..//d/././/")},
        begins={IT: [exists("/x/..//d/./."), exists("a"), end_exist("/x/..//d/./.")]},
        steps=(
            after(make("d/b")).tells(created("b")),
            after(rename("d", "away")).tells(
                in_any_order(deleted("a"), deleted("b")), deleted("/x/..//d/./.")
            ),
            after(rename("away", "d")).tells(
                created("/x/..//d/./."), in_any_order(created("a"), created("b"))
            ),
        ),
    ),
)
