"""How small a backend may be: it says which directory changed, and the core finds out what did."""

import os
import stat
import time

import famcore
from famcore.backend import Backend, Capability, Change, Interest, Kind


class MinimalBackend(Backend):
    name = "minimal"
    api = 1
    priority = 10
    capabilities = Capability.LIVE | Capability.EXACT
    interval = 0.1
    latency = 0.2

    @classmethod
    def check(cls):
        pass

    def __init__(self):
        self.watches = {}

    def watch(self, path, interest=Interest.ALL):
        now = Watch(path)
        if now.kind is Kind.RESCAN and interest > Interest.SELF:
            os.scandir(path).close()  # refused if it may not be listed
        known = self.watches.setdefault(path, now)
        if known.identity != now.identity:
            known = self.watches[path] = now
        return known

    def unwatch(self, key):
        if self.watches.get(key.path) is key:
            del self.watches[key.path]

    def fileno(self):
        return None

    def read(self):
        return [change for watch in list(self.watches.values()) for change in self.look(watch)]

    def look(self, watch):
        try:
            now = Watch(watch.path)
        except OSError:
            now = None
        if now is None or now.identity != watch.identity:
            self.unwatch(watch)
            yield Change(Kind.GONE, watch)
            return
        if now.attributes != watch.attributes:
            yield Change(Kind.CHANGED, watch)
        if now.stamp != watch.stamp:
            yield Change(now.kind, watch)
        watch.attributes, watch.stamp = now.attributes, now.stamp

    def close(self):
        self.watches.clear()


class Watch:
    def __init__(self, path):
        self.path = path
        status = os.lstat(path)
        self.identity = (status.st_dev, status.st_ino, stat.S_IFMT(status.st_mode))
        self.attributes = (status.st_mode, status.st_uid, status.st_gid)
        self.kind, self.stamp = Kind.CHANGED, status.st_ctime_ns
        if stat.S_ISDIR(status.st_mode):
            self.kind, self.stamp = Kind.RESCAN, status.st_mtime_ns
        now = time.time_ns()
        if now - 20_000_000 < self.stamp <= now and not stat.S_ISLNK(status.st_mode):
            self.stamp = now  # the true one may be that of a later change, too: clocks tick


@famcore.hookimpl
def fam_backend():
    return MinimalBackend
