"""An instance of a backend in an empty directory, and a report of what was done and said."""

from __future__ import annotations

import contextlib
import os
import selectors
import threading
import time
from collections.abc import Callable, Hashable, Iterable, Sequence
from pathlib import Path
from typing import Any, NoReturn

from famcore.backend import Backend, Capability, Change, Interest, Kind
from famcore.testing.actions import Action, make
from famcore.testing.kit.rules import Rule

#: Seconds to wait for what has to come, besides what the backend says that it takes.
_PATIENCE = 10.0
#: Seconds without a change after which none is to be expected, besides that.
_QUIET = 0.1
#: Lines of a kind that a report shows.
_SHOWN = 40
#: Reads in a row that bring something: whoever goes on for longer never ends.
_READS = 100_000


class RuleBroken(AssertionError):
    """A rule was not kept: the message says which, what was done, what came and what was due."""


class Trial:
    """What a test does with a backend. A context manager, which closes the instance.

    Every change that is read is held against the contract.
    """

    def __init__(self, backend: type[Backend], rule: Rule, place: Path) -> None:
        self.backend = backend
        self.capabilities = backend.capabilities
        self.place = place
        self._rule = rule
        self._done: list[str] = []
        #: What was told since the last `forget`.
        self.came: list[Change] = []
        #: Keys of watches that the backend has ended, and those that were ended here.
        self._gone: set[Hashable] = set()
        self._unwatched: set[Hashable] = set()
        #: Keys that are out.
        self._out: set[Hashable] = set()
        self.instance = backend()
        self._note(f"{backend.__name__}()")

    def __enter__(self) -> Trial:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.instance.close()

    # --- what is done

    def path(self, name: str) -> str:
        """The full path of `name`; "" is the directory itself."""
        return f"{self.place}/{name}" if name else str(self.place)

    def do(self, *actions: Action) -> None:
        """Do something to files."""
        for action in actions:
            self._note(str(action))
            action.run(str(self.place))

    def watch(self, name: str = "", interest: Interest = Interest.ALL) -> Hashable:
        """Watch `name`."""
        __tracebackhide__ = True
        key = self.instance.watch(self.path(name), interest)
        self._note(f"watch({name!r}, Interest.{interest.name}) gave {key!r}")
        self.expect(
            key is not None and isinstance(key, Hashable),
            "a key that is not None and can be kept in a dict",
        )
        is_old = key in self._gone or key in self._unwatched
        self.expect(not is_old, f"a key that was not in use before, as {key!r} was")
        self._out.add(key)
        return key

    def begin(self, name: str = "", interest: Interest = Interest.ALL) -> Hashable:
        """Watch a directory, and wait until it is told of what happens in it.

        A server may take a moment until it listens; one that is exact says that it does.
        """
        __tracebackhide__ = True
        if Capability.EXACT in self.capabilities or Capability.LIVE not in self.capabilities:
            return self.watch(name, interest)
        key = self.watch(name)
        deadline = time.monotonic() + _PATIENCE + 10 * self.backend.latency
        number = 0
        while not any(change.key in (key, None) for change in self.came):
            self.expect(time.monotonic() < deadline, "some change of what is made in it")
            self.do(make(f"{name}/probe{number}" if name else f"probe{number}"))
            number += 1
            self._wait(_QUIET + self.backend.latency)
            self.read()
        self.rest()
        self.forget()
        return self.watch(name, interest) if interest is not Interest.ALL else key

    def unwatch(self, key: Hashable) -> None:
        """End a watch."""
        self._note(f"unwatch({key!r})")
        self.instance.unwatch(key)
        if key not in self._gone:
            self._unwatched.add(key)
        self._out.discard(key)

    # --- what is told

    def forget(self) -> None:
        """Keep nothing of what was told so far."""
        self.came.clear()

    def read(self) -> list[Change]:
        """What one `read` brings."""
        __tracebackhide__ = True
        raw = list(self.instance.read())
        changes = [self._checked(each) for each in raw]
        self.came += changes
        for change in changes:
            self._keep_account(change)
        return changes

    def drain(self) -> list[Change]:
        """Read until there is nothing to be read."""
        __tracebackhide__ = True
        for _ in range(_READS):
            if not self.read():
                break
        else:
            self.fail("reads come to an end when nothing happens any more")
        return self.came

    def rest(self) -> list[Change]:
        """Read until nothing has come for as long as a change may take."""
        __tracebackhide__ = True
        quiet = _QUIET + self.backend.latency
        since = time.monotonic()
        while time.monotonic() - since < quiet:
            self._wait(quiet)
            if self.read():
                since = time.monotonic()
        return self.came

    def until(self, enough: Callable[[Sequence[Change]], object], expected: str) -> list[Change]:
        """Read until what came is enough."""
        __tracebackhide__ = True
        deadline = time.monotonic() + _PATIENCE + 10 * self.backend.latency
        while not (self.read() and enough(self.came)) and not enough(self.came):
            if time.monotonic() > deadline:
                self.fail(expected)
            self._wait(_QUIET)
        return self.came

    def is_readable(self, within: float = 0.0) -> bool:
        """Whether the descriptor is."""
        descriptor = self.instance.fileno()
        if descriptor is None:
            return True
        with selectors.DefaultSelector() as selector:
            selector.register(descriptor, selectors.EVENT_READ)
            return bool(selector.select(within))

    def _wait(self, seconds: float) -> None:
        if self.instance.fileno() is None:
            time.sleep(min(seconds, self.backend.interval, _QUIET))
        else:
            self.is_readable(seconds)

    # --- what it is held against

    def expect(self, holds: object, expected: str) -> None:
        """Report that this was expected, unless it holds."""
        __tracebackhide__ = True
        if not holds:
            self.fail(expected)

    def fail(self, expected: str) -> NoReturn:
        """Report that this was expected."""
        __tracebackhide__ = True
        raise RuleBroken("\n".join(self._report(expected)))

    def told(self, *kinds: Kind, name: str | None = None, key: Hashable = None) -> list[Change]:
        """Those that came of these kinds, of this name and key."""
        return [
            change
            for change in self.came
            if change.kind in kinds
            and (name is None or change.name == name)
            and (key is None or change.key == key)
        ]

    def is_told(self, kind: Kind, key: Hashable, name: str = "") -> bool:
        """Whether this came, or that a look is needed where it can be seen."""
        wanted = (kind, key, name)
        return any(
            change[:3] == wanted or (change.kind is Kind.RESCAN and change.key in (None, key))
            for change in self.came
        )

    def _checked(self, raw: Any) -> Change:
        """What was read, as a change that can be one."""
        __tracebackhide__ = True
        try:
            change = Change(*raw)
            change = change._replace(kind=Kind(change.kind))
        except (TypeError, ValueError):
            self.fail(f"changes of five parts, the first of them a Kind, not {raw!r}")
        where = "" if change.kind is Kind.RESCAN and change.key is None else "/"
        name: object = change.name
        self.expect(
            isinstance(name, str) and not (where and where in name),
            f"the name of an entry as a str, not as in {_said(change)}",
        )
        self.expect(
            change.is_directory in (True, False, None),
            f"is_directory as True, False or None, not as in {_said(change)}",
        )
        self.expect(isinstance(change.cookie, int), f"a number for a cookie in {_said(change)}")
        return change

    def _keep_account(self, change: Change) -> None:
        __tracebackhide__ = True
        key = change.key
        if key is None:
            self.expect(
                change.kind is Kind.RESCAN, f"a key, which only RESCAN need not have: {change}"
            )
            return
        self.expect(
            key not in self._gone, f"nothing of a watch that is gone, as in {_said(change)}"
        )
        # What was told before the end of a watch may have waited to be read.
        if key not in self._unwatched:
            self.expect(
                key in self._out, f"a key that watch has given, not that of {_said(change)}"
            )
        if change.kind is Kind.GONE:
            self._gone.add(key)
            self._out.discard(key)

    # --- the report

    def _note(self, done: str) -> None:
        self._done.append(done.replace(str(self.place), ""))

    def note(self, done: str) -> None:
        """Have the report say that this was done."""
        self._note(done)

    def _report(self, expected: str) -> Iterable[str]:
        yield f"backend {self.backend.name!r}: {self._rule.name}"
        yield f"the rule: {self._rule.text}"
        yield "done:"
        yield from _listed(self._done)
        yield "came:"
        yield from _listed([_said(change) for change in self.came])
        yield f"expected: {expected}"


