"""Much at once, and anything at all: no name is missing by the events, none too many."""

from __future__ import annotations

import os
import threading
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

#: Files made in one burst; on a late backend a part, and where a watch is spent on each.
_FILES, _FEWER = 20_000, 5_000
#: Random operations of a round, and the seeds of the rounds; a late backend plays the first.
_OPERATIONS, _SEEDS = 8_000, range(3)
#: Lines of a report.
_SHOWN = 100
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
        files = _FEWER if usable.latency else _FILES
        if Capability.CONTENTS not in usable.capabilities:
            files = min(_FEWER, os.sysconf("SC_OPEN_MAX") // 4)
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
            place = tmp_path / str(seed)
            chaos.prepare(place)
            round_ = Round(place, seed, usable)
            with round_.recorder:
                wrongs = list(round_.run(_OPERATIONS)) or list(round_.end())
            if wrongs:
                raise RuleBroken(
                    "\n".join(
                        [
                            *_head(usable, rule),
                            f"done: {_OPERATIONS:,} operations of the seed {seed}",
                            *_wrong(wrongs),
                        ]
                    )
                )


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
    recorder.rest(lambda: not list(recorder.wrongs()))
    wrongs = list(recorder.wrongs())
    if wrongs:
        done = ", ".join(map(str, actions[:20]))
        raise RuleBroken("\n".join([*_head(backend, rule), f"done: {done}…", *_wrong(wrongs)]))


def _head(backend: type[Backend], rule: Rule) -> list[str]:
    return [f"backend {backend.name!r}: {rule.name}", f"the rule: {rule.text}"]


def _wrong(wrongs: list[str]) -> list[str]:
    return [*wrongs[:_SHOWN], "expected: what stands by the events is what is on disk"]
