"""`select.kqueue` for Linux, by inotify: EVFILT_VNODE as the BSDs' manuals have it, and no more.

It notes of an open file or directory what kevent(2) of FreeBSD says is noted, merged into one event
until that is taken; inotify's names are thrown away. A descriptor that was closed is noted no more.

It is kinder than a kernel in this: a note may come some µs later, and a directory's end is noticed
by what its parent tells.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import select
import stat
import struct
from typing import NamedTuple

KQ_FILTER_VNODE = -4
KQ_EV_ADD, KQ_EV_DELETE, KQ_EV_CLEAR = 0x1, 0x2, 0x20
KQ_NOTE_DELETE, KQ_NOTE_WRITE, KQ_NOTE_EXTEND, KQ_NOTE_ATTRIB = 0x1, 0x2, 0x4, 0x8
KQ_NOTE_LINK, KQ_NOTE_RENAME, KQ_NOTE_REVOKE = 0x10, 0x20, 0x40

_MODIFY, _ATTRIB, _MOVED_FROM, _MOVED_TO = 0x2, 0x4, 0x40, 0x80
_CREATE, _DELETE, _MOVE_SELF = 0x100, 0x200, 0x800
_OVERFLOW, _IGNORED, _IS_DIRECTORY = 0x4000, 0x8000, 0x40000000
_ALL = _MODIFY | _ATTRIB | _MOVED_FROM | _MOVED_TO | _CREATE | _DELETE | _MOVE_SELF

_RECORD = struct.Struct("iIII")
_LIBC = ctypes.CDLL(None, use_errno=True)


class kevent(NamedTuple):  # noqa: N801  # as Python calls it
    ident: int
    filter: int = -1
    flags: int = KQ_EV_ADD
    fflags: int = 0
    data: int = 0
    udata: int = 0


class _Knote:
    """What is registered of one descriptor, and what was noted since it was last told."""

    def __init__(self, asked, watch, parent):
        status = os.fstat(asked.ident)
        self.asked = asked
        self.thing = status.st_dev, status.st_ino
        self.is_directory = stat.S_ISDIR(status.st_mode)
        self.links = status.st_nlink
        self.path = os.readlink(f"/proc/self/fd/{asked.ident}")
        self.watch, self.parent = watch, parent
        self.noted = 0

    def is_open(self):
        try:
            status = os.fstat(self.asked.ident)
        except OSError:
            return False
        return (status.st_dev, status.st_ino) == self.thing

    def notes(self, mask):
        """What the record of its own watch says."""
        notes = 0
        if self.is_directory and mask & (_CREATE | _DELETE | _MOVED_FROM | _MOVED_TO):
            notes |= KQ_NOTE_WRITE
            if mask & _IS_DIRECTORY:
                notes |= KQ_NOTE_LINK
            if mask & (_MOVED_FROM | _MOVED_TO):
                notes |= KQ_NOTE_EXTEND
        elif not self.is_directory and mask & _MODIFY:
            notes |= KQ_NOTE_WRITE | KQ_NOTE_EXTEND
        if mask & _MOVE_SELF:
            notes |= KQ_NOTE_RENAME
        if mask & _ATTRIB:
            notes |= self.links_noted() or KQ_NOTE_ATTRIB
        return notes

    def links_noted(self):
        """What is noted of names that it got or lost."""
        if self.is_directory:
            # Its number of links is 1 for ever on some filesystems.
            is_gone = os.readlink(f"/proc/self/fd/{self.asked.ident}").endswith(" (deleted)")
            return KQ_NOTE_DELETE if is_gone else 0
        before, self.links = self.links, os.fstat(self.asked.ident).st_nlink
        if self.links < before:
            return KQ_NOTE_DELETE
        return KQ_NOTE_LINK if self.links > before else 0


class kqueue:  # noqa: N801
    def __init__(self):
        self._inotify = _checked(_LIBC.inotify_init1(os.O_CLOEXEC | os.O_NONBLOCK))
        self._more = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        self._either = select.epoll()
        for descriptor in (self._inotify, self._more):
            self._either.register(descriptor, select.EPOLLIN)
        self._knotes = {}  # in the order in which they were noted first
        self._by_watch = {}

    def fileno(self):
        return self._either.fileno()

    def close(self):
        if self._more >= 0:
            self._either.close()
            os.close(self._inotify)
            os.close(self._more)
            self._more = -1

    def control(self, changelist, max_events, timeout=None):
        for change in changelist or ():
            self._change(change)
        if not max_events:
            return []
        assert timeout == 0, "it has no way to wait"
        self._read()
        told = []
        for ident, knote in list(self._knotes.items()):
            if not knote.is_open():
                self._forget(ident)
            elif knote.noted and len(told) < max_events:
                told.append(knote.asked._replace(fflags=knote.noted))
                knote.noted = 0
        with contextlib.suppress(BlockingIOError):
            os.eventfd_read(self._more)
        if any(knote.noted for knote in self._knotes.values()):
            os.eventfd_write(self._more, 1)
        return told

    def _change(self, asked):
        assert asked.filter == KQ_FILTER_VNODE, "files and directories alone are known here"
        if asked.flags & KQ_EV_DELETE:
            self._forget(asked.ident)
            return
        assert asked.flags == KQ_EV_ADD | KQ_EV_CLEAR, "it knows no other way to ask"
        self._read()
        knote = self._knotes.get(asked.ident)
        if knote is not None and knote.is_open():
            knote.asked = asked
            return
        if knote is not None:
            self._forget(asked.ident)
        path = f"/proc/self/fd/{asked.ident}"
        watch = self._watch(path)
        parent = None
        if stat.S_ISDIR(os.fstat(asked.ident).st_mode):
            parent = self._watch(os.path.dirname(os.readlink(path)))
        knote = self._knotes[asked.ident] = _Knote(asked, watch, parent)
        for each in (watch, parent):
            self._by_watch.setdefault(each, set()).add(asked.ident)

    def _watch(self, path):
        return _checked(_LIBC.inotify_add_watch(self._inotify, os.fsencode(path), _ALL))

    def _forget(self, ident):
        knote = self._knotes.pop(ident, None)
        if knote is None:
            return
        for each in (knote.watch, knote.parent):
            idents = self._by_watch.get(each, set())
            idents.discard(ident)
            if not idents and each is not None:
                self._by_watch.pop(each, None)
                _LIBC.inotify_rm_watch(self._inotify, each)

    def _read(self):
        while True:
            try:
                data = os.read(self._inotify, 65536)
            except BlockingIOError:
                return
            offset = 0
            while offset < len(data):
                watch, mask, _, length = _RECORD.unpack_from(data, offset)
                offset += _RECORD.size + length
                if mask & _OVERFLOW:
                    self._note_all()
                for ident in list(self._by_watch.get(watch, ())):
                    self._note(ident, watch, mask, has_name=bool(length))

    def _note_all(self):
        """inotify's queue was too short, which kqueue has none of: whatever may be is noted."""
        for knote in self._knotes.values():
            if knote.is_open():
                notes = KQ_NOTE_WRITE | knote.links_noted()
                if os.readlink(f"/proc/self/fd/{knote.asked.ident}") != knote.path:
                    notes |= KQ_NOTE_RENAME
                knote.noted |= notes & knote.asked.fflags

    def _note(self, ident, watch, mask, *, has_name):
        knote = self._knotes[ident]
        # The number of an inode that is gone may be another's by now.
        if not knote.is_open() or (mask & _IGNORED and watch == knote.watch):
            self._forget(ident)
            return
        notes = 0
        if watch == knote.watch:
            # Of an entry that was written to or had its mode changed, a directory notes nothing.
            notes |= knote.notes(mask & ~(_MODIFY | _ATTRIB) if has_name else mask)
        if watch == knote.parent:
            notes |= knote.links_noted()
        notes &= knote.asked.fflags
        if notes:
            if not knote.noted:
                self._knotes[ident] = self._knotes.pop(ident)
            knote.noted |= notes


def _checked(result):
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result


def install(monkeypatch):
    """Have `select` say what this module says."""
    for name, value in globals().items():
        if name.startswith("KQ_") or name in ("kqueue", "kevent"):
            monkeypatch.setattr(select, name, value, raising=False)
