"""Entries that are renamed within a monitored directory, into it and out of it."""

from __future__ import annotations

import itertools

from famcore.backend import Capability
from famcore.testing.actions import (
    exchange,
    make,
    make_all,
    make_directory,
    remove,
    rename,
    rename_all,
    write,
)
from famcore.testing.expected import Told, anything, changed, created, deleted
from famcore.testing.scenario import Scenario, after

_WITHIN = (
    "it is renamed within the monitor: deleted old, then created new (changed if new was known),"
    " moved_from = old; None if old was ignored or outside"
)
_ACROSS = "moved_from = old, across batches too: nothing is held back to pair them"
_EXCHANGED = "two entries are exchanged: the fold stays true; no more is asked"

_MANY = 1_500


def _moves(old: str, new: str) -> list[Told]:
    pairs = ((old.format(number), new.format(number)) for number in range(_MANY))
    return list(itertools.chain.from_iterable((deleted(a), created(b, a)) for a, b in pairs))


SCENARIOS = (
    Scenario(
        name="a file is renamed",
        rule=_WITHIN,
        given=(make_directory("d"), write("d/a"), make("d/other")),
        steps=(
            after(rename("d/a", "d/b")).tells(deleted("a"), created("b", "a")),
            after(write("d/b")).tells(changed("b")),
            after(rename("d/b", "d/a")).tells(deleted("b"), created("a", "b")),
        ),
    ),
    Scenario(
        name="a directory is renamed",
        rule=_WITHIN,
        given=(make_directory("d"), make_directory("d/s"), make("d/s/below")),
        steps=(
            after(rename("d/s", "d/t")).tells(deleted("s"), created("t", "s")),
            after(make("d/t/more")),
        ),
    ),
    Scenario(
        name="a file is renamed onto a known name",
        rule=_WITHIN,
        given=(make_directory("d"), write("d/a"), write("d/b")),
        steps=(
            after(rename("d/a", "d/b")).tells(deleted("a"), changed("b", "a")),
            after(write("d/b")).tells(changed("b")),
        ),
    ),
    Scenario(
        name="a file is saved by way of a temporary one, time after time",
        rounds=10,
        rule=_WITHIN,
        given=(make_directory("d"), write("d/a")),
        steps=(
            after(make("d/t")).tells(created("t")),
            after(rename("d/t", "d/a")).tells(deleted("t"), changed("a", "t")),
        )
        * 10,
    ),
    Scenario(
        name="a file is made, written and renamed onto a known name at once",
        rule=_WITHIN,
        needs=Capability.EACH,
        given=(make_directory("d"), write("d/a")),
        steps=(
            after(write("d/a"), write("d/t"), rename("d/t", "d/a")).tells(
                changed("a"), created("t"), changed("t"), deleted("t"), changed("a", "t")
            ),
        ),
    ),
    Scenario(
        name="a directory is renamed onto an empty one",
        rule=_WITHIN,
        needs=Capability.EACH,
        given=(make_directory("d"), make_directory("d/s"), make_directory("d/t")),
        steps=(after(rename("d/s", "d/t")).tells(deleted("s"), changed("t", "s")),),
    ),
    Scenario(
        name="a file is renamed twice at once",
        rule=_WITHIN,
        needs=Capability.EACH,
        given=(make_directory("d"), write("d/a")),
        steps=(
            after(rename("d/a", "d/b"), rename("d/b", "d/c")).tells(
                deleted("a"), created("b", "a"), deleted("b"), created("c", "b")
            ),
        ),
    ),
    Scenario(
        name="two files change names by way of a third",
        rule=_WITHIN,
        needs=Capability.EACH,
        given=(make_directory("d"), write("d/a"), write("d/b")),
        steps=(
            after(rename("d/a", "d/t"), rename("d/b", "d/a"), rename("d/t", "d/b")).tells(
                deleted("a"),
                created("t", "a"),
                deleted("b"),
                created("a", "b"),
                deleted("t"),
                created("b", "t"),
            ),
        ),
    ),
    Scenario(
        name="more files are renamed at once than a batch holds",
        is_burst=True,
        rule=_ACROSS,
        needs=Capability.EACH,
        given=(make_directory("d"), make_all("d/old{}", _MANY)),
        steps=(
            after(rename_all("d/old{}", "d/new{}", _MANY)).tells(*_moves("old{}", "new{}")),
            # One event more, so that other pairs are parted.
            after(make("d/one"), rename_all("d/new{}", "d/old{}", _MANY)).tells(
                created("one"), *_moves("new{}", "old{}")
            ),
        ),
    ),
    Scenario(
        name="a file comes from a subdirectory and goes there again",
        rule=_WITHIN,
        given=(make_directory("d"), make_directory("d/s"), write("d/s/a")),
        steps=(
            after(rename("d/s/a", "d/a")).tells(created("a")),
            after(rename("d/a", "d/s/a")).tells(deleted("a")),
        ),
    ),
    Scenario(
        name="a file comes from outside onto a known name",
        rule=_WITHIN,
        given=(make_directory("d"), write("d/a"), write("out")),
        steps=(after(rename("out", "d/a")).tells(changed("a")),),
    ),
    Scenario(
        name="a file is renamed out and in again at once",
        rule=_WITHIN,
        needs=Capability.EACH,
        given=(make_directory("d"), write("d/a")),
        steps=(
            after(rename("d/a", "out"), rename("out", "d/b")).tells(deleted("a"), created("b")),
        ),
    ),
    Scenario(
        name="the name that was freed by a rename is taken again",
        rule=_WITHIN,
        needs=Capability.EACH,
        given=(make_directory("d"), write("d/a")),
        steps=(
            after(rename("d/a", "d/b"), make("d/a")).tells(
                deleted("a"), created("b", "a"), created("a")
            ),
            after(remove("d/b")).tells(deleted("b")),
            after(write("d/a")).tells(changed("a")),
        ),
    ),
    Scenario(
        name="two files are exchanged",
        rule=_EXCHANGED,
        given=(make_directory("d"), write("d/a"), write("d/b")),
        steps=(
            after(exchange("d/a", "d/b")).tells(anything()),
            after(write("d/a")).tells(changed("a")),
            after(remove("d/b")).tells(deleted("b")),
        ),
    ),
    Scenario(
        name="a file and a directory are exchanged",
        rule=_EXCHANGED,
        given=(make_directory("d"), write("d/a"), make_directory("d/s")),
        steps=(
            after(exchange("d/a", "d/s")).tells(anything()),
            after(make("d/a/below")),
            after(write("d/s")).tells(changed("s")),
        ),
    ),
    Scenario(
        name="an entry is exchanged with one outside, of the same kind and of another",
        rule=_EXCHANGED,
        given=(make_directory("d"), write("d/a"), write("out"), make_directory("t")),
        steps=(
            after(exchange("d/a", "out")).tells(anything()),
            after(exchange("d/a", "t")).tells(anything()),
            after(write("out"), write("t")),
            after(make("d/b")).tells(created("b")),
        ),
    ),
)
