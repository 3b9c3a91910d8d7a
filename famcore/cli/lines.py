"""Events as bytes for stdout: lines for people, JSON, NUL-separated paths, the user's own format.

Each way is a function from a batch and its `Told` to bytes. They run once for each batch and are
hot inside: 10,000s of events a second pass here.
"""

from __future__ import annotations

import os
import re
import string
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

from famcore.events import Event, EventCode
from famcore.jsonlines import json_lines
from famcore.plugins.hooks import did_you_mean


class Told(NamedTuple):
    """What a batch's events have in common."""

    #: The backend's name.
    backend: str
    #: When the batch was delivered, in seconds since the epoch.
    time: float
    #: The full path of each monitor by its request ID.
    monitors: Mapping[int, str]


Lines = Callable[[Sequence[Event], Told], bytes]

TRUTH = {True: "true", False: "false", None: ""}
ESCAPES = {"n": "\n", "t": "\t", "0": "\0", "\\": "\\"}

#: What `--format` and `--json` can tell, in the order that JSON has it.
FIELDS: Mapping[str, Callable[[Event, Told], str]] = {
    "event": lambda event, told: event.action,
    "path": lambda event, told: event.path,
    "filename": lambda event, told: event.filename,
    "monitor": lambda event, told: told.monitors[event.request_id],
    "backend": lambda event, told: told.backend,
    "time": lambda event, told: f"{told.time:.6f}",
    "is_directory": lambda event, told: TRUTH[event.is_directory],
    "moved_from": lambda event, told: event.moved_from or "",
}

#: How codes look on a terminal: the parameters of SGR.
_COLOURS = {
    EventCode.EXISTS: "2",
    EventCode.END_EXIST: "2",
    EventCode.CREATED: "32",
    EventCode.CHANGED: "33",
    EventCode.DELETED: "31",
}

#: Control characters, bytes that are not UTF-8, and what turns or breaks a line on a terminal
#: (bidirectional controls, line and paragraph separator).
_UNSAFE = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)
_SHORT = {"\n": r"\n", "\t": r"\t", "\r": r"\r"}


def harmless(text: str) -> str:
    r"""`text` on one line and without effect on a terminal: `\n`, `\x1b`, `\xff` for a bad byte."""
    return text if text.isprintable() else _UNSAFE.sub(_escape, text)


def escaped(text: str) -> str:
    r"""`text` as `harmless` has it and `\\` for a backslash, so that it can be read back."""
    return harmless(text.replace("\\", r"\\"))


def _escape(found: re.Match[str]) -> str:
    char = found[0]
    code = ord(char)
    if 0xDC80 <= code <= 0xDCFF:  # as os.fsdecode marks the byte code - 0xDC00
        return f"\\x{code - 0xDC00:02x}"
    return _SHORT.get(char) or (f"\\x{code:02x}" if code < 0x80 else f"\\u{code:04x}")


def human(events: Sequence[Event], told: Told) -> bytes:
    """The code and the full path, escaped."""
    return os.fsencode("".join([f"{e.action:<8} {escaped(e.path)}\n" for e in events]))


def on_terminal(directory: str, *, in_colour: bool) -> Lines:
    """The way for people who look at a terminal: paths are relative to `directory` if in it."""
    inside = directory.rstrip("/") + "/"
    codes = {code: f"{code:<8}" for code in EventCode}
    if in_colour:
        codes = {code: f"\x1b[{_COLOURS[code]}m{text}\x1b[m" for code, text in codes.items()}

    def lines(events: Sequence[Event], told: Told) -> bytes:
        shown = [f"{codes[e.action]} {escaped(_seen_from(inside, e.path))}\n" for e in events]
        return os.fsencode("".join(shown))

    return lines


def _seen_from(inside: str, path: str) -> str:
    """`path` without the directory that it is in, which is given with a slash at its end."""
    return "." if f"{path}/" == inside else path.removeprefix(inside) or path


def print0(events: Sequence[Event], told: Told) -> bytes:
    """The full paths, byte by byte as the system has them, each followed by NUL."""
    return os.fsencode("".join([f"{e.path}\0" for e in events]))


def json(events: Sequence[Event], told: Told) -> bytes:
    """An object a line, in ASCII; `path_bytes` (base64) where the path is not UTF-8."""
    return json_lines(events, backend=told.backend, time=told.time)


def formatted(template: str) -> Lines:
    r"""The way that `template` describes: `{field}`, `\n \t \0 \\`, `{{` and `}}` for braces.

    A newline follows unless the template ends with one or with NUL. Names are not escaped.
    Raises `ValueError`, which says what is wrong with the template.
    """
    text = _unescape(template)
    if not text.endswith(("\n", "\0")):
        text += "\n"
    literals = [""]
    fields = []
    for literal, field, spec, conversion in string.Formatter().parse(text):
        literals[-1] += literal
        if field is None:
            continue
        if spec or conversion:
            raise ValueError(f"{{{field}}} takes neither ':' nor '!'")
        if field not in FIELDS:
            raise ValueError(f"unknown field {{{field}}}{suggest(field, FIELDS)}")
        fields.append(FIELDS[field])
        literals.append("")
    pattern = "%s".join(literal.replace("%", "%%") for literal in literals)

    def lines(events: Sequence[Event], told: Told) -> bytes:
        return os.fsencode(
            "".join([pattern % tuple([field(e, told) for field in fields]) for e in events])
        )

    return lines


def _unescape(template: str) -> str:
    def char(found: re.Match[str]) -> str:
        if found[1] not in ESCAPES:
            raise ValueError(rf"unknown escape {found[0]} (there are \n \t \0 \\)")
        return ESCAPES[found[1]]

    return re.sub(r"\\(.?)", char, template, flags=re.DOTALL)


def suggest(word: str, choices: Iterable[str]) -> str:
    """The end of a message about `word`, which is none of `choices`."""
    names = list(choices)
    return did_you_mean(word, names) or f" (there are {', '.join(names)})"
