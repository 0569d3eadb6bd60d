"""Hosts and ports of the command line -> the listening sockets of the service, our own or a supervisor's."""

import os
from collections.abc import Sequence
from typing import NamedTuple

from ...core.address import canonical
from ...core.errors import Failure
from ...core.service.passed_sockets import ANY, USUAL_PORT, Wanted
from ...core.service.settings import ServerSettings
from ..accept import listener
from ..accept.listener import Listener

#: Clients that may queue on a socket of our own.
_BACKLOG = 1024


class _Place(NamedTuple):
    """A host and a port. address: to listen on, None = any. port: None = any, or it is the name of a socket."""

    address: str | None
    port: int | None
    written: str


def listeners(settings: ServerSettings) -> tuple[Listener, ...]:
    """Listen on every host and port, or take over the sockets that were passed for them. Raises Failure."""
    places = [_place(host, port) for host, port in settings.places]
    return _passed(settings, places) or tuple(_own(place, settings.backlog) for place in places)


def port_of(settings: ServerSettings) -> int:
    """Tell the first port without listening, for explanations: 25 for one that will be passed. Raises Failure."""
    port = _port(settings.host, settings.port)
    return USUAL_PORT if port is None else port


def are_passed(settings: ServerSettings) -> bool:
    """Whether a supervisor says that it passes sockets."""
    return bool(settings.listen_fds) or "LISTEN_FDS" in os.environ


def _passed(settings: ServerSettings, places: Sequence[_Place]) -> tuple[Listener, ...]:
    if not are_passed(settings):
        return ()
    from . import passed

    return passed.listeners([_wanted(place) for place in places], settings.listen_fds, settings.backlog)


def _place(host: str, port: str) -> _Place:
    number = _port(host, port)
    return _Place(None if host == ANY else listening_address(host), number, port)


def _port(host: str, port: str) -> int | None:
    """A port's number; None for any, and for the name of a socket, which only one that is passed has."""
    if port == ANY:
        return None
    try:
        return listener.port_number(port)
    except Failure:
        if host == ANY:
            return None
        raise


def listening_address(host: str) -> str:
    """The address to listen on. A name is asked of the name servers, as in C. Raises Failure."""
    address = listener.literal(host)
    if address is None:
        from ..lookup import start_lookup  # only a name costs the import of dns

        address = start_lookup.address_of(host)
    return address


def _wanted(place: _Place) -> Wanted:
    ip = None if place.address is None else canonical(place.address)
    return Wanted(ip, place.port, None if place.written == ANY else place.written)


def _own(place: _Place, backlog: int | None) -> Listener:
    if place.address is None or place.port is None:
        raise Failure(f"no socket was passed: {ANY} as host or port is for one that is")
    return listener.listen(place.address, place.port, _BACKLOG if backlog is None else backlog)
