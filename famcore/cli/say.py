"""What `fam` says beside the events: lines on stderr that begin with `fam: `."""

from __future__ import annotations

import contextlib
import logging
import sys
import traceback

from famcore.cli.lines import harmless


def say(*lines: str) -> None:
    """Write `lines` to stderr; if nobody can read them, go on without."""
    # sys.stderr is None if the descriptor was closed when the interpreter started.
    if sys.stderr is not None:
        with contextlib.suppress(OSError):
            sys.stderr.write("".join(f"fam: {harmless(line)}\n" for line in lines))
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
