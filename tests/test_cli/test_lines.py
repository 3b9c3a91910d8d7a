"""Events as lines."""

from __future__ import annotations

import re
from typing import Any

import pytest

from famcore.cli import lines
from famcore.events import Event, EventCode, Monitor, make_event

MONITOR = Monitor(7, "/spot", None, recursive=False)
TOLD = lines.Told("inotify", 1700000000.25, {7: "/spot"})


def told(name: str, action: str = "created", **more: Any) -> Event:
    """The event of `name` in the monitored directory."""
    return make_event(MONITOR, name, EventCode(action), more.pop("is_directory", False), **more)


def test_a_human_line_has_the_code_in_a_column_and_the_full_path() -> None:
    events = [told("", "endExist"), told("name with blanks", "changed")]
    assert lines.human(events, TOLD) == b"endExist /spot\nchanged  /spot/name with blanks\n"


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("a\nb\tc\rd", r"a\nb\tc\rd"),
        ("\x1b[31m\x00\x7f", r"\x1b[31m\x00\x7f"),
        ("\x9b31m", r"\u009b31m"),
        ("\udcff\udc80", r"\xff\x80"),
        ("txt\u202egpj", r"txt\u202egpj"),
        ("a\\nb", r"a\\nb"),
        ("ünïcode ☃ 😀", "ünïcode ☃ 😀"),
        ("a\u00a0b\u200db", "a\u00a0b\u200db"),
    ],
)
def test_a_human_line_is_one_line_and_harmless_to_a_terminal(name: str, shown: str) -> None:
    assert lines.human([told(name)], TOLD) == f"created  /spot/{shown}\n".encode()


def test_print0_gives_the_bytes_of_the_path() -> None:
    assert lines.print0([told("a\nb"), told("\udcff")], TOLD) == b"/spot/a\nb\0/spot/\xff\0"


def test_a_format_is_filled_with_the_fields_of_json() -> None:
    line = lines.formatted(r"{event}\t{filename}\t{monitor}\t{backend}\t{time}\t{is_directory}")
    assert line([told("x"), told("y", is_directory=True)], TOLD) == (
        b"created\tx\t/spot\tinotify\t1700000000.250000\tfalse\n"
        b"created\ty\t/spot\tinotify\t1700000000.250000\ttrue\n"
    )


def test_a_format_leaves_empty_what_is_not_known() -> None:
    line = lines.formatted("{is_directory}|{moved_from}|")
    assert line([told("x", is_directory=None)], TOLD) == b"||\n"


def test_a_format_gives_the_bytes_of_the_path() -> None:
    assert lines.formatted(r"{path}\0")([told("\udcff\n")], TOLD) == b"/spot/\xff\n\0"


@pytest.mark.parametrize(
    ("template", "line"),
    [
        ("{filename}", b"x\n"),
        (r"{filename}\n", b"x\n"),
        (r"{filename}\0", b"x\0"),
        (r"{filename}\n\n", b"x\n\n"),
        (r"{{{filename}}} 100% %s", b"{x} 100% %s\n"),
        (r"\\n{filename}", b"\\nx\n"),
        ("no field", b"no field\n"),
    ],
)
def test_a_format_ends_in_a_newline_unless_it_says_how_it_ends(template: str, line: bytes) -> None:
    assert lines.formatted(template)([told("x")], TOLD) == line


@pytest.mark.parametrize(
    ("template", "why"),
    [
        ("{pth}", "unknown field {pth}; did you mean path?"),
        ("{}", "unknown field {} (there are event, path, filename, monitor, "),
        ("{event:8}", "{event} takes neither ':' nor '!'"),
        ("{event!r}", "{event} takes neither ':' nor '!'"),
        ("{event", "expected '}' before end of string"),
        (r"{event}\q", r"unknown escape \q (there are \n \t \0 \\)"),
        ("\\", "unknown escape \\ (there are \\n \\t \\0 \\\\)"),
    ],
)
def test_a_format_that_can_not_be_filled_says_why(template: str, why: str) -> None:
    with pytest.raises(ValueError, match=re.escape(why)):
        lines.formatted(template)
