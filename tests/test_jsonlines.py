"""Events as JSON lines, which consumers and `fam watch --json` share."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from famcore.events import Event, EventCode, Monitor, make_event
from famcore.jsonlines import json_lines

MONITOR = Monitor(7, "/spot", None, recursive=False)
TOLD: dict[str, Any] = {"backend": "inotify", "time": 1700000000.25}


def told(name: str, action: str = "created", **more: Any) -> Event:
    """The event of `name` in the monitored directory."""
    return make_event(MONITOR, name, EventCode(action), more.pop("is_directory", False), **more)


def test_a_json_line_has_all_fields_in_order() -> None:
    (line,) = json_lines([told("new", moved_from="old")], **TOLD).splitlines()
    assert list(json.loads(line).items()) == [
        ("event", "created"),
        ("path", "/spot/new"),
        ("filename", "new"),
        ("monitor", "/spot"),
        ("backend", "inotify"),
        ("time", 1700000000.25),
        ("is_directory", False),
        ("moved_from", "old"),
    ]


def test_a_json_line_says_null_for_what_is_not_known() -> None:
    entry = json.loads(json_lines([told("gone", "deleted", is_directory=None)], **TOLD))
    assert (entry["is_directory"], entry["moved_from"]) == (None, None)


@pytest.mark.parametrize("name", ["ünïcode 😀", 'quo"te\\', "a\nb\x1b\x7f"])
def test_a_json_line_gives_any_name_that_is_utf8_back(name: str) -> None:
    entry = json.loads(json_lines([told(name)], **TOLD))
    assert entry["filename"] == name
    assert "path_bytes" not in entry


def test_a_json_line_has_the_bytes_of_a_path_that_is_not_utf8() -> None:
    line = json_lines([told("caf\udce9 ☃", moved_from="\udcff")], **TOLD)
    entry = json.loads(line)
    assert base64.b64decode(entry["path_bytes"]) == b"/spot/caf\xe9 \xe2\x98\x83"
    # Strict parsers refuse the half of a surrogate pair.
    assert entry["path"] == "/spot/caf\ufffd ☃"
    assert entry["moved_from"] == "\ufffd"
    assert b"\\udc" not in line


def test_a_json_line_names_the_monitor_of_its_event() -> None:
    other = make_event(
        Monitor(8, "/a/caf\udce9", None, recursive=True), "x", EventCode.DELETED, None
    )
    lines = json_lines([told("x"), other, told("y")], **TOLD).splitlines()
    monitors = [json.loads(line)["monitor"] for line in lines]
    assert monitors == ["/spot", "/a/caf\ufffd", "/spot"]


def test_a_json_line_of_an_event_that_has_no_monitor_has_its_filename_alone() -> None:
    entry = json.loads(json_lines([Event(1, "x", "created")], **TOLD))
    assert (entry["path"], entry["filename"], entry["monitor"]) == ("x", "x", "")


def test_no_events_are_no_lines() -> None:
    assert json_lines([], **TOLD) == b""
