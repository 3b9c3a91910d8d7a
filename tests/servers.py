"""The servers of the backends that have one, to be ended, stopped and started by tests."""

from __future__ import annotations

import os
import runpy
import signal
from pathlib import Path

FAMD = runpy.run_path(str(Path(__file__).with_name("famd.py")))


class Server:
    """What serves the backends of this process."""

    def processes(self) -> list[int]:
        raise NotImplementedError

    def send(self, number: int) -> None:
        for process in self.processes():
            os.kill(process, number)

    def kill(self) -> None:
        """End it; it can be reached again afterwards."""
        raise NotImplementedError


class GamServer(Server):
    """One for each connection, started by it."""

    def processes(self):
        of_ours = f"GAM_CLIENT_ID=famcore-{os.getpid()}-".encode()
        found = []
        for process in Path("/proc").glob("[0-9]*"):
            try:
                is_one = (process / "comm").read_text() == "gam_server\n"
                if is_one and of_ours in (process / "environ").read_bytes():
                    found.append(int(process.name))
            except (FileNotFoundError, ProcessLookupError):  # it has ended meanwhile
                continue
        return found

    def kill(self):
        self.send(signal.SIGKILL)


class Famd(Server):
    """One for all, which nobody starts but us."""

    def processes(self):
        process = FAMD["famd_pid"]()
        return [] if process is None else [process]

    def kill(self):
        FAMD["stop_famd"]()
        FAMD["start_famd"]()


SERVERS = {"gamin": GamServer(), "fam": Famd()}
