"""Much at once, and anything at all: no name is missing by the events, none too many."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from famcore.backend import Backend, Capability
from famcore.testing import chaos
from famcore.testing.actions import Action, make_all, make_directory, remove_tree, rename
from famcore.testing.kit.base import Kit
from famcore.testing.kit.rules import Rule, needs
from famcore.testing.kit.trial import RuleBroken
from famcore.testing.oracle import Round
from famcore.testing.recorder import Recorder

#: Files made in one burst; fewer on a late backend, and where each of them is watched.
_FILES, _FEWER = 20_000, 5_000
#: Random operations of a round, and the seeds of the rounds; a late backend plays the first.
_OPERATIONS, _SEEDS = 8_000, range(3)
#: Lines of a report.
_SHOWN = 100
#: Rounds at most where a server ends, and seconds that it has to be there again.
_ATTEMPTS, _RESTART = 3, 1.0
#: How often directories go and come.
_TIMES = 20


class StormsTests(Kit):
    """The fold, whatever happens."""

    @pytest.fixture
    def recorder(self, usable: type[Backend]) -> Iterator[Recorder]:
        """Monitors on the backend."""
        with Recorder(usable, ()) as recorder:
            yield recorder

    @needs(Capability.LIVE)
    def test_thousands_of_files_at_once_are_told(
        self, recorder: Recorder, rule: Rule, usable: type[Backend], tmp_path: Path
    ) -> None:
        """The names that events leave standing are the names on disk, after bursts too."""
        has_room = Capability.CONTENTS in usable.capabilities and not usable.latency
        files = _FILES if has_room else _FEWER
        for recursive in (False, True):
            recorder.monitor(tmp_path, recursive=recursive)
        recorder.rest()
        _storm(recorder, rule, usable, tmp_path, [make_directory("d"), make_all("{}", files)])
        names = [make_all("d/{}", files // 10), rename("d", "e")]
        _storm(recorder, rule, usable, tmp_path, [*names, *map(_remove, range(0, files, 2))])

    @needs(Capability.LIVE)
    def test_directories_that_vanish_at_once_are_told(
        self, recorder: Recorder, rule: Rule, usable: type[Backend], tmp_path: Path
    ) -> None:
        """The names that events leave standing are the names on disk, whatever has vanished."""
        recorder.monitor(tmp_path, recursive=True)
        recorder.rest()
        actions: list[Action] = []
        for number in range(_TIMES):
            top, new = f"d{number}", f"e{number}"
            tree = [make_directory(top), make_directory(f"{top}/s"), make_all(f"{top}/s/{{}}", 10)]
            actions += tree
            actions += [remove_tree(top)] if number % 2 else [rename(top, new)]
            actions += [*tree, remove_tree(top)] if number % 3 else tree
        _storm(recorder, rule, usable, tmp_path, actions)

    @needs(Capability.LIVE)
    def test_random_operations_are_told(
        self, usable: type[Backend], rule: Rule, tmp_path: Path
    ) -> None:
        """The names that events leave standing are the names on disk, after whatever was done."""
        for seed in _SEEDS[:1] if usable.latency else _SEEDS:
            wrongs = _play(usable, seed, tmp_path)
            if wrongs:
                done = f"done: {_OPERATIONS:,} random operations, by the seed {seed}"
                raise RuleBroken("\n".join([*_head(usable, rule), done, *_wrong(wrongs)]))


def _play(backend: type[Backend], seed: int, place: Path) -> list[str]:
    """What does not hold after a round; another is played where a server ended meanwhile."""
    wrongs: list[str] = []
    for attempt in range(_ATTEMPTS):
        spot = place / f"{seed}-{attempt}"
        chaos.prepare(spot)
        round_ = Round(spot, seed, backend)
        with round_.recorder:
            wrongs = list(round_.run(_OPERATIONS)) or list(round_.end())
        if not (wrongs and round_.recorder.is_source_lost):
            break
        time.sleep(_RESTART)
    return wrongs


def _remove(number: int) -> Action:
    return Action(f"remove {number}", lambda root: Path(root, str(number)).unlink())


def _storm(
    recorder: Recorder, rule: Rule, backend: type[Backend], place: Path, actions: list[Action]
) -> None:
    """Do it in a thread, and deliver meanwhile."""
    __tracebackhide__ = True
    recorder.forget()
    failed: list[BaseException] = []

    def work() -> None:
        try:
            for action in actions:
                action.run(str(place))
        except BaseException as error:
            failed.append(error)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    while thread.is_alive():
        recorder.fam.handle_events(0.01)
    if failed:
        raise failed[0]
    recorder.rest(lambda: not _wrongs(recorder))
    wrongs = _wrongs(recorder)
    if wrongs:
        done = ", ".join(map(str, actions[:20]))
        raise RuleBroken("\n".join([*_head(backend, rule), f"done: {done}…", *_wrong(wrongs)]))


def _wrongs(recorder: Recorder) -> list[str]:
    """What does not hold. That a server ended, and what was not heard then, is found on disk."""
    if recorder.is_source_lost:
        recorder.breaches.clear()
    return list(recorder.wrongs())


def _head(backend: type[Backend], rule: Rule) -> list[str]:
    return [f"backend {backend.name!r}: {rule.name}", f"the rule: {rule.text}"]


def _wrong(wrongs: list[str]) -> list[str]:
    return [*wrongs[:_SHOWN], "expected: what stands by the events is what is on disk"]
