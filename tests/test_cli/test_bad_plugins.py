"""Plugins as they should not be, installed by pip beside one that works, and whom they harm."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import runpy
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

TESTS = Path(__file__).parents[1]
INSTALLING, BAD = (
    runpy.run_path(str(TESTS / f"{name}.py")) for name in ("installing", "bad_plugins")
)
BACKENDS, CONSUMERS = BAD["BACKENDS"], BAD["CONSUMERS"]
make_wheel, pip_install, backend = (
    INSTALLING[name] for name in ("make_wheel", "pip_install", "backend")
)

#: What each of them does first when it is imported.
LEAVE_A_MARK = "import os, pathlib; pathlib.Path(os.environ['MARKS'], __name__).touch()\n"
#: famcore and what it needs, to be had where nothing else is installed.
NEEDED = ("famcore", "pluggy", "stevedore", "click", "rich")


class Site:
    """A folder with distributions, and programs that find those alone."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "site"
        self.marks = folder / "marks"
        self._wheels = folder / "wheels"
        for each in (self.folder, self.marks, self._wheels):
            each.mkdir()
        for name in NEEDED:
            spec = importlib.util.find_spec(name)
            assert spec is not None
            assert spec.submodule_search_locations is not None
            (self.folder / name).symlink_to(spec.submodule_search_locations[0])

    def wheel(self, group: str, name: str, source: str, target: str = "{module}", by: str = "fam"):
        """A wheel whose module is called after the entry point."""
        module = f"bad_{name}" if by == "fam" else f"{by}_{name}"
        entry_points = f"[famcore.{group}]\n{name} = {target.format(module=module)}\n"
        distribution = f"{by}-{name.replace('_', '-')}"
        return make_wheel(
            self._wheels, distribution, "0.3", entry_points, module, LEAVE_A_MARK + source
        )

    def info(self, name: str) -> Path:
        """The dist-info folder of a distribution."""
        [info] = self.folder.glob(f"fam_{name}-*.dist-info")
        return info

    def start(self, *arguments: Any, python: tuple[str, ...] = (), **variables: str) -> Any:
        """Start a Python program there, by default `fam`."""
        for mark in self.marks.iterdir():
            mark.unlink()
        environment = {name: value for name, value in os.environ.items() if name != "FAM_BACKEND"}
        environment |= {"PYTHONPATH": str(self.folder), "MARKS": str(self.marks)} | variables
        return subprocess.Popen(
            [sys.executable, "-S", *(python or ("-m", "famcore.cli")), *map(str, arguments)],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=self.folder,
        )

    def run(self, *arguments: Any, **options: Any) -> tuple[int, str, str]:
        """Its exit code, stdout and stderr."""
        with self.start(*arguments, **options) as process:
            out, err = process.communicate(timeout=60)
        return process.returncode, out, err

    def imported(self) -> set[str]:
        """Which modules the last program imported."""
        return {mark.name for mark in self.marks.iterdir()}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """All of them, and some that were spoilt after they had been installed."""
    site = Site(tmp_path_factory.mktemp("bad"))
    wheels = [
        site.wheel(group, name, bad.source, bad.target)
        for group, plugins in (("backends", BACKENDS), ("consumers", CONSUMERS))
        for name, bad in plugins.items()
    ]
    for name in ("unreadable", "undecodable", "nameless", "foreign"):
        group = "others" if name == "foreign" else "backends"
        wheels.append(site.wheel(group, name, backend(name, priority=20)))
    for by in ("fam", "another"):
        wheels.append(site.wheel("backends", "twice", backend("twice", priority=99), by=by))
        wheels.append(site.wheel("consumers", "doubled", "", by=by))
    pip_install(wheels, site.folder)
    (site.info("unreadable") / "entry_points.txt").write_text("[famcore.backends]\nno equals sign")
    (site.info("undecodable") / "entry_points.txt").write_bytes(b"[famcore.backends]\n\xff = x")
    (site.info("foreign") / "entry_points.txt").write_text("[famcore.others]\nno equals sign")
    (site.info("nameless") / "METADATA").unlink()
    return site


