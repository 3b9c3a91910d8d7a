"""Names that programs trip over: not UTF-8, with newlines, with the characters of patterns."""

from __future__ import annotations

import os

from famcore.testing.actions import make, make_directory, remove, rename, write
from famcore.testing.expected import changed, created, deleted, end_exist, exists, in_any_order
from famcore.testing.scenario import IT, On, Scenario, after

_BYTES = "names that are not UTF-8 are delivered, as os.fsdecode gives them"
_ANY = "the names that events leave standing are the names on disk"

_LATIN = os.fsdecode(b"caf\xe9")
_RAW = os.fsdecode(b"\xff\xfe\x80")


def _life_of(name: str, what: str, rule: str) -> Scenario:
    return Scenario(
        name=f"a file lives whose name {what}",
        rule=rule,
        given=(make_directory("d"), make("d/other")),
        steps=(
            after(make(f"d/{name}")).tells(created(name)),
            after(write(f"d/{name}")).tells(changed(name)),
            # Elsewhere it is asked which comes first.
            after(rename(f"d/{name}", "d/a")).tells(
                in_any_order(deleted(name), created("a", name))
            ),
            after(rename("d/a", f"d/{name}")).tells(in_any_order(deleted("a"), created(name, "a"))),
            after(remove(f"d/{name}")).tells(deleted(name)),
        ),
    )


SCENARIOS = (
    _life_of(_LATIN, "is Latin-1", _BYTES),
    _life_of(_RAW, "is no text at all", _BYTES),
    _life_of("caf\u00e9", "is not ASCII", _ANY),
    _life_of("two\nlines\n", "has newlines", _ANY),
    _life_of(" \t ", "is blank", _ANY),
    _life_of("\x1b[31m\x07", "has control characters", _ANY),
    _life_of("-rf", "begins with a hyphen", _ANY),
    _life_of("[a]?!", "has the characters of patterns", _ANY),
    _life_of("\\", "is a backslash", _ANY),
    _life_of("...", "is three dots", _ANY),
    _life_of("x" * 255, "is as long as a name may be", _ANY),
    Scenario(
        name="names are there that are not UTF-8",
        rule=_BYTES,
        given=(make_directory("d"), make(f"d/{_RAW}")),
        begins={IT: [exists("/d"), exists(_RAW), end_exist("/d")]},
    ),
    Scenario(
        name="the monitored path is not UTF-8",
        rule=_BYTES,
        given=(make_directory(_LATIN), make_directory(f"{_LATIN}/{_RAW}")),
        monitors={IT: On(f"{_LATIN}/{_RAW}")},
        steps=(
            after(make(f"{_LATIN}/{_RAW}/a")).tells(created("a")),
            after(rename(_LATIN, "away")).tells(deleted("a"), deleted(f"/{_LATIN}/{_RAW}")),
            after(rename("away", _LATIN)).tells(created(f"/{_LATIN}/{_RAW}"), created("a")),
        ),
    ),
    Scenario(
        name="the monitored path has newlines and the characters of patterns",
        rule=_ANY,
        given=(make_directory("[a]\n*"),),
        monitors={IT: On("[a]\n*")},
        steps=(after(make("[a]\n*/a")).tells(created("a")),),
    ),
    Scenario(
        name="names that begin alike are kept apart",
        rule="the names left standing: one name each, no rule about prefixes",
        given=(make_directory("d"), make("d/a"), make("d/ab"), make_directory("d/abc")),
        steps=(
            after(remove("d/a")).tells(deleted("a")),
            after(remove("d/ab")).tells(deleted("ab")),
            after(make("d/abc/a")),
        ),
    ),
)
