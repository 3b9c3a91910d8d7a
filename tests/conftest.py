"""What tests of a running `FileMonitor` share: one on real files, and waiting by a deadline."""

from __future__ import annotations

import os
import runpy
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest

import famcore
from famcore.backend import Backend
from famcore.testing import NotHere, Scenario, run

INSTALLING = runpy.run_path(str(Path(__file__).with_name("installing.py")))

#: Seconds. What has not come by then never will, however busy the machine is.
DEADLINE = 60.0


class TooLate(BaseException):
    """Raised in a test that waits for ever; no `Exception`, for handlers' failures are caught."""


@pytest.fixture
def deadline() -> Iterator[None]:
    """Have the test fail if it takes too long, whatever it waits for."""

    def give_up(number: int, frame: object) -> None:
        raise TooLate(f"not done after {DEADLINE:g} s")

    before = signal.signal(signal.SIGUSR2, give_up)
    main = threading.main_thread().ident
    assert main is not None
    timer = threading.Timer(DEADLINE, signal.pthread_kill, (main, signal.SIGUSR2))
    timer.daemon = True
    timer.start()
    yield
    timer.cancel()
    timer.join()
    signal.signal(signal.SIGUSR2, before)


@pytest.fixture
def spot(tmp_path: Path) -> Path:
    """An empty directory to be monitored."""
    spot = tmp_path / "spot"
    spot.mkdir()
    return spot


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A folder to install distributions in, with nothing else that is installed in sight."""
    site = INSTALLING["Site"](tmp_path / "site")
    bare = [path for path in sys.path if not any(Path(path).glob("*.dist-info"))]
    monkeypatch.setattr(sys, "path", [str(site.folder), *bare])
    monkeypatch.delenv("FAM_BACKEND", raising=False)
    yield site
    for module in site.imported():
        del sys.modules[module]


@pytest.fixture
def carry_out(tmp_path: Path) -> Callable[[Scenario, type[Backend]], None]:
    """Carry out a scenario."""

    def carry_out(scenario: Scenario, backend: type[Backend]) -> None:
        __tracebackhide__ = True
        if not scenario.applies_to(backend):
            pytest.skip(f"it needs {scenario.needs & ~backend.capabilities}")
        try:
            run(scenario, backend, tmp_path)
        except NotHere as reason:
            pytest.skip(str(reason))

    return carry_out


@pytest.fixture
def make_fam(
    deadline: None, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., famcore.FileMonitor]]:
    """Make a `FileMonitor`, by default on the best live backend here, shut down at the end."""
    monkeypatch.delenv("FAM_BACKEND", raising=False)
    made: list[famcore.FileMonitor] = []

    def make(**options: Any) -> famcore.FileMonitor:
        made.append(famcore.FileMonitor(**options))
        return made[-1]

    yield make
    for fam in made:
        fam.shutdown()


class Told:
    """A consumer: what it is told beside events, in order."""

    def __init__(self) -> None:
        self.calls: list[tuple[Any, ...]] = []

    @famcore.hookimpl
    def fam_degraded(self, path: str, reason: str) -> None:
        self.calls.append(("degraded", path, reason))

    @famcore.hookimpl
    def fam_restored(self, path: str) -> None:
        self.calls.append(("restored", path))

    @famcore.hookimpl
    def fam_resynced(self, reason: str, count: int) -> None:
        self.calls.append(("resynced", reason, count))

    @famcore.hookimpl
    def fam_error(self, plugin_name: str, error: BaseException) -> None:
        self.calls.append(("error", plugin_name, error))

    def of(self, what: str) -> list[tuple[Any, ...]]:
        """What came with each call of that kind."""
        return [call[1:] for call in self.calls if call[0] == what]

    @property
    def degraded(self) -> list[str]:
        return [path for path, _ in self.of("degraded")]

    @property
    def restored(self) -> list[str]:
        return [path for (path,) in self.of("restored")]


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
def fam(make_fam: Callable[..., famcore.FileMonitor]) -> famcore.FileMonitor:
    """One that is not started."""
    return make_fam()


@pytest.fixture
def pump() -> Callable[[famcore.FileMonitor, Callable[[], object]], None]:
    """Deliver events until something holds."""

    def pump(fam: famcore.FileMonitor, enough: Callable[[], object]) -> None:
        deadline = time.monotonic() + DEADLINE
        while not enough():
            assert time.monotonic() < deadline, "too late"
            fam.handle_events(0.05)

    return pump


@pytest.fixture
def until() -> Callable[[Callable[[], object]], None]:
    """Wait until something holds that another thread brings about."""

    def until(holds: Callable[[], object]) -> None:
        deadline = time.monotonic() + DEADLINE
        while not holds():
            assert time.monotonic() < deadline, "too late"
            time.sleep(0.001)

    return until


@pytest.fixture
def is_readable() -> Callable[..., bool]:
    """Whether the descriptor of a `FileMonitor` is readable, within so many seconds."""

    def is_readable(fam: famcore.FileMonitor, within: float = 0.0) -> bool:
        poll = select.poll()
        poll.register(fam.fileno(), select.POLLIN)
        return bool(poll.poll(within * 1000))

    return is_readable


@pytest.fixture
def background() -> Callable[..., Callable[[], Any]]:
    """Call a function in a thread; what is returned waits for it and gives its result."""

    def begin(function: Callable[..., Any], *arguments: Any) -> Callable[[], Any]:
        future: Future[Any] = Future()

        def work() -> None:
            try:
                future.set_result(function(*arguments))
            except BaseException as error:
                future.set_exception(error)

        threading.Thread(target=work, daemon=True).start()
        return lambda: future.result(DEADLINE)

    return begin


@pytest.fixture
def script() -> Callable[..., list[str]]:
    """Run a Python program in a process of its own; the lines that it prints."""

    def run(source: str, *arguments: object, python: tuple[str, ...] = ()) -> list[str]:
        done = subprocess.run(
            [sys.executable, *python, "-W", "error", "-c", source, *map(str, arguments)],
            capture_output=True,
            text=True,
            timeout=DEADLINE,
            env={name: value for name, value in os.environ.items() if name != "FAM_BACKEND"},
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.splitlines()

    return run
