"""Tickets for the clients of a server, and the key by which they are issued and checked. Never shows the key."""

import os
import stat
import time

from ...core.client.connection import Endpoints
from ...core.errors import AskedWrongly, unable
from ...core.ledger.recorder.environment import TICKET
from ...core.ledger.recorder.ticket import KEY_LENGTH, Place, issued

_MOST = 4096


def read_key(path: str) -> bytes:
    """Read a key, all bytes of a file. Raises Failure, and AskedWrongly for a file that others may read, or no key."""
    try:
        with open(path, "rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            key = file.read(_MOST + 1)
    except OSError as error:
        raise unable(f"read {path}", error) from None
    if stat.S_IMODE(mode) & 0o077:
        raise AskedWrongly(f"others than its owner may use {path}: chmod 400")
    if not KEY_LENGTH <= len(key) <= _MOST:
        raise AskedWrongly(f"{path} is no key of {KEY_LENGTH} to {_MOST} bytes: head -c {KEY_LENGTH} /dev/urandom")
    return key


def variables(key: bytes, endpoints: Endpoints) -> dict[bytes, bytes]:
    """Say where a client is, to a program that does not have its socket."""
    place = Place(endpoints.remote_ip, int(endpoints.local_port))
    return {TICKET: issued(key, place, int(time.time()))}
