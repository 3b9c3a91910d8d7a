"""The exit codes of `fam`, beside those that a command of `fam run` brings."""

from __future__ import annotations

DONE = 0
FAILED = 1
USAGE = 2
TIMED_OUT = 3
#: Coverage was lost, under `--strict`.
LOST = 4
#: What shells say of a command that can't be executed, and of one that is not found.
NOT_EXECUTABLE, NOT_FOUND = 126, 127
#: What shells say of a command that was ended by signal N: this plus N.
BY_SIGNAL = 128
#: By ^C.
INTERRUPTED = 130
