"""Lines of a tcpserver's log -> the clients that connected, and how often. Never looks at what was decided then.

A line counts if nothing but stamps stands in front of it: what a client has said, quoted in another program's line, is
never read as the server's. Servers are those of ucspi-tcp and ucspi-ssl, ipsvd and s6-networking.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator
from typing import NamedTuple

from ..address import canonical

#: An ISO date, as svlogd, tai64nlocal, containers and RFC 5424 have it, or syslog's.
_DATE = rb"(?:[0-9-]{10}[T_ ][0-9:.,]+(?:Z|[+-][0-9:]{4,6})?|[A-Z][a-z]{2} [ 0-9][0-9] [0-9:.]+)"
#: Behind a date: syslog's host and tag, or a container's stream. What ends in a colon is a program and no host.
_SOURCE = rb"(?: +(?!@|%b)[^ ]*[^ :] [^ :[]+(?:\[[0-9]+\])?:| std(?:out|err) [FP])" % _DATE
#: In front of all docker compose puts the name of a service; @ begins multilog's stamps (tai64n).
_STAMPS = rb"(?:[\w.-]+ +\| )?(?:(?:@[0-9a-f]{24}|%b%b?) +){0,3}" % (_DATE, _SOURCE)
_IP = rb"[0-9a-fA-F:.]+"
_LINE = re.compile(
    _STAMPS + rb"(?:"
    rb"(?:tcp|ssl)server: (?:(?:ok|deny) [0-9]+ \S+ (?P<djb>\S+):[0-9]+|pid [0-9]+ from (?P<djb_pid>%b))|"
    rb"(?:tcp|ssl)svd: info: (?:start|deny) [0-9]+ \S+ (?P<ipsvd>[^ :]*::%b):[0-9]+(?: .*)?|"
    rb"(?:tcp|ssl)svd: info: pid [0-9]+ from (?P<ipsvd_pid>%b)|"
    rb"s6-tcpserver-access: info: (?:allow|deny) pid [0-9]+ ip (?P<s6>%b)|"
    rb"s6-tcpserver[46]?d: info: (?:accept|allow|reject|deny) (?P<s6_d>%b)[_:][0-9]+ .*"
    rb")" % ((_IP,) * 5)
)
_BARE = re.compile(rb"(?:@[0-9a-f]{24} )?(%b)" % _IP)
#: What docker, journalctl and others call the line in an object of JSON.
_NAMES = ("log", "MESSAGE", "message", "msg")


class Client(NamedTuple):
    """A client that connected. ip: canonical. host, info: None where the log has none, or has it cut or made safe."""

    ip: bytes
    host: bytes | None = None
    info: bytes | None = None


class Replay:
    """Counts the connections of a log. lines: how many were read, of any kind.

    A server logs a connection twice, first with the address alone. So those lines count only in a log that has no
    others.
    """

    def __init__(self) -> None:
        self.lines = 0
        self._decided: Counter[tuple[str, bytes]] = Counter()
        self._arrived: Counter[bytes] = Counter()

    def read(self, line: bytes) -> None:
        """Parse one line, with or without its newline; a line that is not a server's changes nothing."""
        self.lines += 1
        line = line.rstrip()
        found = _LINE.fullmatch(_unwrapped(line) if line.startswith(b"{") else line)
        if not found:
            if bare := _BARE.fullmatch(line):
                self._arrived[bare[1]] += 1
        elif (shape := str(found.lastgroup)) in _CLIENTS:
            self._decided[shape, found[shape]] += 1
        else:
            self._arrived[found[shape]] += 1

    def clients(self) -> Iterator[tuple[Client, int]]:
        """Yield each client and the number of its connections."""
        if self._decided:
            seen = ((_CLIENTS[shape](fields), count) for (shape, fields), count in self._decided.items())
        else:
            seen = ((_at(ip), count) for ip, count in self._arrived.items())
        yield from ((client, count) for client, count in seen if client)


def _unwrapped(line: bytes) -> bytes:
    """Extract the log line from an object of JSON; empty where there is none."""
    import json  # for the logs of containers only

    try:
        fields = json.loads(line)
    except (ValueError, RecursionError):
        return b""
    texts = [fields[name] for name in _NAMES if isinstance(fields.get(name), str)]
    return texts[0].rstrip().encode("utf-8", "surrogateescape") if texts else b""


def _of_djb(fields: bytes) -> Client | None:
    """``host:ip:info``; an IPv6 address has colons of its own, and no other field has any."""
    host, _, rest = fields.partition(b":")
    ip, _, info = rest.rpartition(b":")
    client = _at(ip)
    return client and client._replace(host=_whole(host), info=_whole(info))


def _of_ipsvd(fields: bytes) -> Client | None:
    """``host::ip``."""
    host, _, ip = fields.partition(b"::")
    client = _at(ip)
    return client and client._replace(host=_whole(host))


def _at(ip: bytes) -> Client | None:
    try:
        return Client(canonical(ip.decode("ascii"))) if ip else None
    except ValueError:
        return None


def _whole(field: bytes) -> bytes | None:
    """A field of the log, if it is what the server knew (tcpserver.c, safecats: long ones end in dots)."""
    return field if field and b"?" not in field and not field.endswith(b"...") else None


#: The lines that name a client and what was decided, by the group of their fields.
_CLIENTS: dict[str, Callable[[bytes], Client | None]] = {"djb": _of_djb, "ipsvd": _of_ipsvd, "s6": _at}
