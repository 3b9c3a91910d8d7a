"""Events as JSON, an object a line: what `fam watch --json` prints, for consumers that keep it."""

from __future__ import annotations

import base64
import os
from collections.abc import Sequence
from json.encoder import encode_basestring_ascii as quoted

from famcore.events import Event, monitored_path

__all__ = ["json_lines"]

_TRUTH = {True: "true", False: "false", None: "null"}


def json_lines(events: Sequence[Event], *, backend: str, time: float) -> bytes:
    """`events`, an object a line, in ASCII: for a file, a pipe, a socket.

    The fields: `event path filename monitor backend time is_directory moved_from`. `monitor` is the
    path of its monitor, `backend` a name, `time` seconds since the epoch. Where a name is not UTF-8
    U+FFFD stands for what is not, and `path_bytes` has the whole path in base64.

    Hot: the loop is gone through once for every event.
    """
    tail = f', "backend": {quoted(backend)}, "time": {time:.6f}, "is_directory": '
    monitors: dict[int, str] = {}
    lines = []
    for event in events:
        path = event.path
        old = event.moved_from
        exact = "" if path.isascii() else _path_bytes(path)
        monitor = monitors.get(event.request_id)
        if monitor is None:
            monitor = monitors[event.request_id] = _text(monitored_path(event))
        lines.append(
            f'{{"event": "{event.action}", "path": {_text(path)}, '
            f'"filename": {_text(event.filename)}, "monitor": {monitor}'
            f'{tail}{_TRUTH[event.is_directory]}, "moved_from": {_text(old) if old else "null"}'
            f"{exact}}}\n"
        )
    return "".join(lines).encode("ascii")


def _text(text: str) -> str:
    """`text` as JSON; U+FFFD for invalid bytes, since lone surrogates stop strict parsers."""
    if text.isascii():
        return quoted(text)
    return quoted(text.encode("utf-8", "surrogateescape").decode("utf-8", "replace"))


def _path_bytes(path: str) -> str:
    try:
        path.encode("utf-8")
    except UnicodeEncodeError:
        return f', "path_bytes": "{base64.b64encode(os.fsencode(path)).decode("ascii")}"'
    return ""
