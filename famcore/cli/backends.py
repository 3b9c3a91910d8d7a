"""`fam backends`: what is installed, what of it works here, and why the rest does not."""

from __future__ import annotations

import json
from collections.abc import Sequence

import click

from famcore import FamError, NoBackend
from famcore.catalog import Found, choose, find_backends
from famcore.cli.lines import harmless
from famcore.cli.output import aside, write
from famcore.cli.say import say_error
from famcore.cli.table import print_table

HEADINGS = ("NAME", "STATUS", "PRIORITY", "CAPABILITIES", "DISTRIBUTION", "REMARK")


@click.command(short_help="List the backends that are installed.")
@click.option("--json", "as_json", is_flag=True, help="As an array of JSON objects.")
def backends(*, as_json: bool) -> int:
    """List the backends that are installed, and why some can't be used.

    Those that can come first, the best leading. The one that is picked when none is named is
    marked. Exit code 1 if none is installed.
    """
    with aside():
        found = find_backends()
        picked = _picked(found)
    if as_json:
        objects = [_fields(each, picked=each.name == picked) for each in found]
        write(json.dumps(objects, indent=2).encode("ascii") + b"\n")
    elif found:
        print_table(HEADINGS, [_row(each, picked=each.name == picked) for each in found])
    return 0 if found else 1


def _picked(found: Sequence[Found]) -> str | None:
    """The name of the backend that is used when none is named; if there is none, say why."""
    try:
        return choose(None, among=found)[0].name
    except FamError as error:
        # What NoBackend lists, the table lists too.
        if not (found and isinstance(error, NoBackend)):
            say_error(error)
        return None


def _fields(found: Found, *, picked: bool) -> dict[str, object]:
    return {
        "name": found.name,
        "status": found.status,
        "priority": found.priority,
        "capabilities": found.capabilities,
        "distribution": found.distribution,
        "reason": found.reason,
        "hint": found.hint,
        "about": found.about,
        "picked": picked,
    }


def _row(found: Found, *, picked: bool) -> tuple[str, ...]:
    cells = (
        found.name,
        found.status,
        "-" if found.priority is None else str(found.priority),
        ",".join(found.capabilities) or "-",
        found.distribution,
        "; ".join(filter(None, ("picked" if picked else "", found.remark, found.about))),
    )
    return tuple(map(harmless, cells))
