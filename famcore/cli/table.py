"""A table on stdout: aligned and whole where it is piped, fitted to a terminal."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from famcore.cli import output


def print_table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print it; the cells are harmless text."""
    if sys.stdout.isatty():
        # Imported here: it takes longer than all the rest, and a pipe needs none of it.
        from rich.console import Console
        from rich.table import Table
        from rich.text import Text

        table = Table(*headings, box=None)
        for row in rows:
            table.add_row(*map(Text, row))
        Console().print(table)
        return
    widths = [max(map(len, column)) for column in zip(headings, *rows, strict=True)]
    lines = []
    for row in (headings, *rows):
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        lines.append("  ".join(cells).rstrip() + "\n")
    output.write(os.fsencode("".join(lines)))
