"""Lines of a tcpserver log -> the clients that connected, and how often. Never looks at what was decided then.

Stamps in front do not matter: multilog's, syslog's or none. A line that is nothing but an address counts as well.
"""

import re
from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

from .address import canonical

_LINE = re.compile(rb"tcpserver: (?:(?:ok|deny) [0-9]+ \S+ (\S+):[0-9]+|pid [0-9]+ from (\S+))")
_BARE = re.compile(rb"(?:@[0-9a-f]{24} )?([0-9a-fA-F:.]+)\s*")


class Client(NamedTuple):
    """Who connected. host, info: None where the log has none, or has it cut short or made safe."""

    ip: bytes
    host: bytes | None = None
    info: bytes | None = None


class Replay:
    """The connections of a log.

    tcpserver tells of a connection twice, first by its address alone. So those lines count only in a log that has
    no others.
    """

    def __init__(self) -> None:
        self._decided: Counter[bytes] = Counter()
        self._arrived: Counter[bytes] = Counter()

    def read(self, line: bytes) -> None:
        """Take note of one line."""
        found = _LINE.search(line)
        if found:
            decided = found[1]
            if decided:
                self._decided[decided] += 1
            else:
                self._arrived[found[2]] += 1
        elif found := _BARE.fullmatch(line):
            self._arrived[found[1]] += 1

    def clients(self) -> Iterator[tuple[Client, int]]:
        """Yield each client and the number of its connections."""
        if self._decided:
            seen = ((_client(fields), count) for fields, count in self._decided.items())
        else:
            seen = ((_at(ip), count) for ip, count in self._arrived.items())
        yield from ((client, count) for client, count in seen if client)


def _client(fields: bytes) -> Client | None:
    """``host:ip:info``; an IPv6 address has colons of its own, and no other field has any."""
    host, _, rest = fields.partition(b":")
    ip, _, info = rest.rpartition(b":")
    client = _at(ip)
    return client and client._replace(host=_whole(host), info=_whole(info))


def _at(ip: bytes) -> Client | None:
    try:
        return Client(canonical(ip.decode("ascii"))) if ip else None
    except ValueError:
        return None


def _whole(field: bytes) -> bytes | None:
    """A field of the log, if it is what tcpserver knew (tcpserver.c, safecats: long ones end in dots)."""
    return field if field and b"?" not in field and not field.endswith(b"...") else None
