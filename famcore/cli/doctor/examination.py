"""All that is looked at, in turn: the backends, the path, the limits."""

from __future__ import annotations

import os
from collections.abc import Iterator

from famcore.cli.doctor.choice import look_at_backends
from famcore.cli.doctor.filesystem import look_at_filesystem
from famcore.cli.doctor.finding import Finding
from famcore.cli.doctor.limits import judge_limits, judge_open_files
from famcore.cli.doctor.tree import count, describe
from famcore.cli.doctor.trial import try_out
from famcore.cli.doctor.way import look_at_way


def examine(path: str | None) -> Iterator[Finding]:
    """What there is to say of this machine and of `path`, an absolute one."""
    backends, findings = look_at_backends()
    yield from findings
    yield from try_out(backends, path)
    tree = None
    if path is not None:
        yield from look_at_way(path)
        if os.path.lexists(path) or os.path.isdir(os.path.dirname(path)):
            yield from look_at_filesystem(path)
        if backends and os.path.isdir(path):
            tree = count(path, backends[0])
            yield describe(tree)
    if backends:
        yield from judge_limits(backends[0], tree)
    yield judge_open_files()
