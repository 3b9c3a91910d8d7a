"""The port of a server that the machine's portmapper knows, by RFC 1833 (RPC: RFC 5531)."""

from __future__ import annotations

import socket
import struct

_HERE = "127.0.0.1"
_PORT = 111
_PROGRAM, _VERSION, _GETPORT = 100_000, 2, 3
_TCP = 6

#: Seconds. It is on this machine.
_PATIENCE = 1.0

#: In the kernel's table of connections, in hexadecimal digits.
_LISTEN = "0A"

#: Any number; the answer repeats it.
_CALL = 0x66616D
#: The call's number, that it is a call, RPC's version, the procedure, credentials and verifier of
#: none; the procedure's arguments: program, version, protocol, port.
_QUESTION = struct.Struct(">14I")
#: The call's number, that it is an answer, accepted, a verifier of none, successful; the port.
_ANSWER = struct.Struct(">7I")


def registered_port(program: int, version: int) -> int:
    """The TCP port of an RPC program on this machine; 0 if it is not registered.

    Raises `OSError` if the portmapper does not answer.
    """
    question = _QUESTION.pack(
        *(_CALL, 0, 2, _PROGRAM, _VERSION, _GETPORT, 0, 0, 0, 0), *(program, version, _TCP, 0)
    )
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(_PATIENCE)
        # Connected, so that a port nobody listens at is an error at once.
        client.connect((_HERE, _PORT))
        client.send(question)
        answer = client.recv(512)
    if len(answer) != _ANSWER.size or answer[:4] != question[:4]:
        raise OSError("what answers there is no portmapper")
    *_, accepted, port = _ANSWER.unpack(answer)
    return 0 if accepted else int(port)


def listens(port: int) -> bool:
    """Whether some server waits for TCP connections at `port` of this machine.

    The kernel is asked: each connection would take a place in the queue of a server that is busy.
    """
    with open("/proc/net/tcp", encoding="ascii") as table:
        next(table)
        rows = [line.split() for line in table]
    # Number, local address, remote address, state.
    return any(row[3] == _LISTEN and int(row[1].partition(":")[2], 16) == port for row in rows)
