"""The code on a page is run as its reader would run it, and what is wrong with it is seen."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

PAGE = Path(__file__).with_name("page.py")
DEADLINE = 60


@pytest.fixture
def run(tmp_path):
    """Run a page that holds `text`; what it says is wrong, "" if nothing is."""

    def run(text):
        page = tmp_path / "page.md"
        page.write_text(text)
        spot = tmp_path / "spot"
        spot.mkdir()
        done = subprocess.run(
            [sys.executable, PAGE, page], cwd=spot, capture_output=True, text=True, timeout=DEADLINE
        )
        assert bool(done.returncode) == bool(done.stderr)
        return done.stderr

    return run


def test_python_blocks_share_their_names_and_the_directory_with_consoles(run):
    assert not run(
        "```python\nfrom pathlib import Path\n\nhere = Path('made')\n```\n"
        "Then:\n\n"
        "```python\nhere.write_text('by Python')\nprint(here, 'written')\n```\n"
        "```output\nmade written\n```\n"
        "```console\n$ cat made; echo\nby Python\n$ mkdir below; cd below\n```\n"
        "and in the same shell\n"
        "```console\n$ basename $PWD\nbelow\n```\n"
    )


def test_a_python_block_that_fails_is_told_with_its_line_on_the_page(run):
    said = run("One\n\n```python\nx = 1\n```\n\n```python\ny = x / 0\n```\n")
    assert 'page.md", line 8' in said
    assert "ZeroDivisionError" in said


@pytest.mark.parametrize(
    "text",
    [
        "```python\nprint('a')\n```\n```output\nb\n```\n",
        "```python\nprint('a\\nb')\n```\n```output\na\n```\n",
        "```console\n$ echo a\nb\n```\n",
        "```console\n$ echo a\n```\n",
        "```console\n$ true\na\n```\n",
        "```console\n$ echo a; echo b\na ...\nb\n```\n",
        "- a list\n\n  ```console\n  $ echo a\n  b\n  ```\n",
    ],
)
def test_output_that_differs_is_told(run, text):
    assert "is to bring" in (said := run(text)) or "to be printed is" in said


@pytest.mark.parametrize(
    "text",
    [
        "```console\necho a\n```\n",
        "```output\na\n```\n",
        "```python\nprint('a')\n",
    ],
)
def test_a_block_that_can_not_be_meant_is_told(run, text):
    assert "page.md: line " in run(text)


def test_dots_stand_for_anything_in_a_line_and_for_lines(run):
    assert not run(
        "```console\n$ printf '1 2 3\\n4\\n5\\n6\\n'\n1 ... 3\n...\n6\n$ echo 7\n...7\n...\n```\n"
    )


def test_a_command_may_have_several_lines_and_its_exit_status_be_asked_for(run):
    assert not run("```console\n$ sh <<'E'\n> echo in\n> exit 3\n> E\nin\n$ echo $?\n3\n```\n")


def test_what_is_seen_of_a_command_in_the_background_is_waited_for(run):
    assert not run(
        "```console\n"
        "$ mkfifo wait\n"
        "$ { echo ready; read line <wait; echo $line; } &\n"
        "ready\n"
        "$ echo go >wait\n"
        "go\n"
        "```\n"
    )


def test_a_command_that_goes_on_at_the_end_of_the_page_is_told(run):
    said = run("```console\n$ { sleep 0.2; echo more; } &\n```\n")
    assert "the end of the page" in said
    assert "more" in said


def test_other_blocks_and_those_within_blocks_are_not_run(run):
    assert not run(
        "```sh\nfalse\n```\n````text\n```python\nraise SystemExit(1)\n```\n````\n"
        "```{code-block} python\nraise SystemExit(1)\n```\n"
    )
