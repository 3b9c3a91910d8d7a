"""What the backends hold on behalf of the tree: which node is watched by which key."""

from __future__ import annotations

import errno
import time
from collections import deque
from collections.abc import Hashable

from famcore.backend import Backend, Interest
from famcore.errors import BackendLost, BackendUnavailable, FamError, PluginError
from famcore.snapshot import Found, identify, is_missing
from famcore.tree.audit import Audit
from famcore.tree.doubts import Doubts
from famcore.tree.gaps import Gaps
from famcore.tree.node import Node
from famcore.tree.notices import Failed, Notice
from famcore.tree.pause import Pause
from famcore.tree.source import Source, Twin

#: Seconds until a lost backend that did not last is opened again, at first.
_FIRST_PAUSE = 0.1


class Watches:
    """The backends in use, which node is watched by which, and which by none."""

    def __init__(
        self,
        longest_pause: float,
        gaps: Gaps,
        doubts: Doubts,
        audit: Audit,
        notices: deque[Notice],
    ) -> None:
        self._longest_pause = longest_pause
        self.sources: list[Source] = []
        self._gaps = gaps
        self._doubts = doubts
        self._audit = audit
        self._notices = notices

    # --- one node

    def cover(self, node: Node, interest: Interest | None) -> bool:
        """Watch what is at `node` now; true if that is the very thing that was watched before.

        Raises the system's `OSError` if nothing is there (`is_missing`). What else keeps it from
        being watched becomes a gap.
        """
        if interest is None:
            self.release(node)
            self._gaps.drop(node)
            return True
        source, backend = self._source_for(node)
        before = time.time()
        try:
            if backend is None:
                raise _said(source)
            same = self._watch(source, backend, node, interest)
        except (Exception, SystemExit) as error:
            if is_missing(error):
                self.release(node)
                raise
            if isinstance(error, OSError) and _is_another(node):
                # What it was said of: a socket, say, that has come there and can't be opened.
                self.release(node)
                raise FileNotFoundError(errno.ENOENT, "it is another by now", node.path) from None
            if isinstance(error, PluginError) or not isinstance(error, OSError | FamError):
                self._blame(source, error)
            self.miss(node, error)
            return False
        self._gaps.watched(node)
        if source.is_inexact and not same:
            self._audit.watched(node, before)
        return same

    def _watch(self, source: Source, backend: Backend, node: Node, interest: Interest) -> bool:
        """Watch `node` with `interest`, and with what other nodes of the same thing need."""
        path = node.path
        wanted = interest
        if node.source is source:
            wanted = max(wanted, source.widest(node.key, but=node))
        before = time.time()
        key = _checked(source, backend.watch(path, wanted), path)
        same = self._hold(source, key, node, interest)
        while (widest := source.widest(key)) > wanted:
            # It is a thing that others watch, who have heard less for a moment; or another by now.
            wanted = widest
            for other in source.others(key, node):
                self._doubts.ask(other, min(before, source.complete))
            key = _checked(source, backend.watch(path, wanted), path)
            same = self._hold(source, key, node, interest) and same
        return same

    def cover_new(self, node: Node, path: str) -> bool:
        """Watch a followed directory for the first time, at its `path`; false if that fails.

        What `cover` does, less what can't be with one that is watched by nobody; `cover` has to be
        asked if this fails.
        """
        source, backend = self._source_for(node)
        if node.source is not None or backend is None:
            return False
        try:
            key = backend.watch(path, Interest.ALL)
        except (Exception, SystemExit):
            return False
        if key is None or key in source.nodes or key in source.twins:
            return False
        source.nodes[key] = node
        node.source, node.key, node.heard = source, key, Interest.ALL
        if source.is_inexact:
            self._audit.watched(node, time.time())
        return True

    def miss(self, node: Node, error: BaseException) -> None:
        """`node` can't be watched or listed, by `error`: a gap."""
        self.release(node)
        self._gaps.miss(node, error)

    def _hold(self, source: Source, key: Hashable, node: Node, interest: Interest) -> bool:
        """`node` is watched by `key` from now on; true if it was before."""
        if source.nodes.get(key, node) is not node or key in source.twins:
            key = self._share(source, key, node)
        same = node.source is source and node.key == key
        if not same:
            self.release(node)
            source.nodes[key] = node
            node.source, node.key = source, key
        node.heard = interest
        return same

    def _source_for(self, node: Node) -> tuple[Source, Backend | None]:
        """The source that watches `node`, or is to watch it."""
        source = node.source
        if source is None:
            for source in self.sources:
                if source.backend is not None:
                    break
            else:
                source = self.sources[0]
        return source, source.backend

    def _share(self, source: Source, key: Hashable, node: Node) -> Twin:
        """A key of our own for `node`, which is the same thing as another node."""
        twins = source.twins.setdefault(key, [])
        for twin in twins:
            if source.nodes.get(twin) is node:
                return twin
        twins.append(Twin(key))
        return twins[-1]

    def release(self, node: Node) -> None:
        """Watch `node` no longer."""
        source, key = node.source, node.key
        if source is None:
            return
        self.forget(node)
        origin = key.key if isinstance(key, Twin) else key
        if origin not in source.nodes and origin not in source.twins and source.backend is not None:
            try:
                source.backend.unwatch(origin)
            except (Exception, SystemExit) as error:
                self._blame(source, error)

    def forget(self, node: Node) -> None:
        """The watch of `node` has ended, the backend says."""
        source, key = node.source, node.key
        if source is None:
            return
        node.forget_watch()
        if source.is_inexact:
            self._audit.forget(node)
        del source.nodes[key]
        if isinstance(key, Twin):
            source.twins[key.key].remove(key)
            if not source.twins[key.key]:
                del source.twins[key.key]
        self._gaps.gave_back()

    def drop(self, node: Node) -> None:
        """`node` leaves the tree."""
        self.release(node)
        self._gaps.drop(node)

    # --- whole backends

    def open(self, backend: Backend) -> None:
        """Watch by `backend`, too, from now on. What its `fileno` raises passes through."""
        source = Source(type(backend), Pause(_FIRST_PAUSE, self._longest_pause))
        source.open(backend)
        self.sources.append(source)

    def close(self, source: Source) -> None:
        """Close the backend, whatever it says to that."""
        try:
            source.close()
        except (Exception, SystemExit) as error:
            self._failed(source, error)

    def lose(self, source: Source, error: BaseException) -> None:
        """The backend is gone, by `error`: nothing that it watched is covered."""
        self._failed(source, error)
        nodes = list(source.nodes.values())
        # Of the others it is said by the directory that they are in.
        named = [each for each in nodes if each.monitors or each.is_followed or each.routes]
        self.close(source)
        source.lose(error)
        for node in nodes:
            node.forget_watch()
            self._audit.forget(node)
        for node in named:
            self._gaps.miss(node, _said(source), source.complete)

    def reopen(self, source: Source) -> bool:
        """Open a lost backend again, if the time has come; false if it stays lost."""
        before = source.lost_by
        if source.reopen():
            return True
        if source.lost_by is not before:
            self._gaps.still_lost(_said(source))
        return False

    def _blame(self, source: Source, error: BaseException) -> None:
        """Tell that the backend raised what it may not, unless it did so before."""
        fault = f"{type(error).__name__}: {error}"
        if fault not in source.faults:
            source.faults.add(fault)
            self._failed(source, error)

    def _failed(self, source: Source, error: BaseException) -> None:
        self._notices.append(Failed(source.cls.name, error))


def _is_another(node: Node) -> bool:
    """Whether something else is at `node` than what was to be watched there."""
    try:
        found, identity = identify(node.path)
    except OSError:
        return False
    return identity != node.identity or found not in (Found.FILE, Found.DIRECTORY)


def _checked(source: Source, key: Hashable, path: str) -> Hashable:
    if key is None:
        raise PluginError(f"backend {source.cls.name!r}: watch returned None for {path}")
    return key


def _said(source: Source) -> FamError:
    """Why a lost source does not watch."""
    error = source.lost_by
    if isinstance(error, BackendLost | BackendUnavailable):
        return error
    return BackendLost(f"backend {source.cls.name!r} failed: {type(error).__name__}: {error}")
