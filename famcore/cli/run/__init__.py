"""`fam run`: run a command on changes."""

from famcore.cli.run.command import run

__all__ = ["run"]
