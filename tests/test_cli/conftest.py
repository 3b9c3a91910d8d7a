"""`fam` as a real process, and plugins installed for one test alone."""

from __future__ import annotations

import fcntl
import importlib.util
import os
import runpy
import select
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

INSTALLING = runpy.run_path(str(Path(__file__).parents[1] / "installing.py"))

DEADLINE = 20.0
BARE = ("famcore", "pluggy", "stevedore", "click", "rich")


class Fam:
    """A running `fam`; whatever is awaited of it fails after `DEADLINE` seconds."""

    def __init__(self, *arguments: Any, python: tuple[str, ...] = (), **popen: Any) -> None:
        pipe = subprocess.PIPE
        options = {"stdin": subprocess.DEVNULL, "stdout": pipe, "stderr": pipe} | popen
        command = [sys.executable, *python, "-m", "famcore.cli", *map(os.fspath, arguments)]
        self.process: subprocess.Popen[Any] = subprocess.Popen(command, **options)
        #: What was read and not returned yet.
        self._out = b""
        self._err = b""

    def _read_until(self, enough: Callable[[], bool]) -> None:
        pipes = [pipe for pipe in (self.process.stdout, self.process.stderr) if pipe]
        deadline = time.monotonic() + DEADLINE
        while not enough():
            readable, _, _ = select.select(pipes, [], [], max(0.0, deadline - time.monotonic()))
            assert readable, f"too late; stdout: {self._out!r}, stderr: {self._err!r}"
            for pipe in readable:
                data = os.read(pipe.fileno(), 65536)
                if not data:
                    pipes.remove(pipe)
                elif pipe is self.process.stdout:
                    self._out += data
                else:
                    self._err += data
            assert pipes or enough(), f"ended; stdout: {self._out!r}, stderr: {self._err!r}"

    def ready(self) -> str:
        """The ready line, once it is there; no line before it."""
        self._read_until(lambda: b"\n" in self._err)
        line, _, self._err = self._err.partition(b"\n")
        assert line.startswith(b"fam: watching "), line
        return line.decode()

    def said(self) -> str:
        """The next line on stderr."""
        self._read_until(lambda: b"\n" in self._err)
        line, _, self._err = self._err.partition(b"\n")
        return line.decode()

    def printed(self) -> bytes:
        """What is on stdout already and was not returned yet."""
        assert self.process.stdout
        while select.select([self.process.stdout], [], [], 0)[0]:
            data = os.read(self.process.stdout.fileno(), 65536)
            if not data:
                break
            self._out += data
        out, self._out = self._out, b""
        return out

    def lines(self, number: int, end: bytes = b"\n") -> list[bytes]:
        """The next `number` lines on stdout."""
        self._read_until(lambda: self._out.count(end) >= number)
        *lines, self._out = self._out.split(end, number)
        return lines

    def end(self) -> tuple[int, bytes, str]:
        """Its exit code and what is left of stdout and stderr, once it has ended by itself."""
        out, err = self.process.communicate(timeout=DEADLINE)
        self._out += out or b""
        self._err += err or b""
        return self.process.returncode, self._out, self._err.decode()

    def close(self) -> None:
        """End it, if it has not ended, and close its pipes."""
        # By TERM first: what `fam run` has started and written goes with it.
        self.process.terminate()
        try:
            self.process.wait(DEADLINE / 4)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        for pipe in (self.process.stdout, self.process.stderr):
            if pipe:
                pipe.close()


@pytest.fixture
def fam() -> Iterator[Callable[..., Fam]]:
    """Start `fam` with the arguments given."""
    running: list[Fam] = []

    def start(*arguments: Any, **popen: Any) -> Fam:
        running.append(Fam(*arguments, **popen))
        return running[-1]

    yield start
    for each in running:
        each.close()


class Terminal:
    """A terminal for one `fam`, which leads its session as a login shell would."""

    def __init__(self, fam: Callable[..., Fam]) -> None:
        self._fam = fam
        self._master, self._slave = os.openpty()
        self._shown = b""

    def start(self, *arguments: Any, **options: Any) -> Fam:
        """Start `fam` on it; `options` may lead some of its ends elsewhere."""
        slave = self._slave

        def control() -> None:
            fcntl.ioctl(slave, termios.TIOCSCTTY, 0)

        ends = {"stdin": slave, "stdout": slave, "stderr": slave} | options
        return self._fam(*arguments, start_new_session=True, preexec_fn=control, **ends)

    def line(self, text: str) -> str:
        """The first line that has `text` in it, once it is there."""
        deadline = time.monotonic() + DEADLINE
        while True:
            for line in self._shown.decode().split("\r\n")[:-1]:
                if text in line:
                    return line
            left = max(0.0, deadline - time.monotonic())
            assert select.select([self._master], [], [], left)[0], self._shown
            self._shown += os.read(self._master, 65536)

    @property
    def shown(self) -> str:
        """All that it has shown up to the line that was waited for last."""
        return self._shown.decode()

    def press(self, keys: bytes) -> None:
        """Type something."""
        os.write(self._master, keys)

    def close(self) -> None:
        """Its window is closed, its line is cut."""
        for end in (self._slave, self._master):
            if end >= 0:
                os.close(end)
        self._master = self._slave = -1


@pytest.fixture
def terminal(fam: Callable[..., Fam], monkeypatch: pytest.MonkeyPatch) -> Iterator[Terminal]:
    """A terminal, and no setting but its own."""
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    terminal = Terminal(fam)
    yield terminal
    terminal.close()


@pytest.fixture
def install(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Install a plugin of one module for the processes that the test starts."""

    def install(group: str, name: str, source: str, attribute: str = "") -> None:
        site = INSTALLING["Site"](tmp_path_factory.mktemp("site"))
        target = {"module": f"plugin_{name}", "attribute": attribute and f":{attribute}"}
        site.install(name, source, group=group, **target)
        others = os.environ.get("PYTHONPATH", "")
        monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, (str(site.folder), others))))

    return install


@pytest.fixture
def bare(fam: Any, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Fam]:
    """Start `fam` where famcore and what it needs is installed, and what `install` adds."""
    site = tmp_path_factory.mktemp("bare")
    for name in BARE:
        spec = importlib.util.find_spec(name)
        assert spec is not None
        assert spec.submodule_search_locations is not None
        (site / name).symlink_to(spec.submodule_search_locations[0])

    def start(*arguments: Any) -> Fam:
        path = os.pathsep.join(filter(None, (str(site), os.environ.get("PYTHONPATH", ""))))
        environment = os.environ | {"PYTHONPATH": path}
        started: Fam = fam(*arguments, python=("-S",), env=environment, cwd=site)
        return started

    return start


@pytest.fixture
def spot(tmp_path: Path) -> Path:
    """An empty directory to be watched."""
    spot = tmp_path / "spot"
    spot.mkdir()
    return spot
