"""The runs of the command, one after the other: when the next begins, and with which changes."""

from __future__ import annotations

import errno
import os
import subprocess
from collections.abc import Callable, Iterable, Sequence

from famcore.cli.ends import BY_SIGNAL, NOT_EXECUTABLE, NOT_FOUND
from famcore.cli.run.backlog import Backlog
from famcore.cli.run.batch import Batch
from famcore.cli.run.handout import Handout
from famcore.cli.run.manner import Busy, Manner
from famcore.cli.run.process import Process
from famcore.cli.run.row import Row
from famcore.cli.run.words import Words
from famcore.cli.say import say, say_error
from famcore.events import Event

#: Seconds within which a command that is restarted for what it does itself will have done it.
_SOON = 1.0


class Runs:
    """Starts the command when changes have come to rest, and never while it runs.

    For one thread, which calls `step` when `when` says so and on each SIGCHLD. Times are monotonic
    seconds.
    """

    def __init__(
        self,
        words: Words,
        manner: Manner,
        handout: Handout,
        lines: Callable[[Batch], Iterable[bytes]],
    ) -> None:
        """`lines`: a batch as the command reads it."""
        self._words = words
        self._manner = manner
        self._handout = handout
        self._lines = lines
        self._backlog = Backlog(manner.patience)
        self._row = Row()
        #: Whether all is monitored.
        self._may_begin = False
        #: The run that is under way, and what it was told.
        self._process: Process | None = None
        self._told = Batch()
        #: What it was sent a signal for.
        self._signalled = Batch()
        #: What it was to be sent a signal for, and had ended.
        self._unheard = Batch()
        self._began_at = self._ended_at = 0.0
        #: Until when changes are those that were made while the command ran, under `Busy.IGNORE`.
        self._deaf_until = 0.0
        #: Seconds until a change is told.
        self.latency = 0.0
        #: Whether the command could be executed, ever.
        self._has_begun = False
        #: The status of the first part that failed.
        self._status = 0
        #: The exit code, once it is known: no run begins from then on.
        self._code: int | None = None

    @property
    def code(self) -> int | None:
        """The exit code, once nothing runs any more."""
        return self._code if self._process is None else None

    @property
    def is_ending(self) -> bool:
        """Whether no run begins any more."""
        return self._code is not None

    @property
    def is_idle(self) -> bool:
        """Whether the command neither runs nor is going to, if nothing comes."""
        return self._may_begin and self._process is None and self._backlog.due_at() is None

    def begin(self) -> None:
        """Have the first run, unless it is postponed or there are no paths to give it yet."""
        self._may_begin = True
        if not (self._manner.postpone or self._words.takes_paths):
            self._backlog.wait_no_longer()

    def add(self, events: Sequence[Event], now: float) -> None:
        """Take in changes."""
        is_deaf = self._process is not None or now < self._deaf_until
        if not (self._manner.busy is Busy.IGNORE and is_deaf):
            self._backlog.add(events, now)

    def step(self, now: float) -> None:
        """Do what is to be done now."""
        if self._process is not None:
            self._process.look(now)
            if self._process.is_over:
                self._ended(self._process, now)
        if self._code is not None:
            if self._process is not None:
                self._process.stop(now)
        elif self._is_due(now):
            if self._process is None:
                self._start(now)
            else:
                self._while_busy(self._process, now)

    def when(self, now: float) -> float | None:
        """When to do the next step, if nothing comes; None: not before."""
        due_at = self._due_at()
        if self._process is None:
            return None if self.is_ending else due_at
        if self._process.is_ending:
            return self._process.when(now)
        return due_at if self._manner.busy in (Busy.RESTART, Busy.SIGNAL) else None

    def stop(self, code: int) -> None:
        """Have no further run and end the one under way; `code` is the exit code."""
        if self._code is None:
            self._code = code

    def hurry(self) -> None:
        """Wait for nothing when the run under way is ended, or is being ended."""
        if self._process is not None:
            self._process.hurry()

    def close(self) -> None:
        """End a run that is under way, at once: it is over then."""
        if self._process is not None:
            self._process.close()
            self._process = None

    def _due_at(self) -> float | None:
        """When to begin a run, or to tell the one under way; None if nothing came for that."""
        if not self._may_begin:
            return None
        return self._backlog.due_at() if self._process is None else self._backlog.rests_at()

    def _is_due(self, now: float) -> bool:
        due_at = self._due_at()
        return due_at is not None and due_at <= now

    def _while_busy(self, process: Process, now: float) -> None:
        """What came has come to rest, and the command runs."""
        if process.is_ending:
            return
        if self._manner.busy is Busy.RESTART:
            process.stop(now)
        elif self._manner.busy is Busy.SIGNAL:
            self._signal(process, now)

    def _signal(self, process: Process, now: float) -> None:
        news = self._backlog.take_news()
        self._handout.write(self._lines(news))
        process.signal(self._manner.signal)
        process.look(now)
        if process.is_ending:  # it had ended before that
            self._unheard = news
        else:
            self._signalled.add_all(news)

    def _start(self, now: float) -> None:
        came_meanwhile = self._backlog.has_news and self._backlog.first_at < self._ended_at
        if self._manner.busy is Busy.RESTART and self._backlog.first_at - self._began_at > _SOON:
            came_meanwhile = False  # a server runs all the time
        if not self._backlog.has_parts:
            self._row.add(came_meanwhile=came_meanwhile)
        self._began_at = now
        self._told = self._backlog.take(self._split)
        self._signalled, self._unheard = Batch(), Batch()
        self._handout.begin(self._lines(self._told))
        try:
            self._process = self._execute()
            self._has_begun = True
        except OSError as error:
            self._not_started(error)

    def _split(self, batch: Batch) -> list[Batch]:
        if not self._words.takes_paths:
            return [batch]
        return batch.split(self._words.room(self._handout.environment(batch.count)))

    def _execute(self) -> Process:
        words = self._words.with_paths(self._told.paths())
        environment = self._handout.environment(self._told.count)
        stop = self._manner.stop
        if not self._manner.stdin:
            return Process(words, environment, subprocess.DEVNULL, stop)
        with open(self._handout.file, "rb") as events:
            return Process(words, environment, events, stop)

    def _not_started(self, error: OSError) -> None:
        """The system doesn't execute it: that is the end, or what is there is being replaced."""
        # The system names nothing where it refuses a pipe or a fork.
        error.filename = error.filename or self._words.name
        say_error(error)
        if error.errno == errno.ENOENT and os.path.exists(error.filename):
            say("it is there: the interpreter that its first line names is not")
        elif error.errno == errno.ENOEXEC:
            say("its first line names no interpreter: begin it with #!, or give --shell")
        status = NOT_FOUND if isinstance(error, FileNotFoundError) else NOT_EXECUTABLE
        self._handout.end()
        self._backlog.owe_with_parts(self._told)
        if not self._has_begun:
            self._code = status
        else:
            self._note_status(status)

    def _ended(self, process: Process, now: float) -> None:
        self._process = None
        self._handout.end()
        self._ended_at = now
        # Once for what is told that late, once for what is found by looking after that.
        self._deaf_until = now + 2 * self.latency
        if process.was_stopped:
            self._backlog.owe_with_parts(self._told)
            self._backlog.wait_no_longer()
            return
        if process.status:
            say(f"{self._words.name} {process.in_words()}")
        if process.status == BY_SIGNAL + self._manner.signal:
            self._backlog.owe(self._signalled)
        self._backlog.owe(self._unheard)
        if self._backlog.is_owing:
            self._backlog.wait_no_longer()
        self._note_status(process.status)

    def _note_status(self, status: int) -> None:
        self._status = self._status or status
        if self._manner.once and not self._backlog.has_parts:
            self._code = self._status
