"""`watch` and `unwatch`: keys, interest, and what the system refuses."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from famcore.backend import Capability, Interest, Kind
from famcore.testing.actions import (
    Action,
    change_mode,
    make,
    make_directory,
    make_link,
    remove,
    remove_directory,
    rename,
    write,
)
from famcore.testing.kit.base import Kit
from famcore.testing.kit.rules import needs
from famcore.testing.kit.trial import Trial

_EXACT = Capability.LIVE | Capability.EXACT
#: A user who owns nothing.
_NOBODY = 65_534
#: How often something is watched anew.
_TIMES = 10


class WatchingTests(Kit):
    """Its `watch` and `unwatch`."""

    # --- keys

    def test_each_thing_has_a_key_of_its_own(self, trial: Trial) -> None:
        """`watch` returns the key that this watch's changes carry: no two things share one."""
        trial.do(make_directory("d"), make_directory("e"), make("f"))
        keys = [trial.watch(name) for name in ("", "d", "e", "f")]
        trial.expect(len(set(keys)) == len(keys), "four keys")

    def test_a_key_that_ended_is_never_used_again(self, trial: Trial) -> None:
        """After unwatch, too, what is watched has another key: what comes late is not its."""
        trial.do(make_directory("d"), make("f"))
        for _ in range(_TIMES):
            for name in ("d", "f"):
                trial.unwatch(trial.watch(name))
        trial.drain()

    @needs(_EXACT)
    def test_the_key_of_what_is_gone_is_never_used_again(self, trial: Trial) -> None:
        """What comes to be at a path is another thing than what went: it has another key."""
        for number in range(_TIMES):
            name, goes = [("f", remove("f")), ("d", remove_directory("d"))][number % 2]
            trial.do(make_directory("d") if number % 2 else make("f"))
            key = trial.watch(name)
            trial.do(goes)
            trial.until(
                lambda _, key=key: trial.told(Kind.GONE, key=key),  # type: ignore[misc]
                f"GONE of {key!r}",
            )
            trial.unwatch(key)

    def test_unwatching_twice_is_harmless(self, trial: Trial) -> None:
        """`unwatch` of a key that has ended does nothing, and harms no other watch."""
        trial.do(make_directory("d"), make_directory("e"))
        key, other = trial.watch("d"), trial.watch("e")
        trial.unwatch(key)
        trial.unwatch(key)
        trial.drain()
        trial.unwatch(key)
        trial.unwatch(other)

    @needs(_EXACT)
    def test_unwatching_what_is_gone_is_harmless(self, trial: Trial) -> None:
        """`unwatch` of a key does nothing once its thing is gone, whether that was read or not."""
        trial.do(make_directory("d"), make_directory("e"))
        first = trial.watch("d")
        trial.do(remove_directory("d"))
        trial.unwatch(first)
        trial.rest()
        second = trial.watch("e")
        trial.do(remove_directory("e"))
        trial.until(lambda _: trial.told(Kind.GONE, key=second), f"GONE of {second!r}")
        trial.unwatch(second)
        trial.rest()

    @needs(Capability.LIVE)
    def test_what_is_unwatched_is_told_of_no_more(self, trial: Trial) -> None:
        """After unwatch nothing that happens is told under that key; others are as before."""
        trial.do(make_directory("d"), make_directory("e"))
        key, other = trial.begin("d"), trial.begin("e")
        trial.unwatch(key)
        trial.drain()
        trial.forget()
        trial.do(make("d/a"), make("e/a"))
        trial.rest()
        trial.expect(not trial.told(*Kind, key=key), f"nothing of {key!r}")
        if Capability.EXACT in trial.capabilities:
            trial.expect(
                trial.is_told(Kind.CREATED, other, "a"), f"CREATED 'a' of {other!r}, or RESCAN"
            )

    # --- interest

    def test_every_interest_is_taken(self, trial: Trial) -> None:
        """`watch` takes each Interest, of a directory and of a file; none is ALL."""
        trial.do(make_directory("d"), make("f"))
        for name in ("d", "f"):
            trial.instance.watch(trial.path(name))
            for interest in Interest.__members__.values():
                trial.watch(name, interest)

    @needs(_EXACT)
    def test_with_interest_in_the_thing_itself_its_end_is_told(self, trial: Trial) -> None:
        """Interest.SELF: that the watched thing goes is told, whatever else is not."""
        trial.do(make_directory("d"), make("f"))
        for name, goes in (("d", rename("d", "e")), ("f", remove("f"))):
            key = trial.watch(name, Interest.SELF)
            trial.do(goes)
            trial.until(
                lambda _, key=key: trial.told(Kind.GONE, key=key),  # type: ignore[misc]
                f"GONE of {key!r}",
            )

    @needs(_EXACT)
    def test_with_interest_in_entries_names_are_told(self, trial: Trial) -> None:
        """Interest.ENTRIES: that names come and go is told."""
        trial.do(make_directory("d"))
        key = trial.watch("d", Interest.ENTRIES)
        trial.do(make("d/a"))
        trial.until(
            lambda _: trial.is_told(Kind.CREATED, key, "a"), f"CREATED 'a' of {key!r}, or RESCAN"
        )
        trial.forget()
        trial.do(remove("d/a"))
        trial.until(
            lambda _: trial.is_told(Kind.DELETED, key, "a"), f"DELETED 'a' of {key!r}, or RESCAN"
        )

    @needs(_EXACT)
    def test_a_wider_interest_replaces_the_earlier_one(self, trial: Trial) -> None:
        """Watched again with a wider Interest, a directory is told of as by that."""
        trial.do(make_directory("d"))
        trial.watch("d", Interest.SELF)
        key = trial.watch("d", Interest.ALL)
        trial.do(make("d/a"))
        trial.until(
            lambda _: trial.is_told(Kind.CREATED, key, "a"), f"CREATED 'a' of {key!r}, or RESCAN"
        )

    # --- paths

    def test_paths_with_odd_names_are_watched(self, trial: Trial) -> None:
        """A path comes as os.fsdecode gives it: not UTF-8, with newlines and blanks, very long."""
        names = [os.fsdecode(b"caf\xe9 \xff"), "two\nlines", " ", "x" * 200]
        for name in names:
            trial.do(make_directory(name))
        keys = [trial.begin(name) for name in names]
        for name in names:
            trial.do(make(f"{name}/a"))
        if Capability.EXACT in trial.capabilities:
            trial.until(
                lambda _: all(trial.is_told(Kind.CREATED, key, "a") for key in keys),
                f"CREATED 'a' of each of {keys}, or RESCAN",
            )

    @needs(Capability.LIVE)
    def test_a_link_is_not_followed(self, trial: Trial) -> None:
        """The last part of a path is no link, and if it became one: refused, or not followed."""
        trial.do(make_directory("d"), make_link("l", "d"))
        try:
            key = trial.watch("l")
        except OSError:
            return
        trial.do(make("d/a"), change_mode("d", 0o700))
        trial.rest()
        trial.expect(not trial.told(*Kind, key=key), "nothing of what the link leads to")

    # --- what the system refuses

    def test_a_missing_path_is_refused_as_by_the_system(self, trial: Trial) -> None:
        """`watch` raises FileNotFoundError, with the path as its filename."""
        _refused(trial, "missing", FileNotFoundError)

    def test_a_path_below_a_file_is_refused_as_by_the_system(self, trial: Trial) -> None:
        """`watch` raises NotADirectoryError, with the path as its filename."""
        trial.do(make("f"))
        _refused(trial, "f/below", NotADirectoryError)

    def test_a_name_that_is_too_long_is_refused_as_by_the_system(self, trial: Trial) -> None:
        """`watch` raises an OSError (ENAMETOOLONG), with the path as its filename."""
        _refused(trial, "x" * 300, OSError)

    @needs(Capability.LIVE)
    def test_what_may_not_be_read_is_refused_as_by_the_system(
        self, trial: Trial, nobody: None
    ) -> None:
        """`watch` raises PermissionError, with the path as its filename."""
        _refused(trial, "closed", PermissionError)

    def test_after_a_refusal_it_works_as_before(self, trial: Trial) -> None:
        """A path that is refused leaves nothing behind: it may be watched once it is there."""
        trial.do(make_directory("d"))
        _refused(trial, "d/a", FileNotFoundError)
        key = trial.watch("d")
        trial.do(write("d/a"))
        trial.expect(trial.watch("d/a") != key, "another key for another thing")

    @pytest.fixture
    def nobody(self, trial: Trial) -> Iterator[None]:
        """A directory that may not be read; root becomes another meanwhile."""
        trial.do(make_directory("closed"), change_mode("closed", 0))
        is_root = os.geteuid() == 0
        if is_root:
            trial.note("become an ordinary user")
            os.seteuid(_NOBODY)
        try:
            yield
        finally:
            if is_root:
                os.seteuid(0)
            _allow("closed").run(str(trial.place))


def _allow(name: str) -> Action:
    return change_mode(name, 0o700)


def _refused(trial: Trial, name: str, refusal: type[OSError]) -> None:
    __tracebackhide__ = True
    path = trial.path(name)
    trial.note(f"watch({name!r})")
    expected = f"{refusal.__name__} with the filename {path!r}"
    try:
        key = trial.instance.watch(path)
    except OSError as error:
        if not isinstance(error, refusal):
            trial.fail(f"{expected}, not {error!r}")
        trial.expect(error.filename == path, f"{expected}, not {error.filename!r}")
    except Exception as error:
        trial.fail(f"{expected}, not {error!r}")
    else:
        trial.fail(f"{expected}, not the key {key!r}")
