"""Packets of the milter protocol: a length, one byte that says what it is, and data (libmilter, comm.c)."""

from collections.abc import Sequence
from struct import Struct
from typing import NamedTuple

from .failure import MilterFailed
from .words import MACRO

#: Bytes of a packet that a filter may send. libmilter sends at most 64 KB; others have a megabyte (milter.org, MDS_1M).
LIMIT = 1024 * 1024 + 1
#: Bytes of a body in one packet (milter.h, MILTER_CHUNK_SIZE).
CHUNK = 65535

_LENGTH = 4
_NUMBER = Struct(">I")


class Packet(NamedTuple):
    """One packet. command: its first byte. data: what is behind that."""

    command: bytes
    data: bytes


def packed(command: bytes, data: bytes = b"") -> bytes:
    """Write a packet."""
    return (len(data) + 1).to_bytes(_LENGTH) + command + data


def told(event: bytes, data: bytes, macros: bytes) -> bytes:
    """Write the packet of an event behind that of its macros. event: its command."""
    of_macros, size = (len(macros) + 2).to_bytes(_LENGTH), (len(data) + 1).to_bytes(_LENGTH)
    return of_macros + MACRO + event + macros + size + event + data


def string(text: bytes) -> bytes:
    """Write a string, which ends at a zero byte: one in it is sent as ``?``."""
    return text.replace(b"\0", b"?") + b"\0"


def strings(texts: Sequence[bytes]) -> bytes:
    """Write strings one behind the other."""
    found = b"\0".join(texts)
    # One pass over all of them; hardly ever has one a zero byte.
    return found + b"\0" if found.count(b"\0") < len(texts) else b"".join(map(string, texts))


def number(value: int) -> bytes:
    """Write a number. value: 0 to 4294967295."""
    return value.to_bytes(_LENGTH)


class PacketReader:
    """What a filter sends -> its packets, in pieces of any size."""

    def __init__(self) -> None:
        self._data = bytearray()

    def feed(self, data: bytes) -> None:
        """Take a piece."""
        self._data += data

    def next(self) -> Packet | None:
        """Take the next packet; None = it is not whole yet. Raises MilterFailed where its length is no length."""
        data = self._data
        if len(data) < _LENGTH:
            return None
        (length,) = _NUMBER.unpack_from(data)
        if not 1 <= length <= LIMIT:
            raise MilterFailed(f"it sent a packet of {length} bytes")
        end = _LENGTH + length
        if len(data) < end:
            return None
        packet = Packet(bytes(data[_LENGTH : _LENGTH + 1]), bytes(data[_LENGTH + 1 : end]))
        del data[:end]
        return packet


class Fields:
    """The data of a packet, taken apart field by field. what: names the packet where it is wrong."""

    def __init__(self, data: bytes, what: str) -> None:
        self._data = data
        self._what = what

    @property
    def is_empty(self) -> bool:
        """Whether nothing is left."""
        return not self._data

    def number(self) -> int:
        """Take a number of 32 bits. Raises MilterFailed."""
        if len(self._data) < _LENGTH:
            raise self._wrong("too short")
        value, self._data = int.from_bytes(self._data[:_LENGTH]), self._data[_LENGTH:]
        return value

    def string(self) -> bytes:
        """Take a string. Raises MilterFailed."""
        text, end, self._data = self._data.partition(b"\0")
        if not end:
            raise self._wrong("without its end")
        return text

    def rest(self) -> bytes:
        """Take all that is left."""
        rest, self._data = self._data, b""
        return rest

    def end(self) -> None:
        """Let this be all. Raises MilterFailed where something is left."""
        if self._data:
            raise self._wrong("too long")

    def _wrong(self, how: str) -> MilterFailed:
        return MilterFailed(f"it sent {self._what} that is {how}")
