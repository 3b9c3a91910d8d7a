"""What the command is given beside its words: a file of events and a few numbers."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterable, Mapping
from typing import Self

_PREFIX, _SUFFIX = "fam-run-", ".events"
#: The name of each such directory, as a pattern: not to be told of where it is in a monitored one.
#: That of another `fam run` is not either: the two would set each other off for ever.
DIRECTORIES = f"{_PREFIX}*{_SUFFIX}"


class Handout:
    """A directory of its own with a file for each run, while it is needed."""

    def __init__(self) -> None:
        self._directory = tempfile.mkdtemp(prefix=_PREFIX, suffix=_SUFFIX)
        self._run = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        shutil.rmtree(self._directory, ignore_errors=True)

    @property
    def file(self) -> str:
        """The path of the current run's file."""
        return os.path.join(self._directory, f"{self._run}.jsonl")

    def begin(self, lines: Iterable[bytes]) -> None:
        """Write the next run's file."""
        self._run += 1
        self.write(lines)

    def write(self, lines: Iterable[bytes]) -> None:
        """Write the current run's file; who has it open goes on to read what it was."""
        new = f"{self.file}.new"
        try:
            with open(new, "wb") as file:
                file.writelines(lines)
            os.replace(new, self.file)
        except OSError as error:
            error.filename = new
            raise

    def environment(self, count: int) -> Mapping[str, str]:
        """The environment of a run that is told of `count` events."""
        return os.environ | {
            "FAM_EVENTS_FILE": self.file,
            "FAM_EVENT_COUNT": str(count),
            "FAM_RUN": str(self._run),
        }

    def end(self) -> None:
        """Remove the current run's file."""
        with contextlib.suppress(FileNotFoundError):  # the command may have moved it away
            os.unlink(self.file)
