"""What the operator asked for, frozen. Never says where it came from and never acts on it."""

from dataclasses import dataclass
from typing import ClassVar

from .client.limits import ClientLimits, Prefixes
from .dnsbl.zone import Zone


@dataclass(frozen=True, slots=True)
class ScreenSettings:
    """How rblsmtpd screens.

    zones: in written order. session_seconds: -t, for a refused dialogue. lookup_seconds: -d, for all zones together.
    refuse_score, bounce_score: -T, the scores from which a client is refused for now and for good; None = djb's way,
    and never for good. greet_seconds: -w, how long a client is watched for talking first. ask_private: -p. interrogate:
    -i. dry_run: refuse nobody. verbose: -v, say what each zone said and what a refused client says of itself.
    """

    log_name: ClassVar[bytes] = b"rblsmtpd"
    totals_name: ClassVar[bytes] = b"dnsbl"

    zones: tuple[Zone, ...]
    session_seconds: int
    lookup_seconds: float
    refuse_score: int | None = None
    bounce_score: int | None = None
    greet_seconds: float = 0.0
    ask_private: bool = False
    interrogate: bool = False
    dry_run: bool = False
    verbose: bool = False


@dataclass(frozen=True, slots=True)
class GreylistSettings:
    """How greylist screens, in seconds.

    store: path of an SQLite file, or a redis:, rediss: or unix: URL. delay: from the first contact of a network until
    it is let in. window: from the first contact until it is forgotten, unless let in. memory: from being let in until
    it is forgotten, unless let in again. network: the prefixes that make clients one. session_seconds: for the
    refused dialogue.
    """

    log_name: ClassVar[bytes] = b"greylist"
    totals_name: ClassVar[bytes] = b"greylist"
    verbose: ClassVar[bool] = False

    store: str
    delay: int
    window: int
    memory: int
    network: Prefixes
    session_seconds: int


#: What stands before a program and is done by ourselves. log_name: the name that the line of a refusal carries.
#: totals_name: the one of its totals. verbose: whether the log says what a refused client says of itself.
Screening = ScreenSettings | GreylistSettings
Kind = type[ScreenSettings] | type[GreylistSettings]


@dataclass(frozen=True, slots=True)
class Program:
    """What runs on a connection: the screens that we do ourselves, outermost first, then the program to exec."""

    screens: tuple[Screening, ...]
    argv: tuple[str, ...]

    @property
    def zone_screens(self) -> tuple[ScreenSettings, ...]:
        """The screens that are rblsmtpd's."""
        return tuple(screen for screen in self.screens if isinstance(screen, ScreenSettings))

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """Every kind of its screens, once, outermost first."""
        return tuple(dict.fromkeys(type(screen) for screen in self.screens))

    @property
    def zones(self) -> tuple[Zone, ...]:
        """Every zone of every screen, once."""
        return tuple(dict.fromkeys(zone for screen in self.zone_screens for zone in screen.zones))


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """Every option of tcpserver, once.

    verbosity: 0 = -q, 1 = -Q, 2 = -v. delay: leave Nagle's algorithm on. banner: raw bytes for every client.
    remote_info, remote_host, paranoid: -r, -h, -p. lookup_seconds: -t, for all look-ups of one client together.
    rules: path of the cdb or None. allow_no_rules: -X. limit: -c, backends at once.
    reserve: how many of them are for clients that may relay. held_limit: clients that may be inside without a program.
    client_limits: what one client may have.
    overload_message: what a client is told when all slots are taken; None = it waits in the backlog.
    local_name: -l or None.
    uid, gid: what to become, None = stay. workers: how many processes accept.
    """

    host: str
    port: str
    program: Program
    verbosity: int
    delay: bool
    kill_ip_options: bool
    banner: bytes
    remote_info: bool
    remote_host: bool
    paranoid: bool
    lookup_seconds: int
    rules: str | None
    allow_no_rules: bool
    limit: int
    held_limit: int
    reserve: int
    client_limits: ClientLimits
    overload_message: bytes | None
    backlog: int
    local_name: bytes | None
    uid: int | None
    gid: int | None
    print_port: bool
    workers: int