@pytest.fixture(scope="module")
def listing(site: Site) -> dict[str, Any]:
    """What `fam backends --json` says of each."""
    code, out, err = site.run("backends", "--json")
    assert code == 0, err
    rows = json.loads(out)
    assert len({row["name"] for row in rows}) == len(rows)
    return {row["name"]: row for row in rows}


def is_like(said: str, expected: str) -> bool:
    """Whether it is what was expected; "…" stands for anything."""
    return re.fullmatch(".*".join(map(re.escape, expected.split("…"))), said) is not None


# How each is shown


@pytest.mark.parametrize("name", BACKENDS)
def test_each_backend_is_listed_with_its_status_its_reason_and_its_distribution(
    name: str, listing: dict[str, Any]
) -> None:
    row, bad = listing[name], BACKENDS[name]
    said = "; ".join(filter(None, (row["reason"], row["hint"])))
    assert row["status"] == bad.status, said
    assert is_like(said, bad.said), said
    assert row["distribution"] == f"fam-{name.replace('_', '-')} 0.3"


def test_what_two_distributions_bring_is_a_conflict(listing: dict[str, Any]) -> None:
    row = listing["twice"]
    assert row["status"] == "conflict"
    assert row["distribution"] == "another-twice 0.3, fam-twice 0.3"
    assert row["reason"] == "more than one distribution brings it"
    assert row["hint"] == "uninstall all but one"


@pytest.mark.parametrize("name", ["unreadable", "undecodable"])
def test_a_distribution_whose_entry_points_can_not_be_read_is_listed_by_its_own_name(
    name: str, listing: dict[str, Any]
) -> None:
    row = listing[f"fam-{name}"]
    assert row["status"] == "broken"
    assert row["reason"].startswith("its entry points can't be read: ")
    assert row["hint"] == "install it anew"
    assert row["distribution"] == f"fam-{name} 0.3"


def test_one_of_another_group_is_not_our_concern(listing: dict[str, Any]) -> None:
    assert "fam-foreign" not in listing


def test_a_distribution_without_metadata_is_called_by_its_place(
    listing: dict[str, Any], site: Site
) -> None:
    row = listing["nameless"]
    assert row["status"] == "usable"
    assert row["distribution"] == f"what has no name in {site.folder}"


def test_no_other_is_listed(listing: dict[str, Any]) -> None:
    others = {"twice", "nameless", "fam-unreadable", "fam-undecodable"}
    assert listing.keys() == BACKENDS.keys() | others


def test_the_table_has_a_line_for_each_and_says_the_same(
    site: Site, listing: dict[str, Any]
) -> None:
    code, out, _ = site.run("backends")
    assert code == 0
    _, *lines = out.splitlines()
    assert len(lines) == len(listing)
    for line in lines:
        row = listing[line.split()[0]]
        assert line.split()[1] == row["status"]
        assert row["distribution"] in line
        said = BACKENDS[row["name"]].said if row["name"] in BACKENDS else row["reason"]
        assert is_like(line, f"…{said}" if row["hint"] in said else f"…{said}; {row['hint']}")


def test_what_a_plugin_prints_does_not_get_among_what_fam_says(site: Site, tmp_path: Path) -> None:
    _, out, err = site.run("backends", "--json")
    assert json.loads(out)
    assert "here I am" in err
    _, out, err = site.run("watch", "--json", "--count", "1", "-b", "talking", tmp_path)
    assert [json.loads(line)["event"] for line in out.splitlines()] == ["exists"]
    assert "here I am" in err


def test_a_slow_one_is_named(site: Site) -> None:
    code, _, err = site.run("backends", NAP="3.1")
    assert code == 0
    assert re.search(r"backend 'slow' \(fam-slow 0\.3\) took \d\.\d s to be looked at; name", err)
    assert "took" not in site.run("backends")[2]