def _listed(lines: Sequence[str]) -> list[str]:
    """Each on a line of its own; of many the last ones."""
    shown = [f"    {line}" for line in lines[-_SHOWN:]]
    if len(lines) > _SHOWN:
        shown.insert(0, f"    … {len(lines) - _SHOWN} more before these")
    return shown or ["    nothing"]


def _said(change: Change) -> str:
    what = {True: ", a directory", False: "", None: ""}.get(change.is_directory, "")
    cookie = f", cookie {change.cookie}" if change.cookie else ""
    return f"{change.kind.name} {change.name!r} of {change.key!r}{what}{cookie}"


def in_time(function: Callable[[], object], seconds: float) -> bool:
    """Whether `function` returns within `seconds`; it is left to itself if not."""
    errors: list[BaseException] = []

    def call() -> None:
        try:
            function()
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=call, daemon=True)
    thread.start()
    thread.join(seconds)
    if errors:
        raise errors[0]
    return not thread.is_alive()


def descriptors() -> dict[int, str]:
    """The open descriptors of this process → what they are of, where the system tells."""
    found = {}
    for name in os.listdir("/dev/fd"):
        with contextlib.suppress(OSError):
            os.fstat(int(name))
            found[int(name)] = name
            with contextlib.suppress(OSError):
                found[int(name)] = os.readlink(f"/proc/self/fd/{name}")
    return found
