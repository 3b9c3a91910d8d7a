"""inotify's constants put to use: the mask for an interest, the meaning of a record's mask."""

from __future__ import annotations

from typing import NamedTuple

from fam_inotify.binding import pyinotify
from famcore.backend import Interest, Kind


class Own(NamedTuple):
    """What a record without a name says: of the watched thing, or of the whole queue."""

    kind: Kind
    is_directory: bool | None = None
    #: The thing itself is gone.
    ends: bool = False
    #: The kernel's watch goes on although the thing is no longer at its path.
    outlives: bool = False


def watch_masks() -> list[int]:
    """The mask to watch with, by interest.

    No IN_OPEN, IN_ACCESS or IN_CLOSE_*: reading and opening are no events, and would fill the
    kernel's queue.
    """
    c = pyinotify()
    goes = c.IN_DELETE_SELF | c.IN_MOVE_SELF | c.IN_DONT_FOLLOW | c.IN_EXCL_UNLINK
    entries = goes | c.IN_CREATE | c.IN_DELETE | c.IN_MOVED_FROM | c.IN_MOVED_TO
    masks = [0] * (Interest.ALL + 1)
    masks[Interest.SELF] = goes
    masks[Interest.ENTRIES] = entries
    masks[Interest.ALL] = entries | c.IN_MODIFY | c.IN_ATTRIB
    return masks


def write_mask() -> int:
    """The mask of a record of a write to a file."""
    return int(pyinotify().IN_MODIFY)


def entry_kinds() -> dict[int, tuple[Kind, bool]]:
    """The mask of a record with a name → what it says, and whether of a directory."""
    c = pyinotify()
    said = {
        c.IN_CREATE: Kind.CREATED,
        c.IN_MOVED_TO: Kind.CREATED,
        c.IN_MODIFY: Kind.CHANGED,
        c.IN_ATTRIB: Kind.CHANGED,
        c.IN_DELETE: Kind.DELETED,
        c.IN_MOVED_FROM: Kind.DELETED,
    }
    return {
        mask | flag: (kind, bool(flag)) for mask, kind in said.items() for flag in (0, c.IN_ISDIR)
    }


def own_kinds() -> dict[int, Own]:
    """The mask of a record without a name → what it says. IN_IGNORED repeats an end: not here."""
    c = pyinotify()
    ends = Own(Kind.GONE, ends=True)
    moved = Own(Kind.GONE, outlives=True)
    return {
        c.IN_MODIFY: Own(Kind.CHANGED, is_directory=False),
        c.IN_ATTRIB: Own(Kind.CHANGED, is_directory=False),
        c.IN_ATTRIB | c.IN_ISDIR: Own(Kind.CHANGED, is_directory=True),
        c.IN_DELETE_SELF: ends,
        c.IN_DELETE_SELF | c.IN_ISDIR: ends,
        c.IN_UNMOUNT: ends,
        c.IN_UNMOUNT | c.IN_ISDIR: ends,
        c.IN_MOVE_SELF: moved,
        c.IN_MOVE_SELF | c.IN_ISDIR: moved,
        c.IN_Q_OVERFLOW: Own(Kind.RESCAN),
    }