def test_what_is_deprecated_counts_as_broken_for_who_makes_warnings_errors(site: Site) -> None:
    _, out, _ = site.run("backends", "--json", python=("-W", "error", "-m", "famcore.cli"))
    [row] = [row for row in json.loads(out) if row["name"] == "warning"]
    assert row["status"] == "broken"
    assert row["reason"] == "its import fails: DeprecationWarning: old"


# Who goes on

PICK = """
import logging, famcore
logging.basicConfig(level="WARNING", format="%(message)s")
with famcore.FileMonitor() as fam:
    print(fam.backend)
"""


def test_the_best_that_is_left_is_picked_and_the_one_that_did_not_open_is_logged(
    site: Site,
) -> None:
    code, out, err = site.run(python=("-c", PICK))
    assert (code, out) == (0, "here I am\nright\n"), err
    assert err.splitlines() == ["backend 'stuck' can't start: out of order"]


def test_fam_watch_goes_on_with_it_too(site: Site, tmp_path: Path) -> None:
    code, out, err = site.run("watch", "--count", "1", tmp_path)
    assert (code, out) == (0, f"exists   {tmp_path}\n"), err
    assert "fam: backend 'stuck' can't start: out of order" in err.splitlines()


REFUSED = """
import json, sys, famcore
told = {}
for name in sys.argv[2:]:
    how = {"backend": name} if sys.argv[1] == "backend" else {"consumers": [name]}
    try:
        famcore.FileMonitor(**how).start()
    except famcore.FamError as error:
        told[name] = [type(error).__name__, str(error)]
json.dump(told, sys.stderr)
"""


def test_a_backend_that_is_named_says_why_it_is_not_used(site: Site) -> None:
    bad = {name: each for name, each in BACKENDS.items() if each.status != "usable"}
    code, _, err = site.run("backend", *bad, python=("-c", REFUSED))
    assert code == 0, err
    told = json.loads(err)
    for name, each in bad.items():
        kind, said = told.pop(name)
        unavailable = each.status == "unavailable"
        assert kind == ("BackendUnavailable" if unavailable else "PluginError")
        who = f"backend {name!r} (fam-{name.replace('_', '-')} 0.3)"
        assert is_like(said, f"{who}: {each.said}"), said
    assert not told


def test_fam_watch_says_so_too(site: Site, tmp_path: Path) -> None:
    code, out, err = site.run("watch", "-b", "half", tmp_path)
    assert (code, out) == (1, "")
    assert err == f"fam: backend 'half' (fam-half 0.3): {BACKENDS['half'].said}\n"


def test_a_consumer_that_is_named_says_what_is_wrong_with_it(site: Site) -> None:
    code, _, err = site.run("consumer", *CONSUMERS, python=("-c", REFUSED), FAM_BACKEND="right")
    assert code == 0, err
    told = json.loads(err)
    for name, each in CONSUMERS.items():
        kind, said = told.pop(name)
        assert kind == "PluginError"
        who = f"consumer {name!r} (fam-{name.replace('_', '-')} 0.3)"
        assert is_like(said, f"{who}: {each.said}"), said
    assert not told


def test_fam_watch_says_what_is_wrong_with_a_consumer(site: Site, tmp_path: Path) -> None:
    code, out, err = site.run("watch", "-b", "right", "--consumer", "exiting", tmp_path)
    assert (code, out) == (1, "")
    assert err == f"fam: consumer 'exiting' (fam-exiting 0.3): {CONSUMERS['exiting'].said}\n"


def test_a_consumer_that_two_distributions_bring_is_refused(site: Site, tmp_path: Path) -> None:
    code, _, err = site.run("watch", "-b", "right", "--consumer", "doubled", tmp_path)
    assert code == 1
    assert "(another-doubled 0.3, fam-doubled 0.3): more than one distribution brings it" in err
    assert site.imported() == set()


