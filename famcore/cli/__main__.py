"""`python -m famcore.cli` is `fam`."""

from famcore.cli import main

main()
