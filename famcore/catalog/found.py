"""How an installed backend stands: what a list of them shows of each."""

from __future__ import annotations

import dataclasses
import enum

from famcore.backend import Backend, Capability


class Status(enum.StrEnum):
    """Whether a backend that is installed can be used."""

    USABLE = "usable"
    #: This machine lacks what it needs: `reason` and `hint` are its own words.
    UNAVAILABLE = "unavailable"
    #: It was written for another contract than `famcore.backend.API`.
    INCOMPATIBLE = "incompatible"
    #: Two distributions bring the name. Neither is imported.
    CONFLICT = "conflict"
    #: It failed: at import, in its hook, in `check`, or it breaks the contract.
    BROKEN = "broken"


@dataclasses.dataclass(frozen=True, slots=True)
class Found:
    """One installed backend and how it stands. As a string: a sentence that says both."""

    name: str
    status: Status
    #: Why it is not usable; "" if it is.
    reason: str
    #: What would help; "" if nothing is known.
    hint: str
    #: "fam-kqueue 1.0"; in a conflict all that bring the name.
    distribution: str
    #: None where there is none that keeps this contract.
    backend: type[Backend] | None
    #: What it works by, in its own words; "" if it says nothing, or can't be used.
    about: str = ""

    @property
    def priority(self) -> int | None:
        """The class' own; None without a class."""
        return None if self.backend is None else self.backend.priority

    @property
    def capabilities(self) -> list[str]:
        """What it can do, in lower case."""
        has = Capability(0) if self.backend is None else self.backend.capabilities
        return [str(each.name).lower() for each in Capability if each in has]

    @property
    def live(self) -> bool:
        """Whether it goes on telling."""
        return self.backend is not None and Capability.LIVE in self.backend.capabilities

    @property
    def remark(self) -> str:
        """Reason and hint in one."""
        return f"{self.reason}; {self.hint}" if self.hint else self.reason

    def __str__(self) -> str:
        return f"backend {self.name!r} ({self.distribution}): {self.remark or self.status}"