# What is imported

TELL = "\nimport sys; print(*sorted(each for each in sys.modules if each.startswith('bad_')))"


def modules(site: Site, source: str) -> set[str]:
    """What a program finds imported at its end, and by its mark every module was."""
    code, out, err = site.run(python=("-c", source + TELL))
    assert code == 0, err
    *_, last = out.splitlines()
    assert set(last.split()) == site.imported()
    return site.imported()


@pytest.mark.parametrize(
    "source",
    [
        "import famcore",
        "import famcore; famcore.FileMonitor(backend='right', consumers=['raising'])",
        "import famcore.catalog as it; it.find_consumers()",
        "import famcore.catalog.installed as it; assert it.list_installed('famcore.backends')",
    ],
)
def test_nothing_is_imported_unasked(source: str, site: Site) -> None:
    assert modules(site, source) == set()


def test_a_name_that_nobody_brings_imports_nothing(site: Site, tmp_path: Path) -> None:
    code, _, err = site.run("watch", "-b", "rigth", tmp_path)
    assert code == 1
    assert "did you mean right?" in err
    assert site.imported() == set()


@pytest.mark.parametrize(
    "source",
    [
        "import famcore\nwith famcore.FileMonitor(backend='right') as fam: assert fam.backend",
        "import os, famcore\nos.environ['FAM_BACKEND'] = 'right'\nfamcore.FileMonitor().start()",
        "from famcore.catalog import find_backend; find_backend('right')",
    ],
)
def test_of_the_backends_only_the_one_that_is_named_is_imported(source: str, site: Site) -> None:
    assert modules(site, source) == {"bad_right"}


def test_fam_watch_imports_only_the_one_that_is_named(site: Site, tmp_path: Path) -> None:
    code, _, err = site.run("watch", "-b", "right", "--count", "1", tmp_path)
    assert code == 0, err
    assert site.imported() == {"bad_right"}


def test_whoever_lists_them_imports_each_once_but_those_in_conflict(site: Site) -> None:
    site.run("backends")
    unimported = {"nowhere", "blank", "garbled"}
    others = {"bad_nameless"}
    assert site.imported() == {f"bad_{name}" for name in BACKENDS.keys() - unimported} | others


# What can't be kept from here


@pytest.fixture
def alone(tmp_path: Path) -> Callable[..., Site]:
    """Install one bad backend beside the one that works."""

    def install(name: str, source: str) -> Site:
        site = Site(tmp_path)
        wheels = [
            site.wheel("backends", name, source),
            site.wheel("backends", "right", BACKENDS["right"].source),
        ]
        pip_install(wheels, site.folder)
        return site

    return install


def test_one_that_ends_the_process_ends_it_unless_another_is_named(
    alone: Callable[..., Site], tmp_path: Path
) -> None:
    site = alone("fatal", "os._exit(7)")
    assert site.run("backends") == (7, "", "")
    code, out, _ = site.run("watch", "--count", "1", "-b", "right", tmp_path)
    assert (code, out) == (0, f"exists   {tmp_path}\n")
    who = "import logging, famcore.catalog as it; logging.basicConfig(level=10); it.find_backends()"
    _, _, err = site.run(python=("-c", who))
    looked_at = [line for line in err.splitlines() if line.endswith(" is looked at")]
    assert looked_at[-1].endswith("backend 'fatal' (fam-fatal 0.3) is looked at")


def test_a_check_that_hangs_can_be_interrupted(alone: Callable[..., Site]) -> None:
    check = "import time; pathlib.Path(os.environ['MARKS'], 'hangs').touch(); time.sleep(600)"
    site = alone("hanging", backend("hanging", check=check))
    with site.start("backends") as process:
        while not (site.marks / "hangs").exists():
            assert process.poll() is None
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (130, "")
    assert err == ""
