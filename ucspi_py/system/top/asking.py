"""Asks a service who is inside."""

import json
import socket
from typing import Any

from ...core.errors import Failure, unable

#: Seconds for which the service may be silent, and bytes that it may say: 100,000 clients.
_SECONDS, _LIMIT = 10.0, 1 << 26
_PIECE = 1 << 16


def ask(path: str) -> dict[str, Any]:
    """Ask at a socket -> a snapshot (snapshot.py). Raises Failure."""
    try:
        said = _heard(path)
    except OSError as error:
        raise unable(f"ask at {path}", error) from None
    try:
        snapshot = json.loads(said)
    except ValueError:
        raise Failure(f"no answer at {path}: more than a few ask there, or it is not --top's") from None
    if not isinstance(snapshot, dict):
        raise Failure(f"an odd answer at {path}: it is not --top's")
    return snapshot


def _heard(path: str) -> bytes:
    heard = bytearray()
    with socket.socket(socket.AF_UNIX) as service:
        service.settimeout(_SECONDS)
        service.connect(path)
        while len(heard) <= _LIMIT and (piece := service.recv(_PIECE)):
            heard += piece
    return bytes(heard)
