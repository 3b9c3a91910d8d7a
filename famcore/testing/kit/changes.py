"""What is said of what happens, before the core makes events of it."""

from __future__ import annotations

import itertools
import os

from famcore.backend import Capability, Interest, Kind
from famcore.testing.actions import (
    Action,
    change_mode,
    make,
    make_all,
    make_directory,
    remove,
    remove_directory,
    rename,
    write,
)
from famcore.testing.kit.base import Kit
from famcore.testing.kit.rules import needs
from famcore.testing.kit.trial import Trial

_EXACT = Capability.LIVE | Capability.EXACT
#: Files of a burst that overflows where a queue is short, and of one that none should mind.
_FLOOD, _BURST = 20_000, 1_000


class ChangesTests(Kit):
    """Its changes."""

    @needs(_EXACT)
    def test_an_entry_is_told_of_as_it_comes_and_goes(self, trial: Trial) -> None:
        """CREATED and DELETED of a watch carry the name of the entry; or RESCAN asks for a look."""
        for is_directory in (False, True):
            trial.do(make_directory("d"))
            key = trial.watch("d")
            trial.do(make_directory("d/a") if is_directory else make("d/a"))
            trial.until(
                lambda _, key=key: trial.is_told(Kind.CREATED, key, "a"),  # type: ignore[misc]
                f"CREATED 'a' of {key!r}, or RESCAN",
            )
            for change in trial.told(Kind.CREATED):
                trial.expect(change.name == "a", f"the name 'a', not {change.name!r}")
                trial.expect(
                    change.is_directory in (None, is_directory), f"is_directory = {is_directory}"
                )
            trial.rest()
            trial.forget()
            trial.do(remove_directory("d/a") if is_directory else remove("d/a"))
            trial.until(
                lambda _, key=key: trial.is_told(Kind.DELETED, key, "a"),  # type: ignore[misc]
                f"DELETED 'a' of {key!r}, or RESCAN",
            )
            trial.unwatch(key)
            trial.rest()
            trial.do(remove_directory("d"))
            trial.rest()
            trial.forget()

    @needs(_EXACT | Capability.CONTENTS)
    def test_a_write_to_an_entry_is_told(self, trial: Trial) -> None:
        """CONTENTS: a watch on a directory tells of writes to the files in it."""
        trial.do(make_directory("d"), make("d/a"))
        key = trial.watch("d")
        for does in (write("d/a"), change_mode("d/a", 0o600)):
            trial.forget()
            trial.do(does)
            trial.until(
                lambda _: trial.is_told(Kind.CHANGED, key, "a"),
                f"CHANGED 'a' of {key!r}, or RESCAN",
            )
            trial.rest()

    @needs(_EXACT)
    def test_a_watched_file_is_told_of(self, trial: Trial) -> None:
        """CHANGED without a name is of the watched thing itself: a file that is written to."""
        trial.do(make("f"))
        key = trial.watch("f")
        for does in (write("f"), change_mode("f", 0o600)):
            trial.forget()
            trial.do(does)
            trial.until(
                lambda _: trial.is_told(Kind.CHANGED, key), f"CHANGED '' of {key!r}, or RESCAN"
            )
            trial.rest()

    @needs(_EXACT)
    def test_the_mode_of_the_directory_itself_is_told(self, trial: Trial) -> None:
        """CHANGED without a name is told when the watched directory's own mode changes."""
        trial.do(make_directory("d"))
        key = trial.watch("d")
        trial.do(change_mode("d", 0o700))
        trial.until(lambda _: trial.told(Kind.CHANGED, name="", key=key), f"CHANGED '' of {key!r}")

    @needs(_EXACT)
    def test_what_goes_is_gone_once(self, trial: Trial) -> None:
        """GONE says that the thing is no longer at its path; nothing of its key comes after."""
        ways: list[tuple[Action, list[Action]]] = [
            (make("t"), [remove("t")]),
            (make_directory("t"), [remove_directory("t")]),
            (make("t"), [rename("t", "away")]),
            (make_directory("t"), [rename("t", "away")]),
            (make("t"), [make("new"), rename("new", "t")]),
            (make_directory("t"), [make_directory("new"), rename("new", "t")]),
        ]
        interests = Interest.__members__.values()
        for number, ((come, go), interest) in enumerate(itertools.product(ways, interests)):
            where = f"{number}"
            trial.do(make_directory(where))
            # Each in a directory of its own.
            inner = [_within(where, each) for each in (come, *go)]
            trial.do(inner[0])
            key = trial.watch(f"{where}/t", interest)
            trial.do(*inner[1:])
            trial.until(
                lambda _, key=key: trial.told(Kind.GONE, key=key),  # type: ignore[misc]
                f"GONE of {key!r}",
            )
            trial.unwatch(key)
        trial.rest()

    @needs(_EXACT)
    def test_names_are_told_as_fsdecode_gives_them(self, trial: Trial) -> None:
        """A name is what os.fsdecode makes of its bytes: not UTF-8, with newlines, blanks, long."""
        raw = [b"caf\xe9", b"\xff\xfe", b"two\nlines\n", b" ", b"x" * 255]
        names = [os.fsdecode(name) for name in raw]
        trial.do(make_directory("d"))
        key = trial.watch("d")
        trial.do(*(make(f"d/{name}") for name in names))
        trial.until(
            lambda _: all(trial.is_told(Kind.CREATED, key, name) for name in names),
            f"CREATED of {key!r} for each of {names}, or RESCAN",
        )
        others = [change.name for change in trial.told(Kind.CREATED) if change.name not in names]
        trial.expect(not others, f"no other name than these, as {others} are")

    @needs(_EXACT)
    def test_thousands_of_changes_are_told_or_a_look_is_asked_for(self, trial: Trial) -> None:
        """EXACT: nothing is lost in silence; what can't be told is told as RESCAN."""
        trial.do(make_directory("d"), make_directory("e"))
        key, other = trial.watch("d"), trial.watch("e")
        trial.do(make_all("d/{}", _FLOOD))
        trial.rest()
        asked = [each for each in trial.told(Kind.RESCAN) if each.key in (None, key)]
        told = {change.name for change in trial.told(Kind.CREATED, key=key)}
        lost = sorted({str(number) for number in range(_FLOOD)} - told)
        trial.expect(
            asked or not lost,
            f"CREATED of {key!r} for each name, or RESCAN; {len(lost):,} of {_FLOOD:,} are not told"
            f" of: {', '.join(lost[:10])}…",
        )
        trial.forget()
        trial.do(make("e/a"))
        trial.until(
            lambda _: trial.is_told(Kind.CREATED, other, "a"),
            f"CREATED 'a' of {other!r}, or RESCAN: it goes on afterwards",
        )

    @needs(_EXACT)
    def test_what_is_undone_at_once_is_told_or_a_look_is_asked_for(self, trial: Trial) -> None:
        """EXACT: of names that came and went between two reads, too: the core may know them."""
        trial.do(make_directory("d"), make_directory("d/b"))
        key = trial.watch("d")
        undone = [
            ([make("d/a"), remove("d/a")], Kind.DELETED, "a"),
            ([rename("d/b", "b"), rename("b", "d/b")], Kind.CREATED, "b"),
            ([make("d/c"), remove("d/c"), make("d/x")], Kind.DELETED, "c"),
        ]
        for does, kind, name in undone:
            trial.rest()
            trial.forget()
            trial.do(*does)
            trial.until(
                lambda _, kind=kind, name=name: trial.is_told(kind, key, name),  # type: ignore[misc]
                f"{kind.name} {name!r} of {key!r}, or RESCAN",
            )

    @needs(Capability.LIVE | Capability.EACH)
    def test_what_is_undone_at_once_is_told_in_order(self, trial: Trial) -> None:
        """EACH: every change is told by name, in order, also those that are undone at once."""
        trial.do(make_directory("d"))
        key = trial.watch("d")
        trial.do(make("d/a"), remove("d/a"), make_directory("d/b"), remove_directory("d/b"))
        wanted = [
            (Kind.CREATED, "a"),
            (Kind.DELETED, "a"),
            (Kind.CREATED, "b"),
            (Kind.DELETED, "b"),
        ]
        trial.rest()
        came = [(each.kind, each.name) for each in trial.told(Kind.CREATED, Kind.DELETED, key=key)]
        trial.expect(came == wanted, "CREATED 'a', DELETED 'a', CREATED 'b', DELETED 'b'")

    @needs(Capability.LIVE | Capability.EACH)
    def test_each_change_of_a_burst_is_told_once_and_in_order(self, trial: Trial) -> None:
        """EACH: every change is told by name, in the order in which it was made, and once."""
        trial.do(make_directory("d"))
        key = trial.watch("d")
        trial.do(make_all("d/{}", _BURST))
        trial.rest()
        if trial.told(Kind.RESCAN):
            return
        came = [change.name for change in trial.told(Kind.CREATED, key=key)]
        trial.expect(
            came == [str(number) for number in range(_BURST)],
            f"CREATED of {key!r} for each of {_BURST:,} names, from 0 upwards, each once",
        )

    @needs(Capability.LIVE | Capability.MOVES)
    def test_the_halves_of_a_rename_have_a_cookie_of_their_own(self, trial: Trial) -> None:
        """MOVES: DELETED of the old and CREATED of the new name carry one cookie, no others do."""
        trial.do(make_directory("d"), make_directory("e"), make("d/a"), make("d/b"))
        one, other = trial.watch("d"), trial.watch("e")
        trial.do(rename("d/a", "d/c"), rename("d/b", "e/b"), make("d/x"), remove("d/x"))
        trial.do(rename("e/b", "e/y"))
        trial.rest()
        pairs = [((one, "a"), (one, "c")), ((one, "b"), (other, "b")), ((other, "b"), (other, "y"))]
        cookies: dict[int, set[tuple[object, str]]] = {}
        for change in trial.told(Kind.CREATED, Kind.DELETED):
            if change.name == "x":
                trial.expect(not change.cookie, "no cookie but for renames, as 'x' has")
            else:
                cookies.setdefault(change.cookie, set()).add((change.key, change.name))
        trial.expect(
            0 not in cookies and sorted(map(len, cookies.values())) == [2, 2, 2],
            "three cookies, each of two changes",
        )
        trial.expect(
            all(set(pair) in cookies.values() for pair in pairs),
            "one cookie for 'a' and 'c', one for each 'b', one for 'b' and 'y'",
        )


def _within(where: str, action: Action) -> Action:
    """The same, in that directory."""
    return Action(f"in {where!r}: {action}", lambda root: action.run(f"{root}/{where}"))
