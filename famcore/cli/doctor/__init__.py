"""`fam doctor`: whether changes will be told here, what hinders, and what to do about it."""

from __future__ import annotations

from pathlib import Path

import click

from famcore.cli import options
from famcore.cli.output import aside

__all__ = ["doctor"]


@click.command(short_help="Say whether changes will be told here, and what hinders.")
@click.argument("path", required=False, type=options.path)
@click.option("--json", "as_json", is_flag=True, help="As a JSON object.")
def doctor(*, path: str | None, as_json: bool) -> int:
    """Say which backend is used, what limits it, and whether changes of PATH will be told.

    A monitor is set on PATH to try it, and what is below is counted, for a few seconds at most.
    Nothing is changed.

    Exit codes: 0 nothing hinders, though there may be warnings, 1 something does, 2 usage.
    """
    # Here, for no other command needs them.
    from famcore.cli.doctor.examination import examine
    from famcore.cli.doctor.finding import Level, worst
    from famcore.cli.doctor.report import print_findings, print_json

    # Not os.path.abspath: to the system and to a monitor `link/..` is above what the link leads to.
    path = None if path is None else str(Path(path).absolute())
    with aside():
        findings = list(examine(path))
    if as_json:
        print_json(path, findings)
    else:
        print_findings(findings)
    return 1 if worst(findings) is Level.ERROR else 0
