"""`fam backends` lists what is installed, as a table and as JSON."""

from __future__ import annotations

import json
import os
import select
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

UNABLE = """
import famcore
from famcore.backend import Backend, BackendUnavailable, Capability

class Unable(Backend):
    name = "unable"
    api = 1
    priority = 99
    capabilities = Capability.LIVE | Capability.EXACT
    @classmethod
    def check(cls):
        raise BackendUnavailable("no such server " + "here " * 40, "apt install server")
    def __init__(self): pass
    def watch(self, path, interest=None): pass
    def unwatch(self, key): pass
    def fileno(self): pass
    def read(self): return ()
    def close(self): pass

@famcore.hookimpl
def fam_backend():
    return Unable
"""


def rows(out: bytes) -> dict[str, str]:
    """The rows of the plain table by the name in each."""
    return {line.split()[0]: line for line in out.decode().splitlines()[1:]}


def test_json_says_all_of_each_backend(fam: Any) -> None:
    code, out, err = fam("backends", "--json").end()
    assert (code, err) == (0, "")
    best, *_ = backends = json.loads(out)
    assert best == {
        "name": "inotify",
        "status": "usable",
        "priority": 90,
        "capabilities": ["live", "contents", "moves", "exact", "each"],
        "distribution": best["distribution"],
        "reason": "",
        "hint": "",
        "about": "",
        "picked": True,
    }
    assert best["distribution"].startswith("fam-inotify ")
    assert [each["name"] for each in backends if each["picked"]] == ["inotify"]


SAYING = """
import famcore
from fam_pseudo import PseudoBackend

class Saying(PseudoBackend):
    name = "saying"

    @classmethod
    def about(cls):
        return "libsaying.so.1"

@famcore.hookimpl
def fam_backend():
    return Saying
"""


def test_what_a_backend_works_by_is_shown(fam: Any, install: Callable[..., None]) -> None:
    install("famcore.backends", "saying", SAYING)
    assert rows(fam("backends").end()[1])["saying"].endswith("libsaying.so.1")
    (saying,) = [
        each for each in json.loads(fam("backends", "--json").end()[1]) if each["name"] == "saying"
    ]
    assert saying["about"] == "libsaying.so.1"


def test_the_table_is_plain_and_whole_when_piped(fam: Any, install: Callable[..., None]) -> None:
    install("famcore.backends", "unable", UNABLE)
    install("famcore.backends", "torn", "raise RuntimeError('half a file')")
    code, out, err = fam("backends").end()
    assert (code, err) == (0, "")
    table = rows(out)
    assert table["inotify"].split()[1:4] == ["usable", "90", "live,contents,moves,exact,each"]
    assert table["inotify"].endswith("picked")
    assert table["unable"].split()[1:6] == ["unavailable", "99", "live,exact", "fam-unable", "1.0"]
    assert table["unable"].endswith("no such server" + " here" * 40 + "; apt install server")
    assert table["torn"].split()[1:6] == ["broken", "-", "-", "fam-torn", "1.0"]
    assert "half a file" in table["torn"]
    assert len({line.index("fam-") for line in table.values()}) == 1


def test_a_terminal_gets_the_table_too(fam: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "120")
    master, slave = os.openpty()
    listing = fam("backends", stdout=slave)
    assert listing.process.wait(20) == 0
    assert select.select([master], [], [], 20)[0]
    out = os.read(master, 65536)
    os.close(slave)
    os.close(master)
    assert b"inotify" in out
    assert b"picked" in out


def test_the_environment_decides_which_one_is_picked(
    fam: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAM_BACKEND", "pseudo")
    assert rows(fam("backends").end()[1])["pseudo"].endswith("picked")
    monkeypatch.setenv("FAM_BACKEND", "psuedo")
    code, out, err = fam("backends").end()
    assert code == 0
    assert b"picked" not in out
    assert err.startswith("fam: $FAM_BACKEND: ")
    assert "did you mean pseudo?" in err


def test_with_none_installed_it_says_what_to_install(bare: Callable[..., Any]) -> None:
    code, out, err = bare("backends").end()
    assert (code, out) == (1, b"")
    assert err.startswith("fam: no backend is installed; pip install ")
    assert bare("backends", "--json").end()[:2] == (1, b"[]\n")


def test_with_none_installed_nothing_is_watched(bare: Callable[..., Any], spot: Path) -> None:
    code, out, err = bare("watch", spot).end()
    assert (code, out) == (1, b"")
    assert err.startswith("fam: no backend is installed; pip install ")


def test_with_none_usable_each_is_told_with_the_reason(
    bare: Callable[..., Any], install: Callable[..., None], spot: Path
) -> None:
    install("famcore.backends", "unable", UNABLE)
    install("famcore.backends", "torn", "raise RuntimeError('half a file')")
    code, out, err = bare("watch", spot).end()
    assert (code, out) == (1, b"")
    first, *others = err.splitlines()
    assert first.startswith("fam: no live backend ")
    assert len(others) == 2
    assert all(line.startswith("fam: ") for line in others)
    assert ["apt install server" in line for line in others] == [True, False]
    assert ["half a file" in line for line in others] == [False, True]
    code, out, err = bare("backends").end()
    assert (code, sorted(rows(out)), err) == (0, ["torn", "unable"], "")
