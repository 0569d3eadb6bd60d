"""What a connection meets on its way through a worker, and what is known of it. Never does anything."""

import socket
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from ...core.rules.data import Instructions
from ...core.service.settings import ServerSettings
from ...core.smtp.verdict import Refuse
from ..accept.client_counter import ClientCounter
from ..accept.scoreboard import Place
from ..backend.backends import Backends, Connection
from ..gate.gate import Gate
from ..lookup.names import NameLookup
from ..refuse.held import Held
from ..report.connection_log import ConnectionLog
from ..screens.screen import Screen

#: What the rules say of an address, a name and an ident answer. Raises Failure where they cannot be read.
Decide = Callable[[bytes, bytes | None, bytes | None], Instructions]


@dataclass(frozen=True, slots=True)
class Service:
    """What a connection meets on its way, in this order; everything it does is in the log.

    environment: what every program gets. gate: None = the program itself speaks with the client.
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


class Client(NamedTuple):
    """A client that the rules have let in. place: None = it has none, as it waits for nothing but its slot."""

    socket: socket.SocketType
    place: Place | None
    connection: Connection

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
