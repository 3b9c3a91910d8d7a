"""The command `fam`: what a shell can have of famcore."""

from __future__ import annotations

import sys
from importlib.util import find_spec

__all__ = ["main"]


def main() -> None:
    """Run `fam` with this process's arguments and exit; the console script's target."""
    if any(find_spec(name) is None for name in ("click", "rich")):
        sys.exit("fam: the command line needs click and rich: pip install 'famcore[cli]'")
    try:
        # Here, for it is what imports them.
        from famcore.cli.root import run

        code = run(sys.argv[1:])
    except KeyboardInterrupt:
        code = 130
    sys.exit(code)
