"""What the operator asked of pypostgrey, frozen. Never says where it came from and never acts on it."""

from dataclasses import dataclass
from typing import NamedTuple

from ..dnsbl.settings import DnsblSettings
from ..greylist.triplet.settings import TripletSettings

#: postgrey's own, which the guides show.
TEXT = b"Greylisted, see http://postgrey.schweikert.ch/help/%r.html"
ACTION = b"DEFER_IF_PERMIT"


class Inet(NamedTuple):
    """A place to listen. host: an address or a name. port: a number or a service (services(5))."""

    host: str
    port: str


class Daemon(NamedTuple):
    """How it runs in the background. pid_file: None = none is written. facility: of syslog(3), a number."""

    pid_file: str | None
    facility: int


@dataclass(frozen=True, slots=True)
class Places:
    """Where it listens, at one place or at both. unix: path of a socket, None = none. mode: its permission bits.

    inet: None = on no port. backlog: connections that may wait to be accepted.
    """

    unix: str | None
    mode: int
    inet: Inet | None
    backlog: int


@dataclass(frozen=True, slots=True)
class Answering:
    """How requests are answered.

    triplets: how they are greylisted. action: for one that is to wait, as of access(5). host: our name, for %h of the
    header. version: for %v. zones: that are asked about clients before, None = none. closes: after one reply (--exim).
    """

    triplets: TripletSettings
    action: bytes
    host: bytes
    version: bytes
    zones: DnsblSettings | None = None
    closes: bool = False


@dataclass(frozen=True, slots=True)
class PostgreySettings:
    """All of it. processes: that answer. uid, gid: whom they run as; None = who started it. daemon: None = it stays."""

    answering: Answering
    places: Places
    processes: int
    uid: int | None
    gid: int | None
    daemon: Daemon | None
