"""`fam doctor`: whether changes will be told here, what hinders, and what to do about it."""

from __future__ import annotations

import os
from collections.abc import Iterator

import click

from famcore.cli import options
from famcore.cli.doctor.choice import look_at_backends
from famcore.cli.doctor.filesystem import look_at_filesystem
from famcore.cli.doctor.finding import Finding, Level, worst
from famcore.cli.doctor.limits import judge_limits, judge_open_files
from famcore.cli.doctor.report import print_findings, print_json
from famcore.cli.doctor.tree import count, describe
from famcore.cli.doctor.trial import try_out
from famcore.cli.doctor.way import look_at_way
from famcore.cli.output import aside


@click.command(short_help="Say whether changes will be told here, and what hinders.")
@click.argument("path", required=False, type=options.path)
@click.option("--json", "as_json", is_flag=True, help="As a JSON object.")
def doctor(*, path: str | None, as_json: bool) -> int:
    """Say which backend is used, what limits it, and whether changes of PATH will be told.

    A monitor is set on PATH to try it, and what is below is counted, for a few seconds at most.
    Nothing is changed.

    Exit codes: 0 nothing hinders, though there may be warnings, 1 something does, 2 usage.
    """
    path = None if path is None else os.path.abspath(path)
    with aside():
        findings = list(_find(path))
    if as_json:
        print_json(path, findings)
    else:
        print_findings(findings)
    return 1 if worst(findings) is Level.ERROR else 0


def _find(path: str | None) -> Iterator[Finding]:
    backends, findings = look_at_backends()
    yield from findings
    yield from try_out(backends, path)
    tree = None
    if path is not None:
        yield from look_at_way(path)
        yield from look_at_filesystem(path)
        if backends and os.path.isdir(path):
            tree = count(path, backends[0])
            yield describe(tree)
    if backends:
        yield from judge_limits(backends[0], tree)
    yield judge_open_files()
