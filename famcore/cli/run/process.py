"""A running command: a process group of its own, which is ended as a whole."""

from __future__ import annotations

import contextlib
import glob
import math
import os
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from typing import IO, NamedTuple

from famcore.cli.ends import BY_SIGNAL

#: Seconds between two looks at whether a process group is empty: nothing tells of that.
_LOOK = 0.02
#: States of processes (proc(5)) that are no more.
_GONE = frozenset({b"Z", b"X"})


class Stop(NamedTuple):
    """How a command is ended."""

    #: What its process group is sent.
    number: int
    #: Seconds after which it is sent KILL.
    timeout: float


class Process:
    """Has begun when it is made, and is over when nothing is left of its process group.

    What the command leaves running in its group when it ends is ended with it. For one thread,
    which calls `look` on each SIGCHLD and when `when` says so.
    """

    def __init__(
        self,
        words: Sequence[str],
        environment: Mapping[str, str],
        stdin: IO[bytes] | int,
        stop: Stop,
    ) -> None:
        """Execute `words`. Raises the system's `OSError` if that can't be."""
        # Not in the terminal's foreground group: ^C comes to us alone, who end the command.
        self._popen = subprocess.Popen(words, env=environment, stdin=stdin, process_group=0)
        self._name = words[0]
        self._stop_signal, self._timeout = stop
        #: When (monotonic seconds) the group is sent KILL; None before it is ended.
        self._kill_at: float | None = None
        self._wanted_terminal = False
        #: Whether nothing is left of its process group.
        self.is_over = False
        #: Whether it was ended from here, not by itself.
        self.was_stopped = False

    @property
    def status(self) -> int:
        """Its exit status as shells give it; 0 before it has one."""
        code = self._popen.returncode or 0
        return code if code >= 0 else BY_SIGNAL - code

    def in_words(self) -> str:
        """How it ended."""
        if self._wanted_terminal:
            return "was ended: it wants the terminal, which no command of fam run can have"
        code = self._popen.returncode
        if code >= 0:
            return f"ended with status {code}"
        return f"was ended by signal {-code} ({signal.strsignal(-code)})"

    @property
    def is_ending(self) -> bool:
        """Whether it is being ended, or what it left is."""
        return self._kill_at is not None

    def signal(self, number: int) -> None:
        """Send a signal to the command, not to the rest of its group.

        Raises `PermissionError`, which names it, if it has become another user's, as by sudo.
        """
        # It is not reaped yet, so the number is its own.
        if not self.is_ending:
            with self._named():
                os.kill(self._popen.pid, number)

    def stop(self, now: float) -> None:
        """Begin to end it; a second time does nothing."""
        if not self.is_ending:
            self.was_stopped = True
            self._end(now)

    def hurry(self) -> None:
        """Wait for nothing when it is ended, or is being ended."""
        self._timeout = 0.0
        if self._kill_at is not None:
            self._kill_at = min(self._kill_at, 0.0)

    def _end(self, now: float) -> None:
        self._kill_at = now + self._timeout
        self._send(self._stop_signal)
        # One that is stopped (SIGSTOP, SIGTTIN) would not hear of it.
        self._send(signal.SIGCONT)

    def look(self, now: float) -> None:
        """See what has become of it. Raises as `signal` does, if it can't be killed."""
        if self._popen.returncode is None:
            self._look_at_command(now)
        if self._popen.returncode is not None:
            self._adopt()
            self.is_over = not self._is_anyone_left()
        if not self.is_over and self._kill_at is not None and now >= self._kill_at:
            self._kill_at = math.inf
            # It may be gone since it was looked for.
            with contextlib.suppress(ProcessLookupError), self._named():
                os.killpg(self._popen.pid, signal.SIGKILL)

    def _look_at_command(self, now: float) -> None:
        how = os.WEXITED | os.WSTOPPED | os.WNOHANG | os.WNOWAIT
        found = os.waitid(os.P_PID, self._popen.pid, how)
        if found is None:
            return
        if found.si_code != os.CLD_STOPPED:
            # Not reaped yet, so the number is still its own: what is left of its group is reached.
            if not self.is_ending:
                self._end(now)
            self._popen.poll()
        elif found.si_status in (signal.SIGTTIN, signal.SIGTTOU):
            if self._wanted_terminal:
                # Before it ends it wants it again, as an editor does to clear the screen.
                self.hurry()
            elif not self.is_ending:
                self._wanted_terminal = True
                self._end(now)

    def _is_anyone_left(self) -> bool:
        """Whether anybody of its group is there, but for zombies: not every PID 1 reaps them."""
        if not self._send(0):
            return False
        states = list(_states(self._popen.pid))
        return not states or any(state not in _GONE for state in states)

    def _adopt(self) -> None:
        """Reap those of the group that have become our children, as they do where we are PID 1."""
        with contextlib.suppress(ChildProcessError):
            while os.waitpid(-self._popen.pid, os.WNOHANG) != (0, 0):
                pass

    def when(self, now: float) -> float | None:
        """When (monotonic seconds) to look next, if no SIGCHLD comes; None: not before."""
        if self._kill_at is None or self.is_over:
            return None
        # Those in the group that are not our children end without telling us.
        look = math.inf if self._popen.returncode is None else now + _LOOK
        when = min(self._kill_at, look)
        return None if when == math.inf else when

    @contextlib.contextmanager
    def _named(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            error.filename = f"{self._name} (process {self._popen.pid}) can't be signalled"
            raise

    def _send(self, number: int) -> bool:
        """Send a signal to all in its group; whether anybody is there."""
        try:
            os.killpg(self._popen.pid, number)
        except ProcessLookupError:
            return False
        except PermissionError:  # somebody else's, as by sudo: it may end by itself
            return True
        return True

    def close(self) -> None:
        """End it at once, whatever is left of it, if it is not over."""
        if not self.is_over:
            with contextlib.suppress(OSError):
                os.killpg(self._popen.pid, signal.SIGKILL)
                self._popen.wait()


def _states(group: int) -> Iterator[bytes]:
    """The states of the processes of a group, as far as /proc is there and tells."""
    for path in glob.iglob("/proc/[1-9]*/stat"):
        with contextlib.suppress(OSError), open(path, "rb") as file:
            # After the name, which may have anything in it: state, parent, group.
            state, _, its_group, *_ = file.read().rpartition(b")")[2].split()
            if int(its_group) == group:
                yield state
