"""What is mounted and unmounted at a monitored path, of which no watch tells."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from famcore.catalog import find_backend

MOUNTS = Path(__file__).with_name("mounts.py")

#: A mount namespace of its own, so that nothing of this machine's is changed.
NAMESPACE = ["unshare", "--map-root-user", "--mount"]

CASES = {
    "mounted": "a filesystem is mounted over a monitored directory, and hides what was in it",
    "written": "what is made in a filesystem that was mounted meanwhile is told",
    "unmounted": "a filesystem is unmounted, and what it hid is there again",
    "lazily": "a filesystem is unmounted while it is in use",
    "anew": "a filesystem is unmounted and another mounted, again and again",
    "above": "a filesystem is mounted above a monitored path",
    "deep": "a filesystem is mounted deep in a recursively monitored tree",
    "file": "a file is mounted over a monitored file",
    "twice": "of a directory that is mounted twice, a rename is told by each of its paths",
    "lesser": "who needs to hear less of a directory mounted twice takes nothing from the other",
    "odd": "a mount point's name has blanks and newlines",
    "elsewhere": "what is mounted elsewhere has nothing compared",
}


@pytest.mark.parametrize("case", CASES)
def test_mounts_are_told(case, tmp_path):
    found = find_backend("inotify")
    if found.backend is None:
        pytest.skip(str(found))
    try_it = [*NAMESPACE, "mount", "-t", "tmpfs", "none", tmp_path]
    if subprocess.run(try_it, check=False, capture_output=True).returncode:
        pytest.skip("no mount namespaces here")
    done = subprocess.run(
        [*NAMESPACE, sys.executable, MOUNTS, tmp_path, case], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr + done.stdout
    assert done.stdout == ""
