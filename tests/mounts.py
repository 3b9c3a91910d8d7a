"""One case of mounting, in a mount namespace of its own.

    mounts.py DIRECTORY CASE

What does not hold is printed.
"""

from __future__ import annotations

import os
import subprocess
import sys

from famcore import DEFAULT_IGNORE
from famcore.catalog import find_backend
from famcore.testing import Recorder


class Place:
    """A tree with monitors on it, and mounts in it."""

    def __init__(self, top):
        self.top = top
        self.recorder = Recorder(find_backend("inotify").backend, DEFAULT_IGNORE)

    def path(self, name):
        return f"{self.top}/{name}"

    def touch(self, *names):
        for name in names:
            os.makedirs(os.path.dirname(self.path(name)), exist_ok=True)
            with open(self.path(name), "a") as file:
                file.write("x")

    def monitor(self, name, *, recursive=False):
        return self.recorder.monitor(self.path(name), recursive=recursive)

    def mount(self, name):
        run("mount", "-t", "tmpfs", "none", self.path(name))

    def unmount(self, name, *options):
        run("umount", *options, self.path(name))

    def settle(self, *expected):
        """Come to rest. `expected`: a log, and what it was told, in any order."""
        self.recorder.rest()
        for wrong in self.recorder.wrongs():
            print(wrong)
        for log, wanted in expected:
            told = sorted(f"{event.action} {event.filename}" for event in log.events)
            if told != sorted(wanted):
                print(f"{log.path} was told {told}, not {sorted(wanted)}")
        self.recorder.forget()


def run(*command):
    subprocess.run(command, check=True)


def mounted(place):
    place.touch("d/under", "d/same")
    plain, every = place.monitor("d"), place.monitor("", recursive=True)
    place.settle()
    place.mount("d")
    wanted = ["deleted under", "deleted same", f"changed {plain.path}"]
    place.settle((plain, wanted), (every, ["deleted d/under", "deleted d/same"]))


def written(place):
    place.touch("d/under")
    plain, missing = place.monitor("d"), place.monitor("d/file")
    place.settle()
    place.mount("d")
    place.settle()
    place.touch("d/file")
    place.settle((missing, [f"created {missing.path}"]))
    place.touch("d/other")
    place.settle((plain, ["created other", "changed other"]))


def unmounted(place):
    place.touch("d/under")
    place.mount("d")
    place.touch("d/on")
    plain = place.monitor("d")
    place.monitor("d/under")
    place.settle()
    place.unmount("d")
    place.settle()
    place.touch("d/later")
    place.settle((plain, ["created later", "changed later"]))


def lazily(place):
    place.touch("d/under")
    place.mount("d")
    place.touch("d/on")
    plain = place.monitor("d")
    place.settle()
    with open(place.path("d/on")) as in_use:
        place.unmount("d", "--lazy")
        place.settle()
        place.touch("d/later")
        place.settle((plain, ["created later", "changed later"]))
        in_use.read()


def anew(place):
    place.touch("d/under")
    place.monitor("d")
    place.monitor("", recursive=True)
    place.settle()
    for number in range(10):
        place.mount("d")
        place.touch(f"d/a{number}")
        place.unmount("d")
        place.mount("d")
        place.touch(f"d/b{number}")
        place.settle()
        place.touch(f"d/c{number}")
        place.settle()
        place.unmount("d")


def above(place):
    place.touch("a/b/c/file")
    plain, file = place.monitor("a/b/c"), place.monitor("a/b/c/file")
    place.settle()
    place.mount("a")
    gone = ["deleted file", f"deleted {plain.path}"]
    place.settle((plain, gone), (file, [f"deleted {file.path}"]))
    place.touch("a/b/c/file")
    place.settle((file, [f"created {file.path}"]))
    place.unmount("a")
    place.settle()
    place.touch("a/b/c/file")
    place.settle((plain, ["changed file"]), (file, [f"changed {file.path}"]))


def deep(place):
    place.touch("a/b/c/file", "a/file")
    every = place.monitor("", recursive=True)
    place.settle()
    place.mount("a/b")
    place.settle((every, ["deleted a/b/c/file", "deleted a/b/c"]))
    place.touch("a/b/other/file")
    place.settle()
    place.unmount("a/b")
    place.settle()
    place.touch("a/b/c/file")
    place.settle((every, ["changed a/b/c/file"]))


def file(place):
    place.touch("d/file", "other")
    plain, itself = place.monitor("d"), place.monitor("d/file")
    place.settle()
    run("mount", "--bind", place.path("other"), place.path("d/file"))
    place.settle((plain, ["changed file"]), (itself, [f"changed {itself.path}"]))
    place.touch("other")
    place.settle((itself, [f"changed {itself.path}"]))
    place.unmount("d/file")
    place.settle((plain, ["changed file"]), (itself, [f"changed {itself.path}"]))


def twice(place):
    place.touch("d/x", "e/hidden")
    run("mount", "--bind", place.path("d"), place.path("e"))
    logs = place.monitor("d"), place.monitor("e")
    place.settle()
    for old, new in (("x", "y"), ("y", "z")):
        os.rename(place.path(f"d/{old}"), place.path(f"d/{new}"))
        place.recorder.rest()
        for log in logs:
            told = [(event.filename, event.moved_from) for event in log.events[1:]]
            if told != [(new, old)]:
                print(f"{log.path} was told of {told}, not of {new} from {old}")
        place.settle()


def lesser(place):
    place.touch("d/sub/file", "e/hidden")
    run("mount", "--bind", place.path("d"), place.path("e"))
    whole = place.monitor("d")
    place.settle()
    place.monitor("e/sub")
    place.settle()
    place.touch("d/new")
    place.settle((whole, ["created new", "changed new"]))


def odd(place):
    place.touch("a b\n\\c/under")
    plain = place.monitor("a b\n\\c")
    place.settle()
    place.mount("a b\n\\c")
    place.settle((plain, ["deleted under", f"changed {plain.path}"]))


def elsewhere(place):
    place.touch("d/file", "other/file")
    place.monitor("d", recursive=True)
    place.settle()
    place.mount("other")
    place.settle()
    place.unmount("other")
    place.settle()
    for reason in place.recorder.resynced:
        print(f"compared: {reason}")


def main():
    _, top, case = sys.argv
    place = Place(top)
    with place.recorder:
        globals()[case](place)


if __name__ == "__main__":
    main()
