"""What a connection meets on its way through a worker, and what is known of it. Never does anything."""

import socket
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Protocol

from ...core.rules.data import Instructions
from ...core.service.settings import ServerSettings
from ...core.smtp.verdict import Refuse
from ...core.top.watch import UNWATCHED, Watch
from ..accept.client_counter import ClientCounter
from ..accept.scoreboard import Place
from ..backend.backends import Backends, Connection
from ..gate.gate import Gate
from ..lookup.names import NameLookup
from ..refuse.held import Held
from ..report.connection_log import ConnectionLog
from ..screens.screen import Screen
from ..stream.stream import Open

if TYPE_CHECKING:
    from ...core.client.proxy.proxied import Proxied
    from ..fleet.fleet import Fleet
    from ..tls.session import TlsSession

#: What the rules say of an address, a name and an ident answer. Raises Failure where they cannot be read.
Decide = Callable[[bytes, bytes | None, bytes | None], Instructions]


@dataclass(frozen=True, slots=True)
class Service:
    """What a connection meets on its way, in this order; everything it does is in the log.

    environment: what every program gets. gate: None = the program itself speaks with the client. tls: None = no client
    speaks it, but with the gate. local: what proxies' own connections meet instead; None = there are no proxies.
    watch: hears how far each has come. fleet: with whom limits are shared; None = nobody.
    """

    settings: ServerSettings
    names: NameLookup
    decide: Decide
    environment: Mapping[bytes, bytes]
    counter: ClientCounter
    screens: Sequence[Screen]
    gate: Gate | None
    held: Held
    backends: Backends
    connection_log: ConnectionLog
    tls: "Tls | None" = None
    local: "Service | None" = None
    watch: Watch = UNWATCHED
    fleet: "Fleet | None" = None


class Client(NamedTuple):
    """A client that the rules have let in.

    place: None = it has none, as it waits for nothing but its slot. tls: None = it speaks none. proxied: by
    whom it has come; None = by itself.
    """

    socket: socket.SocketType
    place: Place | None
    connection: Connection
    tls: "TlsSession | None" = None
    proxied: "Proxied | None" = None

    @property
    def own_place(self) -> Place:
        """The place of a client that may be here for long, and so has one."""
        if self.place is None:
            raise RuntimeError("a client without a place")
        return self.place


class Refusal(NamedTuple):
    """What a screen has against a client."""

    screen: Screen
    verdict: Refuse


class Tls(Protocol):
    """All clients of one worker that speak TLS, now or later."""

    @property
    def drain(self) -> Callable[[], None]:
        """What leaves clients a last time, to be called when the worker has been relieved."""

    async def secured(self, service: Service, client: Client, /) -> Client | None:
        """Shake hands with a client, if it is time to -> the client; None = it is gone, and that is in the log."""

    def opening(self, client: Client, /) -> Open:
        """What makes the stream of a client that we speak with ourselves."""

    async def run(self, service: Service, client: Client, /) -> None:
        """Start the program of a client, and carry what both say within TLS, until all is said."""
