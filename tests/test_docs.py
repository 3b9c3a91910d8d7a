"""The documentation holds: its code runs, and what there is to be documented is in it."""

from __future__ import annotations

import contextlib
import inspect
import os
import re
import runpy
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import click
import pytest

import famcore
import famcore.backend
from famcore import hookspecs
from famcore.catalog import find_backends
from famcore.cli.root import fam
from famcore.plugins.hooks import HOOKS

PAGE = Path(__file__).with_name("page.py")
RUNS = runpy.run_path(str(PAGE))
ROOT = PAGE.parents[1]
DOCS = ROOT / "docs"
PAGES = {
    str(path.relative_to(ROOT)): path for path in (ROOT / "README.md", *sorted(DOCS.rglob("*.md")))
}
#: Seconds for all the code of a page.
DEADLINE = 120.0


def is_run(path: Path) -> bool:
    return any(map(RUNS["is_run"], RUNS["blocks_of"](path.read_text())))


@pytest.mark.parametrize("name", [name for name, path in PAGES.items() if is_run(path)])
def test_the_code_of_a_page_runs(name: str, tmp_path: Path) -> None:
    page = subprocess.Popen(
        [sys.executable, "-W", "error", PAGE, PAGES[name]],
        cwd=tmp_path,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        text=True,
    )
    try:
        said, _ = page.communicate(timeout=DEADLINE)
    except subprocess.TimeoutExpired:
        pytest.fail(f"{name} goes on after {DEADLINE:g} s")
    finally:
        # All that the page has started, too.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(page.pid, signal.SIGKILL)
        page.communicate()
    assert page.returncode == 0, said


@pytest.mark.parametrize("name", PAGES)
def test_the_pages_that_a_page_refers_to_are_there(name: str) -> None:
    path = PAGES[name]
    targets = re.findall(r"\]\(([^):#\s]+\.md)[#)]", path.read_text())
    assert [target for target in targets if not (path.parent / target).exists()] == []


# --- names


def documented(page: str) -> set[str]:
    """What a page's directives describe, by its full name."""
    text = (DOCS / page).read_text()
    return set(re.findall(r"^\.\. (?:auto|py:)\w+:: ([\w.]+)", text, re.MULTILINE))


@pytest.mark.parametrize("name", famcore.__all__)
def test_a_public_name_is_in_the_api_reference(name: str) -> None:
    assert f"famcore.{name}" in documented("api.md")


@pytest.mark.parametrize("name", famcore.backend.__all__)
def test_a_name_of_the_backend_contract_is_in_the_api_reference(name: str) -> None:
    module = "famcore" if name in famcore.__all__ else "famcore.backend"
    assert f"{module}.{name}" in documented("api.md")


def test_the_table_of_backends_is_what_they_say_of_themselves() -> None:
    text = (DOCS / "file-monitor-development.md").read_text()
    told = re.findall(r"^\| `(\w+)` \| ([\w-]+) \| (\d+) \| (.*) \|$", text, re.MULTILINE)
    ours = [each for each in find_backends() if each.name in ("pseudo", "fam", "gamin", "inotify")]
    assert len(ours) == 4
    assert sorted(told) == sorted(
        (
            each.name,
            each.distribution.split()[0],
            str(each.priority),
            ", ".join(each.capabilities) or "none",
        )
        for each in ours
    )


# --- hooks


def signature_of(hook: str) -> str:
    return hook + str(inspect.signature(getattr(hookspecs, hook))).replace("'", "")


@pytest.mark.parametrize("hook", HOOKS)
def test_a_hook_is_documented_with_its_signature(hook: str) -> None:
    text = (DOCS / "hooks.md").read_text()
    assert re.findall(rf"^\.\. autofunction:: famcore\.hookspecs\.({hook}\b.*)$", text, re.M) == [
        signature_of(hook)
    ]


@pytest.mark.parametrize("hook", HOOKS)
def test_a_hook_is_implemented_in_an_example(hook: str) -> None:
    code = "".join(
        block.text
        for block in RUNS["blocks_of"]((DOCS / "hooks.md").read_text())
        if block.kind == "python"
    )
    assert re.search(rf"@famcore\.hookimpl\n\s*def {hook}\(", code)


def test_no_hook_is_documented_that_is_none() -> None:
    names = {name.removeprefix("famcore.hookspecs.") for name in documented("hooks.md")}
    assert names == set(HOOKS)


# --- commands

CONTEXT = click.Context(fam)
COMMANDS: dict[str, Any] = {
    name: fam.get_command(CONTEXT, name) for name in fam.list_commands(CONTEXT)
}
assert {"backends", "watch"} <= COMMANDS.keys()


def words_of(command: str) -> set[str]:
    """The code on the page of a command, word by word."""
    page = DOCS / "cli" / f"{command}.md"
    assert page.exists(), f"fam {command} has no page"
    return set(re.findall(r"(?<![\w-])--?\w[\w-]*|[A-Z]\w*", page.read_text()))


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_has_a_page_with_all_its_options_and_arguments(command: str) -> None:
    words = words_of(command)
    missing = [
        name
        for parameter in COMMANDS[command].params
        for name in (
            parameter.opts + parameter.secondary_opts
            if isinstance(parameter, click.Option)
            else re.findall(r"\w+", parameter.make_metavar(CONTEXT))
        )
        if name not in words
    ]
    assert missing == []


@pytest.mark.parametrize("command", COMMANDS)
def test_the_options_in_the_tables_of_a_page_are_those_of_its_command(command: str) -> None:
    page = (DOCS / "cli" / f"{command}.md").read_text()
    rows = [row.split("|")[1] for row in page.splitlines() if row.startswith("| `-")]
    told = set(re.findall(r"(?<![\w-])--?\w[\w-]*", " ".join(rows)))
    known = {name for each in COMMANDS[command].params for name in each.opts}
    assert told <= known | {"-h", "--help"}


def test_no_page_is_of_a_command_that_is_none() -> None:
    pages = {path.stem for path in (DOCS / "cli").glob("*.md")}
    assert pages - {"index"} <= COMMANDS.keys()
