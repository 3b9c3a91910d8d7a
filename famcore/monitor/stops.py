"""Who is to end at `stop`: all that are under way, else the next one."""

from __future__ import annotations


class Stops:
    """Counts the calls of `stop`. No lock is taken: a signal handler may ask."""

    def __init__(self) -> None:
        self._count = 0
        #: Whether nobody has ended by the last call.
        self._unclaimed = False

    def ask(self) -> None:
        """End whoever has begun."""
        self._count += 1
        self._unclaimed = True

    def begin(self) -> int:
        """A token for `asked`, to whoever begins; a stop that ended nobody ends this one."""
        return self._count - 1 if self._unclaimed else self._count

    def asked(self, token: int) -> bool:
        """Whether to end, for whoever began with `token`."""
        if not self.is_over(token):
            return False
        self._unclaimed = False
        return True

    def is_over(self, token: int) -> bool:
        """As `asked`, for somebody else."""
        return token != self._count
