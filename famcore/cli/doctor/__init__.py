"""`fam doctor`: a module for each kind of thing that it looks at."""

from __future__ import annotations

from famcore.cli.doctor.command import doctor

__all__ = ["doctor"]
