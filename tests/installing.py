"""Distributions for tests: written into a folder on `sys.path`, or wheels that pip installs."""

from __future__ import annotations

import importlib
import itertools
import subprocess
import sys
import zipfile

#: A backend that works, and where it can be made to fail.
BACKEND = """
import os
import famcore
from famcore.backend import Backend, BackendLost, BackendUnavailable, Capability

class It(Backend):
    name = {name!r}
    api = {api}
    priority = {priority}
    capabilities = {capabilities}
    log = []

    @classmethod
    def check(cls):
        cls.log.append("check")
        {check}

    @classmethod
    def about(cls):
        {about}

    def __init__(self):
        self.log.append("open")
        {opening}

    def watch(self, path, interest=None):
        os.lstat(path)
        return path

    def unwatch(self, key): ...
    def fileno(self): ...
    def read(self): return ()

    def close(self):
        self.log.append("close")

@famcore.hookimpl
def fam_backend():
    return It
"""


def backend(name, **parts):
    """The source of a backend called `name`; of its `parts` others than what works."""
    works = {
        "priority": 50,
        "capabilities": "Capability.LIVE",
        "api": 1,
        "check": "pass",
        "about": "return ''",
        "opening": "pass",
    }
    assert parts.keys() <= works.keys()
    return BACKEND.format(name=name, **(works | parts))


class Site:
    """A folder of installed distributions of one module each."""

    _numbers = itertools.count()

    def __init__(self, folder):
        self.folder = folder
        folder.mkdir(exist_ok=True)

    def install(
        self,
        name,
        source=None,
        *,
        group="famcore.backends",
        distribution=None,
        version="1.0",
        attribute="",
        module=None,
        **parts,
    ):
        """Write a distribution with one module; return the module's name.

        That is `source`, or a backend with `parts` of its own.
        """
        distribution = distribution or f"fam-{name}"
        module = module or f"installed_{next(self._numbers)}"
        (self.folder / f"{module}.py").write_text(
            backend(name, **parts) if source is None else source
        )
        info = self.folder / info_name(distribution, version)
        info.mkdir()
        (info / "METADATA").write_text(metadata(distribution, version))
        (info / "entry_points.txt").write_text(f"[{group}]\n{name} = {module}{attribute}\n")
        # A folder changed twice within one tick of the clock looks unchanged to importlib.
        importlib.invalidate_caches()
        return module

    @staticmethod
    def imported():
        """Which of all installed modules have been imported."""
        return {name for name in sys.modules if name.startswith("installed_")}


def info_name(distribution, version):
    return f"{distribution.replace('-', '_')}-{version}.dist-info"


def metadata(distribution, version):
    return f"Metadata-Version: 2.1\nName: {distribution}\nVersion: {version}\n"


def make_wheel(folder, distribution, version, entry_points, module, source):
    """A wheel of one module in `folder`; its path."""
    info = info_name(distribution, version)
    files = {
        f"{module}.py": source,
        f"{info}/METADATA": metadata(distribution, version),
        f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/entry_points.txt": entry_points,
    }
    files[f"{info}/RECORD"] = "".join(f"{file},,\n" for file in (*files, f"{info}/RECORD"))
    path = folder / f"{distribution.replace('-', '_')}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as wheel:
        for file, text in files.items():
            wheel.writestr(file, text)
    return path


def pip_install(wheels, folder):
    """Have pip install `wheels`, and nothing but them, into `folder`."""
    options = ["--no-index", "--no-deps", "--no-compile", "--disable-pip-version-check"]
    subprocess.run(
        [sys.executable, "-m", "pip", "install", "-qq", *options, "--target", folder, *wheels],
        check=True,
    )
