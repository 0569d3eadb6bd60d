"""A header of the PROXY protocol, or what is wrong with it, as values. Never reads one."""

from typing import NamedTuple

from ...tls.facts import TlsFacts
from ..connection import Endpoints


class Header(NamedTuple):
    """A header, and what it says.

    length: its bytes; what follows is the client's. endpoints: of the client's connection to the proxy; None = the
    proxy speaks for nobody, as in its health checks (LOCAL), or for somebody without an address (UNKNOWN). unique_id:
    the proxy's for the connection, b"" = none. tls: what the client speaks with the proxy; None = none.
    """

    length: int
    endpoints: Endpoints | None = None
    unique_id: bytes = b""
    tls: TlsFacts | None = None


class More(NamedTuple):
    """No header yet. limit: as many bytes are to be looked at next time, if they are there by then."""

    limit: int


class Flaw(NamedTuple):
    """No header, and none can become of it. reason: for the log, in words of ours alone."""

    reason: str


#: Bytes that are looked at first: the longest header of version 1 (proxy-protocol.txt, 2.1), and most of version 2.
FIRST = 107
