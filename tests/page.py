"""Runs the code on a page of the documentation as who reads it would: `python page.py PAGE`.

In the order of the page, in the working directory, by the commands beside this Python:
`python`   blocks run in one namespace; an `output` block after one is what that prints.
`console`  blocks are typed into one bash: a line that begins with `$ ` is a command, `> ` goes on
           with it, other lines are what is to be seen before the next command is typed. A command
           that ends with `&` may go on telling.
Where output is compared `...` stands for anything in a line, or alone for any lines.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import select
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

#: Seconds that a command may take until it has ended and all that is to be seen is there.
DEADLINE = 30.0

FENCE = re.compile(r"(?P<indent> *)(?P<ticks>`{3,})(?P<kind>[^`]*)")

#: Reads commands that end with NUL; says after each how many jobs go on.
BASH = r"""
restore() { return "$status"; }
status=0
while IFS= read -rd '' command; do
    restore
    eval "$command" </dev/null
    status=$?
    printf '\1%d\2' "$(jobs -rp | wc -l)"
done
"""
DONE = re.compile("\1(\\d+)\2")


class Wrong(Exception):
    """The page does not hold."""


class Block(NamedTuple):
    """What stands between two fences."""

    kind: str
    #: The number of its first line.
    line: int
    text: str


class Command(NamedTuple):
    """One of a console, and what is to be seen of it."""

    line: int
    text: str
    seen: str


def blocks_of(page: str) -> Iterator[Block]:
    lines = enumerate(page.splitlines(), 1)
    for number, line in lines:
        fence = FENCE.fullmatch(line)
        if fence is None:
            continue
        held: list[str] = []
        for _, inner in lines:
            if inner.strip() == fence["ticks"]:
                break
            held.append(inner.removeprefix(fence["indent"]))
        else:
            raise Wrong(f"line {number}: the block has no end")
        yield Block(fence["kind"].strip(), number + 1, "".join(f"{each}\n" for each in held))


def is_run(block: Block) -> bool:
    return block.kind in ("python", "console")


def commands_of(block: Block) -> Iterator[Command]:
    lines = block.text.splitlines()
    starts = [at for at, line in enumerate(lines) if line.startswith("$ ")]
    if starts[:1] != [0]:
        raise Wrong(f"line {block.line}: a console begins with `$ ` and a command")
    for start, end in zip(starts, [*starts[1:], len(lines)], strict=True):
        seen = start + 1
        while seen < end and lines[seen].startswith("> "):
            seen += 1
        text = "\n".join(line[2:] for line in lines[start:seen])
        yield Command(block.line + start, text, "\n".join(lines[seen:end]))


def holds(expected: str, text: str) -> bool:
    """Whether `text` is what is `expected`, but for blanks at the ends of lines."""
    pattern = "".join(
        r"(?:.*\n)*?"
        if line.strip() == "..."
        else ".*".join(map(re.escape, line.rstrip().split("..."))) + "\n"
        for line in expected.splitlines()
    )
    lines = "".join(f"{line.rstrip()}\n" for line in text.splitlines())
    return re.fullmatch(pattern, lines) is not None


class Shell:
    """A bash that is told one command at a time."""

    def __init__(self) -> None:
        self._bash = subprocess.Popen(
            ["bash", "-c", BASH],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            bufsize=0,
        )
        assert self._bash.stdin
        assert self._bash.stdout
        self._in, self._out = self._bash.stdin, self._bash.stdout

    def run(self, command: Command) -> None:
        self._in.write(command.text.encode() + b"\0")
        self._await(command)

    def end(self) -> None:
        """Nothing may go on, nor be seen that the page does not show."""
        self._in.close()
        self._await(Command(0, "the end of the page", ""), until_closed=True)

    def close(self) -> None:
        """End it; what it has started may go on."""
        self._bash.kill()
        self._bash.wait()
        self._in.close()
        self._out.close()

    def _await(self, command: Command, *, until_closed: bool = False) -> None:
        deadline = time.monotonic() + DEADLINE
        read, jobs = b"", None
        while True:
            left = deadline - time.monotonic()
            closed = False
            if left > 0 and select.select([self._out], [], [], left)[0]:
                data = os.read(self._out.fileno(), 65536)
                closed = not data
                read += data
            said = read.decode(errors="backslashreplace")
            if (done := DONE.search(said)) is not None:
                jobs = int(done[1])
                said = said.replace(done[0], "", 1)
            is_over = closed if until_closed else jobs is not None
            if is_over and holds(command.seen, said):
                return
            if closed or jobs == 0 or left <= 0:
                late = "" if is_over else ", and it has not ended"
                raise Wrong(
                    f"line {command.line}: {command.text}\n"
                    f"is to bring\n{command.seen}\nand brings{late}\n{said}"
                )


def run_page(path: Path) -> None:
    page = path.read_text()
    names = {"__name__": "__main__"}
    printed: str | None = None
    with contextlib.closing(Shell()) as shell:
        for block in blocks_of(page):
            if block.kind == "python":
                printed = run_python(block, path, names)
            elif block.kind == "output":
                check_output(block, printed)
                printed = None
            elif block.kind == "console":
                for command in commands_of(block):
                    shell.run(command)
        shell.end()


def check_output(block: Block, printed: str | None) -> None:
    if printed is None:
        raise Wrong(f"line {block.line}: there is no python block whose output it could be")
    if not holds(block.text, printed):
        raise Wrong(f"line {block.line}: to be printed is\n{block.text}\nand is\n{printed}")


def run_python(block: Block, path: Path, names: dict[str, Any]) -> str:
    """Run it; errors tell its lines by their numbers on the page. What it prints is returned."""
    printed = io.StringIO()
    code = compile("\n" * (block.line - 1) + block.text, str(path), "exec")
    with contextlib.redirect_stdout(printed):
        exec(code, names)
    return printed.getvalue()


if __name__ == "__main__":
    os.environ["PATH"] = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    os.environ["LC_ALL"] = "C.UTF-8"
    os.environ.pop("FAM_BACKEND", None)
    try:
        run_page(Path(sys.argv[1]))
    except Wrong as wrong:
        sys.exit(f"{sys.argv[1]}: {wrong}")
