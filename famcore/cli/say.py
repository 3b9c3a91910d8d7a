"""What `fam` says beside the events: lines on stderr that begin with `fam: `."""

from __future__ import annotations

import contextlib
import logging
import sys
import traceback

from famcore.cli.lines import harmless

#: Return to the first column, and erase what is right of it (ECMA-48).
_BEGIN, _ERASE = "\r", "\x1b[K"


class _Passing:
    """What stands on the terminal's last line, until something else is said."""

    is_there = False


def say(*lines: str) -> None:
    """Write `lines` to stderr; if nobody can read them, go on without."""
    erase_passing()
    _write("".join(f"fam: {harmless(line)}\n" for line in lines))


def say_in_passing(line: str) -> None:
    """Write `line` in the place of what was said in passing before. For terminals."""
    _write(f"{_BEGIN}fam: {harmless(line)}{_ERASE}")
    _Passing.is_there = True


def erase_passing() -> None:
    """Leave nothing of what was said in passing."""
    if _Passing.is_there:
        _Passing.is_there = False
        _write(_BEGIN + _ERASE)


def _write(text: str) -> None:
    # sys.stderr is None if the descriptor was closed when the interpreter started.
    if sys.stderr is not None:
        with contextlib.suppress(OSError):
            sys.stderr.write(text)
            sys.stderr.flush()


def say_error(error: Exception) -> None:
    """Say what went wrong, in the words of the system or of famcore, without a traceback."""
    if isinstance(error, OSError) and error.strerror:
        say(f"{error.filename}: {error.strerror}" if error.filename else error.strerror)
    else:
        say(*(str(error) or type(error).__name__).split("\n"))


class LogLines(logging.Handler):
    """The log on stderr: an exception by its type, its message and the line it came from."""

    def emit(self, record: logging.LogRecord) -> None:
        """Say one record."""
        text = record.getMessage()
        error = record.exc_info[1] if record.exc_info else None
        if error is not None:
            said = "".join(traceback.format_exception_only(error)).strip()
            *_, last = traceback.extract_tb(error.__traceback__) or [None]
            text += f": {said}" + (f" ({last.filename}:{last.lineno})" if last else "")
        say(text)
