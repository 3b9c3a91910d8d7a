"""Findings as lines for people, on a terminal in colour, and as JSON."""

from __future__ import annotations

import base64
import json
import os
import sys
from collections.abc import Iterable, Sequence
from typing import Any

from famcore.cli.doctor.finding import Finding, Level, worst
from famcore.cli.lines import harmless
from famcore.cli.output import write

_COLOURS = {Level.OK: "green", Level.NOTE: "cyan", Level.WARNING: "yellow", Level.ERROR: "red"}

#: The columns before the text, as wide as their longest word and two blanks.
_LEVEL, _SUBJECT = 9, 12


def print_findings(findings: Iterable[Finding]) -> None:
    """Write a line for each finding, and one for its remedy."""
    if sys.stdout.isatty():
        _print_table(findings)
        return
    lines = []
    for each in findings:
        begin = f"{each.level:{_LEVEL}}{each.subject:{_SUBJECT}}"
        lines.append(f"{begin}{harmless(each.text)}\n")
        if each.remedy:
            lines.append(f"{'':{len(begin)}}-> {harmless(each.remedy)}\n")
    write(os.fsencode("".join(lines)))


def print_json(path: str | None, findings: Sequence[Finding]) -> None:
    """Write one object: the path, the worst level, the findings."""
    told: dict[str, Any] = {"path": path, "level": worst(findings)}
    if path is not None and _readable(path) != path:
        told["path_bytes"] = base64.b64encode(os.fsencode(path)).decode("ascii")
    told["findings"] = [
        {
            "level": each.level,
            "subject": each.subject,
            "text": each.text,
            "remedy": each.remedy,
            "data": dict(each.data),
        }
        for each in findings
    ]
    write(json.dumps(_told(told), indent=2).encode("ascii") + b"\n")


def _print_table(findings: Iterable[Finding]) -> None:
    # Imported here: it takes longer than all the rest, and a pipe needs none of it.
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    for each in findings:
        colour = _COLOURS[each.level]
        text = Text(harmless(each.text))
        if each.remedy:
            text.append(f"\n-> {harmless(each.remedy)}", style="bold")
        table.add_row(Text(each.level, style=colour), Text(each.subject), text)
    Console().print(table)


def _told(value: Any) -> Any:
    """`value` with U+FFFD for bytes that are not UTF-8: lone surrogates stop strict parsers."""
    if isinstance(value, str):
        return _readable(value)
    if isinstance(value, dict):
        return {key: _told(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_told(each) for each in value]
    return value


def _readable(text: str) -> str:
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
