"""A client as it stands in memory that processes share: a row of one size, read while it is written. Never reads it."""

import struct
from enum import IntEnum
from typing import NamedTuple


class State(IntEnum):
    """What a client is at; of a session at the gate, its last command."""

    LOOKUP = 1
    SCREEN = 2
    REFUSED = 3
    TLS = 4
    SESSION = 5
    HELO = 6
    MAIL = 7
    RCPT = 8
    DATA = 9
    MESSAGE = 10
    AUTH = 11
    STARTTLS = 12
    PROGRAM = 13


class Visitor(NamedTuple):
    """A client. Texts are as it has them; longer ones than a row takes are cut.

    since: nanosecond of the monotonic clock. port: the other end's. worker, program: process ids; 0 = it has no
    program. socket: the inode of its connection, 0 = not known. messages: how many of its were taken. waits: what is
    waited for on its behalf, b"" = for itself.
    """

    since: int
    worker: int
    ip: bytes
    port: int
    state: State = State.LOOKUP
    program: int = 0
    socket: int = 0
    messages: int = 0
    name: bytes = b""
    helo: bytes = b""
    user: bytes = b""
    waits: bytes = b""


#: A number of the version, the fields, and the number again; p = a length, and a text that is cut to fit.
_LAYOUT = struct.Struct("=IQI46pHBIII72p72p72p96pI")
#: Bytes of a row.
SIZE = _LAYOUT.size
_VERSIONS = 2**32


def packed(visitor: Visitor, version: int) -> bytes:
    """Make a row. version: counts what was written there, from 1."""
    number = version % _VERSIONS
    return _LAYOUT.pack(number, *visitor, number)


def unpacked(row: bytes) -> Visitor | None:
    """Read a row; None where nobody is in it, or it is being written."""
    begin, since, worker, ip, port, state, *rest, end = _LAYOUT.unpack(row)
    if begin != end or not since:
        return None
    return Visitor(since, worker, ip, port, State(state), *rest)
