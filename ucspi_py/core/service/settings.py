"""What the operator asked of tcpserver, frozen. Never says where it came from and never acts on it."""

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Protocol

from ..client.limits import ClientLimits
from ..dnsbl.settings import DnsblSettings
from ..dnsbl.zone import Zone
from ..gate.settings import GateSettings
from ..guard.settings import GuardSettings
from ..metrics.settings import MetricsSettings
from ..rules.cidr import Network
from ..tls.settings import TlsSettings

if TYPE_CHECKING:
    from ..gate.tls.settings import GateTls


class ScreenSettings(Protocol):
    """What the settings of every kind of screen have: of all that stands before a program and that we do ourselves."""

    @property
    def log_name(self) -> bytes:
        """The name that the line of a refusal carries."""

    @property
    def totals_name(self) -> bytes:
        """The name under which the verdicts of all screens of the kind are counted, each kind's own; b"" = none."""

    @property
    def session_seconds(self) -> int:
        """How long a refused client is talked to; 0 = it only gets the refusal."""

    @property
    def verbose(self) -> bool:
        """Whether the log says what a refused client says of itself."""


@dataclass(frozen=True, slots=True)
class Program:
    """What runs on a connection.

    screens: those that we do ourselves, outermost first. argv: the program to exec. gate: the one that stands between
    them, and has the program started by the first recipient that passes; None = none.
    """

    screens: tuple[ScreenSettings, ...]
    argv: tuple[str, ...]
    gate: GateSettings | None = None

    @property
    def dnsbl_screens(self) -> tuple[DnsblSettings, ...]:
        """The screens that ask zones."""
        return tuple(screen for screen in self.screens if isinstance(screen, DnsblSettings))

    @property
    def asks_servers(self) -> bool:
        """Whether stores, policy services or milters are asked about clients."""
        if len(self.dnsbl_screens) < len(self.screens):
            return True
        gate, lists = self.gate, self.gate.restrictions if self.gate else None
        return bool((gate and gate.milters) or (lists and (lists.greylist or lists.policy)))

    @property
    def descriptors(self) -> int:
        """Count those that each client at the gate has of a worker: its own, and one for each of its milters."""
        return 1 + (self.gate.milters.most if self.gate and self.gate.milters else 0)

    @property
    def totals_names(self) -> tuple[bytes, ...]:
        """The name of every kind of its screens that is counted, once, outermost first."""
        return tuple(dict.fromkeys(screen.totals_name for screen in self.screens if screen.totals_name))

    @property
    def zones(self) -> tuple[Zone, ...]:
        """Every zone of every screen and of every list of the gate, once."""
        of_lists = self.gate.restrictions.zones if self.gate and self.gate.restrictions else ()
        return tuple(dict.fromkeys((*(zone for screen in self.dnsbl_screens for zone in screen.zones), *of_lists)))


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
    uid, gid: what to become, None = stay. workers: how many processes accept. guard: what is done with the privileges
    that we give up, None = nothing. tls: that clients speak from their first byte; None = they speak none.
    tls_on_request: it begins when the program asks for it. relay_key: by which each client gets a ticket for the relay
    ledger, None = none does. proxies: clients come by these alone, which say who they are; () = they come themselves.
    also: hosts and ports beside the first. backlog: None = 1024, or as whoever has made a socket that is passed.
    listen_fds: descriptors of listening sockets to take over; () = those of systemd, if it passes any. ready_fd:
    descriptor that gets an empty line once all workers serve, None = none does. metrics: where the service shows its
    numbers, None = nowhere. drain_seconds: after which a worker that is to leave leaves the clients that it carries,
    None = never. lame_seconds: for which clients are served still after SIGTERM, while a proxy's checks fail. top:
    path of the socket at which pyucspitop asks who is inside, None = there is none. log_form: djb, logfmt or
    json. fleet: URL of the store by which limits of clients hold over several hosts, None = they are this host's.
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
    backlog: int | None
    local_name: bytes | None
    uid: int | None
    gid: int | None
    print_port: bool
    workers: int
    guard: GuardSettings | None = None
    tls: TlsSettings | None = None
    tls_on_request: bool = False
    relay_key: bytes | None = field(default=None, repr=False)
    proxies: tuple[Network, ...] = ()
    also: tuple[tuple[str, str], ...] = ()
    listen_fds: tuple[int, ...] = ()
    ready_fd: int | None = None
    metrics: MetricsSettings | None = None
    drain_seconds: int | None = None
    lame_seconds: int = 0
    top: str | None = None
    log_form: str = "djb"
    fleet: str | None = field(default=None, repr=False)

    @property
    def counts(self) -> MetricsSettings | None:
        """Where what is counted is shown; None = nothing is counted, for nobody is to see it."""
        return self.metrics or (MetricsSettings() if self.top is not None else None)

    @property
    def places(self) -> tuple[tuple[str, str], ...]:
        """Every host with its port, as it is written."""
        return ((self.host, self.port), *self.also)

    @property
    def keeps_secrets(self) -> bool:
        """Whether a worker has what nobody else may read: keys of TLS, passwords of its clients."""
        gate = self.program.gate
        takes_passwords = gate is not None and gate.logins is not None
        return takes_passwords or self.guard is not None or self.any_tls is not None or self.relay_key is not None

    @property
    def guard_and_keys(self) -> GuardSettings | None:
        """The guard, with the keys that only root may read; None = there is nothing to do for one."""
        tls = self.any_tls
        if tls is None or self.uid is None:
            return self.guard
        return replace(self.guard or GuardSettings(), pairs=tls.pairs)

    @property
    def any_tls(self) -> TlsSettings | None:
        """That which clients speak from their first byte, or that which the gate offers; None = there is none."""
        return self.tls or (self._gate_tls.tls if self._gate_tls else None)

    @property
    def is_wrapped(self) -> bool:
        """Whether clients speak TLS from their first byte."""
        if self.tls is not None:
            return not self.tls_on_request
        return self._gate_tls is not None and self._gate_tls.wrapper_mode

    @property
    def _gate_tls(self) -> "GateTls | None":
        return self.program.gate.tls if self.program.gate else None

    @property
    def looks_up_names(self) -> bool:
        """Whether the name of a client, or our own at its end, is ever asked of the name servers (no -H, no -l)."""
        return self.remote_host or self.local_name is None

    @property
    def looks_up(self) -> bool:
        """Whether anything is to be found out about a client at all: names or its ident answer."""
        return self.looks_up_names or self.remote_info

    @property
    def asks_name_servers(self) -> bool:
        """Whether anything is ever asked of the name servers: names or zones, or what lists of the gate may ask.

        Milters hear of a client's verified name, and their own hosts may be names.
        """
        gate = self.program.gate
        at_gate = gate is not None and (gate.restrictions is not None or gate.milters is not None)
        return self.looks_up_names or bool(self.program.zones) or at_gate

    @property
    def has_pending(self) -> bool:
        """Whether a client may wait for more than its slot: a look-up, a screen, TLS, a gate, a reserve, a fleet."""
        program = self.program
        is_met = bool(program.screens) or self.tls is not None or program.gate is not None
        return self.looks_up or is_met or bool(self.reserve) or self.fleet is not None

    @property
    def asks_servers(self) -> bool:
        """Whether stores, policy services or milters are asked about clients."""
        return self.program.asks_servers or self.fleet is not None
