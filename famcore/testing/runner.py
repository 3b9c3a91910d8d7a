"""Scenarios carried out on real files, and a report of what was not as it should be."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from famcore.backend import Backend
from famcore.events import Event
from famcore.testing.actions import Action, NotHere
from famcore.testing.expected import Element, Told, end_exist, exists, fits, in_any_order
from famcore.testing.fold import names_on_disk
from famcore.testing.recorder import Log, Recorder
from famcore.testing.scenario import On, Scenario, Step

#: Events of a list that a report shows.
_SHOWN = 50


class ScenarioFailed(AssertionError):
    """A rule was not kept: the message says which, what was done, what came and what was due."""

    #: The backend's source was lost meanwhile: its server ended, say.
    is_source_lost = False


def run(scenario: Scenario, backend: type[Backend], directory: str | os.PathLike[Any]) -> None:
    """Carry out `scenario` in the empty `directory`, on one backend.

    Raises `ScenarioFailed`, or `NotHere` if the system can't do what the scenario does.
    """
    __tracebackhide__ = True
    _Run(scenario, backend, os.fsdecode(directory)).run()


class _Run:
    def __init__(self, scenario: Scenario, backend: type[Backend], root: str) -> None:
        self._scenario = scenario
        self._backend = backend
        self._root = root
        self._logs: dict[str, Log] = {}
        self._recorder = Recorder(backend, scenario.ignore)

    def run(self) -> None:
        __tracebackhide__ = True
        self._do(self._scenario.given)
        with self._recorder:
            first = Step((), {}, monitors=self._scenario.monitors)
            self._step("the monitors are set", first, self._scenario.begins)
            for number, step in enumerate(self._scenario.steps, 1):
                for name in step.removed:
                    self._recorder.remove(self._logs.pop(name))
                self._do(step.actions)
                removed = [f"remove monitor {name}" for name in step.removed]
                done = ", ".join([*removed, *map(str, step.actions)]) or "nothing"
                self._step(f"step {number}: {done}", step, step.told)

    def _do(self, actions: Iterable[Action]) -> None:
        for action in actions:
            action.run(self._root)

    def _step(self, done: str, step: Step, told: Mapping[str, Sequence[Element]] | None) -> None:
        __tracebackhide__ = True
        self._recorder.forget()
        for name, on in step.monitors.items():
            self._logs[name] = self._set(on)
        if told is None:
            told = {name: self._on_disk(on) for name, on in step.monitors.items()}
        wanted = told

        def as_wanted() -> bool:
            return all(
                fits(self._came(log), wanted.get(name, ()), self._backend.capabilities)
                for name, log in self._logs.items()
            )

        def is_done() -> bool:
            overflown = self._scenario.is_burst and bool(self._recorder.resynced)
            return (overflown or as_wanted()) and not list(self._recorder.wrongs())

        self._recorder.rest(is_done)
        wrongs = list(self._recorder.wrongs())
        if not self._in_order(step):
            wrongs.append("the monitors' events are not in the order that is due")
        if wrongs or not as_wanted():
            if is_done():
                raise NotHere(f"a burst was too much: {', '.join(self._recorder.resynced)}")
            failed = ScenarioFailed("\n".join(self._report(done, step, wanted, wrongs)))
            failed.is_source_lost = self._recorder.is_source_lost
            raise failed

    def _set(self, on: On) -> Log:
        path = f"{self._root}/{on.path}" if on.path else self._root
        return self._recorder.monitor(path, recursive=on.recursive)

    def _on_disk(self, on: On) -> Sequence[Element]:
        """What a new monitor is told."""
        path = f"{self._root}/{on.path}".rstrip("/")
        itself = self._abbreviated(path)
        names = names_on_disk(path, self._scenario.ignore, recursive=on.recursive)
        entries = [exists(name) for name in names if name]
        begin = [exists(itself)] if names else []
        return (*begin, in_any_order(*entries), end_exist(itself))

    # --- what came

    def _abbreviated(self, filename: str) -> str:
        if filename.startswith(self._root):
            return "/" + filename.removeprefix(self._root).lstrip("/")
        return filename

    def _told(self, event: Event) -> Told:
        return Told(event.action, self._abbreviated(event.filename), event.moved_from)

    def _came(self, log: Log) -> list[Told]:
        return [self._told(event) for event in log.events]

    def _in_order(self, step: Step) -> bool:
        names = {log: name for name, log in self._logs.items()}
        came = ((names[log], self._told(event)) for log, event in self._recorder.sequence)
        said = ((name, told.action, told.filename) for name, told in came)
        return all((name, told.action, told.filename) in said for name, told in step.order)

    # --- the report

    def _report(
        self,
        done: str,
        step: Step,
        wanted: Mapping[str, Sequence[Element]],
        wrongs: Iterable[str],
    ) -> Iterable[str]:
        scenario, capabilities = self._scenario, self._backend.capabilities
        yield f"backend {self._backend.name!r}: {scenario.name}"
        yield f"the rule: {scenario.rule}"
        if scenario.given:
            yield f"given:    {', '.join(map(str, scenario.given))}"
        yield done
        for name, log in self._logs.items():
            came = self._came(log)
            due = wanted.get(name, ())
            verdict = "as it should" if fits(came, due, capabilities) else "NOT as it should"
            yield f"monitor {name} on {self._abbreviated(log.path)} was told, {verdict}:"
            yield from _listed(came)
            yield "  and was to be told:"
            yield from _listed(due)
        if step.order:
            yield "in this order:"
            yield from (f"    {name}: {told}" for name, told in step.order)
        for wrong in wrongs:
            yield f"WRONG: {wrong}"


def _listed(lines: Sequence[object]) -> list[str]:
    shown = [f"    {line}" for line in lines[:_SHOWN]]
    if len(lines) > _SHOWN:
        shown.append(f"    … and {len(lines) - _SHOWN} more")
    return shown or ["    nothing"]
