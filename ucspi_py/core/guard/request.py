"""What a worker may ask of the guard, and what the guard says, as the bytes of one packet each. Never sends one.

A worker may have been taken over by a client: whatever it sends is read as strictly as a client's bytes are. The
address and the port stand in the environment of a program that root runs, so they may be nothing else than that.
"""

import re
import struct
from typing import NamedTuple

from ..address import literal
from ..auth.answer import Verdict
from ..auth.credentials import LIMIT, Credentials, Peer
from ..auth.sasl import MECHANISMS

_VERSION = b"\x01"
_CHECK, _KEYS = b"C", b"K"

#: Bytes of the longest request: seven fields of 255 bytes and their lengths, behind version, kind and TLS.
PACKET_LIMIT = 3 + 7 * (1 + LIMIT)

_ADDRESS = re.compile(rb"[0-9a-f.:]{1,45}")
_PORT = re.compile(rb"[0-9]{0,5}")

_VERDICTS = {b"Y": Verdict.YES, b"N": Verdict.NO, b"T": Verdict.LATER}
_LETTERS = {verdict: letter for letter, verdict in _VERDICTS.items()}
_GENERATION = struct.Struct("!Q")

#: Bytes of the longest answer.
ANSWER_LIMIT = _GENERATION.size


class CheckAsked(NamedTuple):
    """A worker wants to know whether a client is who it says."""

    credentials: Credentials
    peer: Peer


class KeysAsked(NamedTuple):
    """A worker wants the TLS keys. known: the generation of those that it has; 0 = it has none."""

    known: int


def encode(request: CheckAsked | KeysAsked) -> bytes | None:
    """Write a request; None for credentials that no checker may be asked about, as a field is too long."""
    if isinstance(request, KeysAsked):
        return _VERSION + _KEYS + _GENERATION.pack(request.known)
    credentials, peer = request
    fields = (*credentials, peer.remote_ip, peer.local_ip, peer.local_port)
    if any(len(field) > LIMIT for field in fields):
        return None
    secured = b"S" if peer.secured else b"-"
    return _VERSION + _CHECK + secured + b"".join(bytes((len(field),)) + field for field in fields)


def decode(packet: bytes) -> CheckAsked | KeysAsked | None:
    """Read a request; None for what is none."""
    head, rest = packet[:2], packet[2:]
    if head == _VERSION + _KEYS:
        return KeysAsked(*_GENERATION.unpack(rest)) if len(rest) == _GENERATION.size else None
    return _check(rest[:1], _fields(rest[1:])) if head == _VERSION + _CHECK else None


def letter(verdict: Verdict) -> bytes:
    """Write the answer to a check: one byte, and nothing else ever leaves the guard."""
    return _LETTERS[verdict]


def verdict(packet: bytes) -> Verdict:
    """Read the answer to a check; LATER for what is none, as of a guard that is gone."""
    return _VERDICTS.get(packet, Verdict.LATER)


def generation(number: int) -> bytes:
    """Write the answer to a wish for keys, which the descriptors go with. number: the generation that they are of."""
    return _GENERATION.pack(number)


def generation_of(packet: bytes) -> int | None:
    """Read the answer to a wish for keys; None for what is none."""
    number: int | None = _GENERATION.unpack(packet)[0] if len(packet) == _GENERATION.size else None
    return number


def _fields(data: bytes) -> list[bytes]:
    """The fields that stand one behind the other, each behind its length; [] for anything else."""
    fields = []
    while data:
        end = 1 + data[0]
        if len(data) < end:
            return []
        fields.append(data[1:end])
        data = data[end:]
    return fields


def _check(secured: bytes, fields: list[bytes]) -> CheckAsked | None:
    if len(fields) != 7 or secured not in (b"S", b"-"):
        return None
    mechanism, login, secret, challenge, remote_ip, local_ip, local_port = fields
    peer = Peer(remote_ip, local_ip, local_port, secured == b"S")
    is_peer = _is_address(peer.remote_ip) and _is_address(peer.local_ip) and _PORT.fullmatch(peer.local_port)
    if mechanism not in MECHANISMS or not is_peer:
        return None
    return CheckAsked(Credentials(mechanism, login, secret, challenge), peer)


def _is_address(ip: bytes) -> bool:
    """Whether it is a canonical address, or none at all."""
    return not ip or (_ADDRESS.fullmatch(ip) is not None and literal(ip.decode("ascii")) is not None)
