"""Whether it works: a monitor is set, as anybody's would be, and asked what it covers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from famcore.backend import Backend
from famcore.cli.doctor.finding import Finding, Level
from famcore.errors import FamError
from famcore.monitor import FileMonitor


def try_out(backends: Sequence[type[Backend]], path: str | None) -> Iterator[Finding]:
    """Open the first of `backends` that can be opened, and monitor `path` by it."""
    for number, backend in enumerate(backends):
        fam = FileMonitor(backend)
        try:
            fam.start()
        except Exception as error:  # a plugin's own, too
            is_last = number == len(backends) - 1
            level = Level.ERROR if is_last else Level.WARNING
            then = "" if is_last else f"; {backends[number + 1].name} is used instead"
            yield Finding(
                level,
                "trial",
                f"{backend.name} can't start: {error}{then}",
                getattr(error, "remedy", "") or getattr(error, "hint", ""),
                {"backend": backend.name},
            )
            continue
        with fam:
            yield from _monitor(fam, path)
        return


def _monitor(fam: FileMonitor, path: str | None) -> Iterator[Finding]:
    data = {"backend": fam.backend}
    if path is None:
        yield Finding(Level.OK, "trial", f"{fam.backend} starts", data=data)
        return
    try:
        fam.add_monitor(path)
        fam.handle_events()
    except (OSError, FamError) as error:
        said = f"no monitor can be set on {path}: {getattr(error, 'strerror', None) or error}"
        yield Finding(Level.ERROR, "trial", said, data=data)
        return
    missed = [row for row in fam.coverage() if not row.covered]
    for row in missed:
        text = f"{row.path} is not heard: {row.reason}"
        yield Finding(Level.ERROR, "trial", text, row.remedy, data)
    if not missed:
        yield Finding(Level.OK, "trial", f"a monitor on {path} works by {fam.backend}", data=data)
