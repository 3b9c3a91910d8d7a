"""A plugin imported as on a machine that has nothing of what it needs.

    elsewhere.py MODULE

No library can be loaded, no extension but Python's own found, and what one system alone has is
taken away. What the import opens or starts, or why it fails, is printed, and the exit status is 1
then; so it is if `check` raises anything but `BackendUnavailable` with a reason and a hint.
"""

from __future__ import annotations

import contextlib
import fcntl
import importlib
import os
import re
import select
import signal
import sys
import sysconfig
import threading

#: What some system lacks.
_SPECIAL = {
    select: r"poll|epoll|kqueue|kevent|devpoll|EPOLL.*|POLL.*|KQ_.*",
    os: r"eventfd.*|EFD_.*|pidfd.*|O_EVTONLY|O_SYMLINK|O_PATH|timerfd.*|TFD_.*|memfd.*|inotify.*",
    signal: r"pidfd.*|SIGRT.*|SIGPOLL|SIGPWR|sigtimedwait|sigwaitinfo",
    fcntl: r"F_NOTIFY|DN_.*|F_[GS]ETSIG|F_[GS]ETLEASE|F_[GS]ETPIPE_SZ",
}
#: What is reported by an audit hook as it is begun.
_STARTED = re.compile(
    r"os\.(fork|forkpty|posix_spawn|exec|system)|subprocess\.Popen|socket\.(connect|bind)"
)


class _Elsewhere:
    """What keeps a plugin from what it needs, and knows what it asked for."""

    def __init__(self) -> None:
        self.is_importing = False
        self.is_on = False
        self.started: list[str] = []
        paths = ("stdlib", "platstdlib")
        self._own = tuple(os.path.realpath(sysconfig.get_path(name)) + os.sep for name in paths)

    def audit(self, event: str, arguments: tuple[object, ...]) -> None:
        """Refuse what would load a library."""
        if not self.is_on:
            return
        if event == "ctypes.dlopen" and arguments[0] is not None:
            raise OSError(f"{arguments[0]}: no library is here")
        if event == "import" and self._is_extension(arguments[1]):
            raise ModuleNotFoundError(f"No module named {arguments[0]!r}: it is an extension")
        if self.is_importing and _STARTED.fullmatch(event):
            self.started.append(f"{event} {arguments!r}")

    def _is_extension(self, path: object) -> bool:
        if not isinstance(path, str):
            return False
        real = os.path.realpath(path)
        return "site-packages" in real or not real.startswith(self._own)


def _open_descriptors() -> set[int]:
    found = set()
    for name in os.listdir("/dev/fd"):
        with contextlib.suppress(OSError):
            os.fstat(int(name))
            found.add(int(name))
    return found


def main(name: str) -> int:
    """Import it; the exit status."""
    # What the core needs is there.
    from famcore.backend import BackendUnavailable
    from famcore.plugins.backends import backend_of

    here = _Elsewhere()
    sys.addaudithook(here.audit)
    for module, special in _SPECIAL.items():
        for each in [each for each in vars(module) if re.fullmatch(special, each)]:
            delattr(module, each)
    before = _open_descriptors()
    here.is_on = here.is_importing = True
    plugin = importlib.import_module(name)
    here.is_importing = False
    left = _open_descriptors() - before
    wrong = [f"the import did {each}" for each in here.started]
    wrong += [f"the import left descriptor {number} open" for number in sorted(left)]
    if threading.active_count() > 1:
        wrong.append("the import started a thread")
    backend = backend_of(plugin, plugin.fam_backend().name)
    try:
        backend.check()
    except BackendUnavailable as error:
        if not (error.reason and error.hint):
            wrong.append(f"check() gave the reason {error.reason!r} and the hint {error.hint!r}")
    sys.stdout.write("\n".join(wrong))
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
