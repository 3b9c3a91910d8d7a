"""SGI's famd, in namespaces of its own, which end with the command that is run there.

    famd.py COMMAND...

There `libfam.so.0` is SGI's, and `famd_pid`, `start_famd` and `stop_famd` are for what runs there.
"""

from __future__ import annotations

import fcntl
import functools
import os
import shutil
import signal
import socket
import struct
import subprocess
import sys
import time
from pathlib import Path

#: Seconds. What does not serve by then never will.
DEADLINE = 60
#: scripts/servers fills it.
PLACE = Path(__file__).resolve().parents[1] / ".cache/famd"
ROOT = PLACE / "root"
#: What a program is started with to be served.
SERVED = (sys.executable, os.path.abspath(__file__))

#: rpcbind listens on every address of its network. All that is started ends with the first process.
NAMESPACES = ("unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc")
#: Set in them.
INSIDE = "FAM_FAMD_INSIDE"
CONFIGURATION = "/run/fam.conf"
#: A byte for each time that it failed.
FAILED = "/run/famd-failed"

#: Where the portmapper listens; its own program and procedure; famd's program.
PORTMAPPER = ("127.0.0.1", 111)
GETPORT = (100_000, 2, 3)
FAMD = (391_002, 2)
#: Of an interface: get and set its flags; that it is up.
SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP = 0x8913, 0x8914, 1


@functools.cache
def why_not():
    """What keeps famd from serving here; None: nothing."""
    if not ROOT.exists():
        try:
            return f"famd is missing: {(PLACE / 'why-not').read_text().strip()}"
        except FileNotFoundError:
            return "famd is missing: scripts/servers gets it"
    for name in ("unshare", "setsid", "mount"):
        if shutil.which(name) is None:
            return f"{name} is not installed"
    done = subprocess.run([*NAMESPACES, "true"], capture_output=True, text=True, check=False)
    if done.returncode:
        return f"famd needs namespaces, and so root: {done.stderr.strip()}"
    return None


# --- for what runs there


def is_inside():
    return INSIDE in os.environ


def famd_pid():
    """None: it does not run."""
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if (process / "comm").read_text() == "famd\n":
                return int(process.name)
        except (FileNotFoundError, ProcessLookupError):  # it has ended meanwhile
            continue
    return None


def failures():
    """How often it has failed. Who ends it by `stop_famd` is not counted."""
    return os.path.getsize(FAILED)


def launch_famd():
    """Start it."""
    start("usr/sbin/famd", "-f", "-L", "-T", "0", "-c", CONFIGURATION)


def start_famd():
    """Start it, and wait until it serves."""
    launch_famd()
    wait(serves)


def stop_famd(number=signal.SIGKILL):
    """End it by a signal, and wait until it is gone."""
    os.kill(famd_pid(), number)
    wait(lambda: famd_pid() is None)


# --- making the place


def run(*command):
    subprocess.run(command, check=True)


def libraries():
    """The unpacked libraries' directories."""
    return sorted({str(library.parent) for library in ROOT.glob("**/lib*.so.?")})


def searching(*directories):
    """An environment where libraries are searched for there first."""
    before = os.environ.get("LD_LIBRARY_PATH")
    path = ":".join([*directories, *([before] if before else [])])
    return {**os.environ, "LD_LIBRARY_PATH": path}


def start(server, *arguments):
    """Start a server that is nobody's child, and that ^C at a terminal does not end."""
    subprocess.run(
        ["setsid", "--fork", ROOT / server, *arguments],
        check=True,
        env=searching(*libraries()),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def wait(holds):
    end = time.monotonic() + DEADLINE
    while not holds():
        if time.monotonic() > end:
            raise TimeoutError(f"{holds.__name__}: not within {DEADLINE} s")
        time.sleep(0.005)


def port_of(program, version):
    """Ask the portmapper. 0: it knows none, None: it says nothing."""
    call = (1, 0, 2, *GETPORT, 0, 0, 0, 0, program, version, socket.IPPROTO_TCP, 0)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asked:
        asked.settimeout(0.2)
        try:
            asked.connect(PORTMAPPER)
            asked.send(struct.pack(">14I", *call))
            return struct.unpack(">I", asked.recv(400)[-4:])[0]
        except (TimeoutError, ConnectionRefusedError):
            return None


def portmapper_answers():
    return port_of(*FAMD) is not None


def serves():
    """Whether a client would be connected; one that was killed stays registered."""
    port = port_of(*FAMD)
    if not port:
        return False
    try:
        socket.create_connection(("127.0.0.1", port)).close()
    except ConnectionRefusedError:
        return False
    return True


def make_place():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        flags = bytearray(struct.pack("16sH22x", b"lo", 0))
        fcntl.ioctl(any_socket, SIOCGIFFLAGS, flags)
        _, up = struct.unpack_from("16sH", flags)
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, struct.pack("16sH22x", b"lo", up | IFF_UP))
    run("mount", "-t", "tmpfs", "-o", "mode=755", "none", "/run")
    # As a whole: over a file that /etc lacks nothing can be mounted.
    run("cp", "--archive", "/etc", "/run/etc")
    netconfig, passwd = Path("/run/etc/netconfig"), Path("/run/etc/passwd")
    if not netconfig.exists():
        shutil.copy(ROOT / "etc/netconfig", netconfig)
    if not any(line.startswith("_rpc:") for line in passwd.read_text().splitlines()):
        with passwd.open("a") as file:
            print("_rpc:x:65533:65534::/run/rpcbind:/usr/sbin/nologin", file=file)
    run("mount", "--bind", "/run/etc", "/etc")
    # Whenever it polls and something that is watched is just not there, it fails. So: seldom.
    settings = {"untrusted_user": "nobody", "local_only": "true", "nfs_polling_interval": "86400"}
    Path(FAILED).touch()
    Path(CONFIGURATION).write_text("".join(f"{key} = {settings[key]}\n" for key in settings))


def serve(command):
    """Run it, and return its exit status. As the first process: whose parent ended is a child."""
    make_place()
    start("sbin/rpcbind", "-f", "-w")
    wait(portmapper_answers)
    start_famd()
    # ^C is for the command.
    signal.signal(signal.SIGINT, lambda *_: None)
    (client,) = {str(library.parent) for library in ROOT.glob("**/libfam.so.0")}
    # Python ignores it, for others it has to be as usual.
    usual = [signal.SIGPIPE]
    main = os.posix_spawnp(command[0], command, searching(client), setsigdef=usual)
    while True:
        ended, status = os.wait()
        code = os.waitstatus_to_exitcode(status)
        if ended == main:
            return code if code >= 0 else 128 - code
        if code in (-signal.SIGSEGV, -signal.SIGABRT):
            # As it does when there is much to do. Where it serves for good somebody sees to that.
            with open(FAILED, "a") as failed:
                failed.write("\n")
            # Who waited for it here would not see that it fails again meanwhile.
            launch_famd()


if __name__ == "__main__":
    if is_inside() and os.getpid() == 1:
        sys.exit(serve(sys.argv[1:]))
    if reason := why_not():
        sys.exit(reason)
    os.environ[INSIDE] = "1"
    os.execvp(NAMESPACES[0], [*NAMESPACES, *SERVED, *sys.argv[1:]])
