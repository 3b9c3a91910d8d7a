"""A consumer that keeps a directory's files in memory, as the Bcfg2 server's plugins do.

Written from what Bcfg2's `DirectoryBacked` is documented to do with the events it is given.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from famcore import hookimpl
from famcore.testing import chaos

CHAOS = ("-m", chaos.__name__)
#: What no event tells: a file written by another name, and where links lead.
LEFT_OUT = "link", "symlink", "relink", "way", "socket"
OPERATIONS = 1_000
#: How often so many are done, and the view looked at.
STAGES = 5
SEEDS = range(3)
#: Seconds without an event.
QUIET = 0.1


class FileBacked:
    """A file's content, read whenever an event tells that it may be another."""

    def __init__(self, name):
        self.name = name
        self.data = None

    def HandleEvent(self, event):
        # What can't be read has gone: `deleted` is on its way.
        try:
            self.data = Path(self.name).read_bytes()
        except OSError:
            self.data = None


class DirectoryBacked:
    """The files below a directory, by their relative names, a monitor on each directory."""

    def __init__(self, fam, data):
        self.fam = fam
        self.data = os.path.normpath(data)
        #: Relative name → file.
        self.entries = {}
        #: Request ID → the directory's relative name.
        self.handles = {}
        self.unknown = []
        self.add_directory_monitor("")

    def add_directory_monitor(self, relative):
        path = os.path.join(self.data, relative)
        if relative not in self.handles.values() and os.path.isdir(path):
            try:
                request_id = self.fam.AddMonitor(path, self)
            except OSError:
                # Gone meanwhile, with the directory above, whose monitor tells when it is back.
                return
            self.handles[request_id] = relative

    def HandleEvent(self, event):
        if event.requestID not in self.handles:
            self.unknown.append(event)
            return
        action = event.code2str()
        if action == "endExist":
            return
        event.filename = os.path.normpath(event.filename)
        if event.filename.startswith(self.data):
            # The monitored directory's own.
            event.filename = event.filename[len(self.data) + 1 :]
            relative = event.filename
        else:
            relative = os.path.join(self.handles[event.requestID], event.filename)
        if action == "deleted":
            # And what was in it. Bcfg2 would forget what is called alike, too: nothing is here.
            for name in [name for name in self.entries if name.startswith(relative)]:
                del self.entries[name]
        elif os.path.isdir(os.path.join(self.data, relative)):
            self.add_directory_monitor(relative)
        else:
            if action != "changed" or relative not in self.entries:
                self.entries[relative] = FileBacked(os.path.join(self.data, relative))
            self.entries[relative].HandleEvent(event)

    def view(self):
        return {name: file.data for name, file in self.entries.items()}


class Errors:
    def __init__(self):
        self.told = []

    @hookimpl
    def fam_error(self, plugin_name, error):
        self.told.append(error)


def on_disk(root):
    view = {}
    for path, _, names in os.walk(root):
        for name in names:
            file = Path(path, name)
            view[str(file.relative_to(root))] = file.read_bytes()
    return view


def differences(view, disk):
    for name in sorted({*view, *disk}):
        if view.get(name, "nothing") != disk.get(name, "nothing"):
            yield f"{name}: {view.get(name, 'nothing')} is not {disk.get(name, 'nothing')}"


def handle_event_set(fam, lock):
    fam.handle_event_set(lock)


def handle_events(fam, lock):
    fam.handle_events(0.01)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("handle", [handle_event_set, handle_events])
def test_its_view_is_what_is_on_disk(handle, seed, make_fam, tmp_path):
    place = tmp_path / "1"
    for name in ("root", "out"):
        (place / name).mkdir(parents=True)
    chance = random.Random(seed)

    def begin(count):
        arguments = [place, str(chance.randrange(2**32)), str(count), *LEFT_OUT]
        return subprocess.Popen([sys.executable, *CHAOS, *arguments])

    # That there is something at first.
    assert begin(200).wait() == 0
    errors = Errors()
    fam = make_fam(consumers=[errors])
    backed = DirectoryBacked(fam, place / "root")
    lock = threading.Lock()
    for stage in range(STAGES):
        with begin(OPERATIONS) as operations:
            while operations.poll() is None:
                handle(fam, lock)
        assert operations.returncode == 0
        fam.handle_events_in_interval(QUIET)
        differ = list(differences(backed.view(), on_disk(place / "root")))
        assert differ == [], f"seed {seed}, stage {stage}"
    assert errors.told == []
    assert backed.unknown == []
