"""Much done to files at full speed, by a process of its own: storms.py STORM DIRECTORY [COUNT]

All is done in `root` of the directory and, where trees come from outside or leave, in `out`.
"""

from __future__ import annotations

import os
import random
import sys

#: Files of the burst.
FILES = 100_000
CHAINS = 300
#: Directories of a chain, each in the one before.
DEPTH = 6
TREES = 150
#: Where a tree is, one time after the other.
STOPS = 5


def make(path):
    os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY))


def write(path):
    with open(path, "x") as file:
        file.write("content\n")


def burst(place, count=FILES):
    for number in range(int(count)):
        make(os.path.join(place, "root", f"{number:06}"))


def chains(place):
    """As `mkdir -p` and what comes after it; every other time a level is filled as it is made."""
    for number in range(CHAINS):
        levels = [os.path.join(place, "root", str(number))]
        levels += [levels[0] + "/level" * depth for depth in range(1, DEPTH)]
        if number % 2:
            os.makedirs(levels[-1])
        for level in levels:
            if not number % 2:
                os.mkdir(level)
            write(f"{level}/file")


def ways():
    """Where each tree is, one time after the other: no path is used twice."""
    chance = random.Random(0)
    for tree in range(TREES):
        stops = [("root", "out")[tree % 2]]
        while len(stops) < STOPS:
            stops.append(chance.choice(("root", "root/left", "root/left/right", "out")))
        yield [f"{stop}/{tree}-{number}" for number, stop in enumerate(stops)]


def below(top):
    return top, f"{top}/a", f"{top}/a/b", f"{top}/c"


def moves(place):
    """Trees renamed in, about and out; each time files are written right after in all of it."""
    os.chdir(place)
    os.makedirs("root/left/right")
    for stops in ways():
        for directory in below(stops[0]):
            os.mkdir(directory)
        for number, stop in enumerate(stops):
            if number:
                os.rename(stops[number - 1], stop)
            for directory in below(stop):
                write(f"{directory}/{number}")


STORMS = {storm.__name__: storm for storm in (burst, chains, moves)}

if __name__ == "__main__":
    STORMS[sys.argv[1]](*sys.argv[2:])
