"""Random operations on files, at full speed.

    python -m famcore.testing.chaos DIRECTORY SEED COUNT [OPERATION left out...]

They are done in `root` of the directory, now and then in `out` or from one to the other. `way` is
a symbolic link to one of the two.
"""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import stat
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

from famcore.testing.actions import NotHere, exchange

Operation = Callable[[str, str, int], None]
#: `random.Random.choice`, of one or another.
Choice = Callable[[Sequence[Any]], Any]

# Each is given two paths and a number of its own. No name is the beginning of another, for those
# who forget names by what they begin with.


def write(path: str, other: str, number: int) -> None:
    """Write a file anew, or make it."""
    with open(path, "w") as file:
        file.write(f"{number}\n")


def append(path: str, other: str, number: int) -> None:
    """Write more to a file, or make it."""
    with open(path, "a") as file:
        file.write(f"{number}\n")


def save(path: str, other: str, number: int) -> None:
    """As editors do: a new file takes the place of the old one."""
    write(aside(path), other, number)
    os.rename(aside(path), path)


def mkdir(path: str, other: str, number: int) -> None:
    """Make a directory."""
    os.mkdir(path)


def makedirs(path: str, other: str, number: int) -> None:
    """Directories one in the other, with files that are written at once."""
    for below in ("", "/a", "/a/b"):
        os.mkdir(path + below)
        write(f"{path}{below}/c", other, number)


def rename(path: str, other: str, number: int) -> None:
    """Rename anything, over what is there."""
    os.rename(path, other)


def swap(path: str, other: str, number: int) -> None:
    """Exchange two names."""
    exchange(path, other).run(".")


def unlink(path: str, other: str, number: int) -> None:
    """Remove anything but a directory."""
    os.unlink(path)


def rmdir(path: str, other: str, number: int) -> None:
    """Remove an empty directory."""
    os.rmdir(path)


def rmtree(path: str, other: str, number: int) -> None:
    """Remove a directory with all in it."""
    shutil.rmtree(path)


def replace(path: str, other: str, number: int) -> None:
    """Another kind takes its place: a file a directory's, a directory with a file in it others'."""
    os.lstat(path)
    if os.path.isdir(path) and not os.path.islink(path):
        write(aside(path), other, number)
    else:
        os.mkdir(aside(path))
        write(f"{aside(path)}/c", other, number)
    if number % 2:
        exchange(aside(path), path).run(".")
        remove_any(aside(path))
    else:
        remove_any(path)
        os.rename(aside(path), path)


def chmod(path: str, other: str, number: int) -> None:
    """Set the permissions."""
    os.chmod(path, 0o700 | number % 8)


def socket(path: str, other: str, number: int) -> None:
    """Make a socket."""
    os.mknod(path, stat.S_IFSOCK | 0o600)


def link(path: str, other: str, number: int) -> None:
    """Give a file a second name."""
    os.link(path, other)


def symlink(path: str, other: str, number: int) -> None:
    """To a file, a directory, another link, itself or nothing; never out of the directory."""
    names = other.partition("/")[2]
    os.symlink((os.path.abspath(other), names, f"../{names}")[number % 3], path)


def relink(path: str, other: str, number: int) -> None:
    """A new link takes the place of the old one, as Kubernetes' `..data`."""
    symlink(aside(path), other, number)
    os.rename(aside(path), path)


def way(path: str, other: str, number: int) -> None:
    """Have the link lead to the one or the other."""
    os.symlink("out" if number % 2 else "root", "tway")
    os.rename("tway", "way")


def root_chmod(path: str, other: str, number: int) -> None:
    """Set the directory's own permissions."""
    os.chmod("root", 0o700 | number % 8)


def root_away(path: str, other: str, number: int) -> None:
    """Renamed away and back, a file written meanwhile."""
    os.rename("root", "away")
    with contextlib.suppress(OSError):
        write(path.replace("root", "away", 1), other, number)
    os.rename("away", "root")


def root_anew(path: str, other: str, number: int) -> None:
    """Remove the directory with all in it, and make it again."""
    shutil.rmtree("root")
    os.mkdir("root")


#: How often each is done, beside the others.
OPERATIONS: dict[Operation, int] = {
    write: 60,
    append: 40,
    save: 30,
    mkdir: 60,
    makedirs: 60,
    rename: 120,
    swap: 30,
    unlink: 30,
    rmdir: 20,
    rmtree: 20,
    replace: 30,
    chmod: 30,
    socket: 5,
    link: 60,
    symlink: 30,
    relink: 20,
    way: 3,
    root_chmod: 2,
    root_away: 3,
    root_anew: 1,
}


def named(do: Operation) -> str:
    """What an operation is called."""
    return str(getattr(do, "__name__", do))


def aside(path: str) -> str:
    """A name of its own beside `path`."""
    head, _, name = path.rpartition("/")
    return f"{head}/t{name}"


def remove_any(path: str) -> None:
    """Remove whatever it is."""
    if os.path.isdir(path) and not os.path.islink(path):
        shutil.rmtree(path)
    else:
        os.unlink(path)


def prepare(place: str | os.PathLike[str]) -> None:
    """Make the directories, and the link to them."""
    for name in ("root", "out"):
        os.makedirs(f"{place}/{name}")
    os.symlink("root", f"{place}/way")


def any_paths(choice: Choice, do: Operation) -> tuple[str, str]:
    """Two places to do it. Directories are never called w or x, so nobody monitors these twice."""
    last = "abcd" if do in (mkdir, makedirs, replace) else choice(("abcd", "abcd", "wx"))
    path, other = (
        [choice(("root",) * 9 + ("out",)), *(choice("abcd") for _ in range(depth)), choice(last)]
        for depth in (choice((0, 0, 1, 1, 2)), choice((0, 0, 1, 1, 2)))
    )
    return "/".join(path), "/".join(other)


def any_monitored(choice: Choice) -> str:
    """Where somebody may monitor what is done: by links, too, and where nothing is."""
    names = [choice("abcdw") for _ in range(choice((0, 1, 1, 2, 3)))]
    return "/".join([choice(("root",) * 6 + ("way", "way", "out", "root/../out")), *names])


def main(place: str, seed: str, count: str, *left_out: str) -> None:
    """Do so many of them."""
    chance = random.Random(int(seed))
    # Who never comes to rest meanwhile only looks at what came of it all.
    rests = chance.choice((0, 0.01, 0.05))
    os.chdir(place)
    weights = {do: often for do, often in OPERATIONS.items() if named(do) not in left_out}
    for number, do in enumerate(chance.choices(list(weights), [*weights.values()], k=int(count))):
        path, other = any_paths(chance.choice, do)
        with contextlib.suppress(OSError, NotHere):
            do(path, other, number)
        if chance.random() < rests:
            time.sleep(chance.uniform(0, 0.004))


if __name__ == "__main__":
    main(*sys.argv[1:])
