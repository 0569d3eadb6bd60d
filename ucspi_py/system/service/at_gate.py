"""One client of a worker at the gate: its place until it has a backend, its slots, its lines in the log.

Never speaks with the client.
"""

from collections.abc import Callable, Sequence
from functools import partial

from ...core.client.window import Event
from ..accept.scoreboard import Place
from ..accept.socket_options import set_options
from ..backend.backends import Connection
from ..gate.gate import Client as GateClient
from ..gate.gate import Gate
from ..gate.session import Hold
from .context import Client, Refusal, Service


async def talk(service: Service, gate: Gate, client: Client, refusal: Refusal | None) -> None:
    """Have the gate speak with a client; its program starts when the gate wants it, and as often.

    refusal: what a screen has against it; None = nothing.
    """
    row, backends = client.own_place.row, OwnBackends(service, client)
    set_options(service.settings, client.socket, client.connection.endpoints)
    try:
        await gate.talk(_guest(service, client, refusal, backends))
    finally:
        backends.leave()
        service.held.forget(row)
    if not backends.any_started:
        service.connection_log.parted(client.connection.endpoints, client.connection.names)


def _guest(service: Service, client: Client, refusal: Refusal | None, backends: "OwnBackends") -> GateClient:
    """The client as the gate knows it. Not in talk(), which stays for as long as the client, with all that it has."""
    standing = _Standing(service, client.own_place)
    hold, environment = Hold(standing), client.connection.environment
    name, verdict = (refusal.screen.settings.log_name, refusal.verdict) if refusal else (b"", None)
    tls = client.proxied.header.tls if client.proxied else None
    unique_id = service.connection_log.id_of(client.connection.endpoints)
    standings = hold, standing
    return GateClient(client.socket, environment, verdict, name, backends.start, *standings, client.tls, tls, unique_id)


class _Standing:
    """Where one client stands among the others, as Hold and Throttle ask."""

    __slots__ = ("_place", "_service")

    def __init__(self, service: Service, place: Place) -> None:
        self._service = service
        self._place = place

    def expose(self, dismiss: Callable[[], None]) -> None:
        """See Standing."""
        self._service.held.hold(self._place.row, dismiss)

    def protect(self) -> bool:
        """See Standing."""
        return self._service.held.protect(self._place.row)

    def let_in(self, limit: int) -> int:
        """See Counts."""
        return self._service.counter.let_in(self._place, limit)

    def note(self, event: Event) -> int:
        """See Counts."""
        return self._service.counter.note(self._place, event)


class OwnBackends:
    """The backends of one client. A client whose backend is counted is not counted for its place as well.

    any_started: whether it has ever had one.
    """

    __slots__ = ("_client", "_is_here", "_place", "_running", "_service", "any_started")

    def __init__(self, service: Service, client: Client) -> None:
        self._service = service
        self._client = client
        self._place = client.own_place
        self._is_here = True
        self._running = 0
        self.any_started = False

    async def start(
        self, environment: dict[bytes, bytes], fd: int, on_end: Callable[[int], None], more: Sequence[int] = ()
    ) -> int | None:
        """Start one, as Backends.start does. environment: the program's. fd, on_end, more: as there."""
        endpoints, names, keys, _ = self._client.connection
        wanted = Connection(endpoints, names, keys, environment)
        place = None if self._running else self._place.row
        pid = await self._service.backends.start(wanted, fd, partial(self._end, on_end), more, place)
        if pid is not None:
            self.any_started = True
            self._running += 1
        return pid

    def leave(self) -> None:
        """Say that the client has left: its place is another's soon."""
        self._is_here = False

    def _end(self, on_end: Callable[[int], None], wait_status: int) -> None:
        """Take the end of one; another may run already, as the one before was left in a hurry."""
        self._running -= 1
        if self._is_here and not self._running:
            self._service.counter.count(self._place)
        on_end(wait_status)
