"""The smallest backend that keeps the contract."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

MINIMAL = Path(__file__).with_name("minimal_backend.py")
KIT = """
from famcore.testing import BackendTests
from minimal_backend import MinimalBackend

class TestMinimal(BackendTests):
    backend_class = MinimalBackend
"""


def test_a_backend_that_only_says_where_something_changed_passes_the_kit(tmp_path):
    shutil.copy(MINIMAL, tmp_path)
    (tmp_path / "test_kit.py").write_text(KIT)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-W", "error"],
        cwd=tmp_path,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout
    assert int(re.findall(r"(\d+) passed", done.stdout)[0]) > 100


def test_it_is_a_page_long():
    lines = [line for line in MINIMAL.read_text().splitlines()[1:] if line.strip()]
    assert len(lines) <= 65, len(lines)
