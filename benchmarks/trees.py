"""Trees of directories: ten in each, ten at the top."""

from __future__ import annotations

import os


def directories(count: int) -> list[str]:
    """So many directories, relative to the top, parents first."""
    paths: list[str] = []
    for number in range(count):
        name = f"d{number}"
        paths.append(name if number < 10 else os.path.join(paths[number // 10 - 1], name))
    return paths


def make(top: str, count: int, files: int = 0) -> None:
    """Make so many directories, unless they are there, with so many files in each."""
    paths = [os.path.join(top, path) for path in directories(count)]
    if not paths or os.path.exists(paths[-1]):
        return
    for path in paths:
        os.mkdir(path)
        for number in range(files):
            touch(os.path.join(path, f"file{number}"))


def touch(path: str) -> None:
    """Make a file, at the price of one record of what a watcher asks for."""
    os.close(os.open(path, os.O_CREAT | os.O_WRONLY))
