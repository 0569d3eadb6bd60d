"""CORRIDOR 1: one accepted connection, top to bottom, in djb's order (tcpserver.c, doit).

Holds the order of the rooms and nothing else. Until the program has the socket, nothing is read from the client.
"""

import asyncio
import os
import socket
from collections.abc import Awaitable
from functools import partial
from typing import TYPE_CHECKING

from ...core.client import limits
from ...core.client.connection import UNIQUE_ID, Endpoints, Names, environ
from ...core.client.limits import Excess, Keys
from ...core.dnsbl import loglines as dnsbl_loglines
from ...core.errors import Failure, unable
from ...core.log.event import of_connection
from ...core.rules.data import Instructions
from ...core.service.settings import ServerSettings
from ...core.smtp import loglines as smtp_loglines
from ...core.smtp.verdict import Refuse
from ...core.top.visitor import State
from ..accept.scoreboard import NOBODY, Place
from ..accept.socket_options import set_options
from ..backend.backends import Connection
from ..refuse import last_reply
from ..report.connection_log import ConnectionLog
from ..report.tasks import described
from ..stream.stream import Open, Stream
from . import at_gate
from .context import Client, Refusal, Service, Tls

if TYPE_CHECKING:
    from ...core.client.proxy.proxied import Proxied


async def serve(
    service: Service,
    connection: socket.SocketType,
    endpoints: Endpoints,
    place: Place | None = None,
    proxied: "Proxied | None" = None,
) -> None:
    """Take one client from its banner to its program, its refusal or its end.

    place: its place while it has no program; None = it waits for nothing but its slot. proxied: by whom; None = itself.
    """
    service, log = _met(service, endpoints, proxied)
    try:
        _greet(service.settings, connection, endpoints)
        known = service.names.static or await service.names.look_up(endpoints)
        rule = service.decide(endpoints.remote_ip, known.remote_host, known.remote_info)
        if _is_denied(log, endpoints, known, rule):
            return
        environment = _environment(service, endpoints, known, rule, proxied)
        keys = place.keys if place else _keys(service, endpoints, proxied)
        client = Client(connection, place, Connection(endpoints, known, keys, environment), proxied=proxied)
        if _over_limit(service, client, rule) or (service.fleet and await _over_fleets_limit(service, client, rule)):
            return
        refusal = await _refusal(service, client) if service.screens else None
        if service.tls:
            await (await _way_by_tls(service, service.tls, client, refusal))
        elif service.gate:
            await at_gate.talk(service, service.gate, client, refusal)
        elif refusal:
            await _talk_refused(service, client, refusal)
        else:
            await _start(service, client)
    except Failure as failure:
        log.dropped(endpoints, failure.sentence)
    except Exception as error:  # one client's trouble is not another's
        log.crashed(endpoints, described(error))
    finally:
        _leave(service, endpoints, place)
        connection.close()


def _met(service: Service, endpoints: Endpoints, proxied: "Proxied | None") -> tuple[Service, ConnectionLog]:
    """What a client meets, or a proxy where it speaks for nobody; the log begins with it."""
    met = service.local if service.local and proxied and proxied.is_local else service
    met.connection_log.arrived(endpoints, *(proxied.named if proxied else (None, b"")))
    return met, met.connection_log


def _leave(service: Service, endpoints: Endpoints, place: Place | None) -> None:
    """Tell those who count a client that it is none of ours any more."""
    if service.fleet and place:
        service.fleet.left(place.row)
    service.connection_log.left(endpoints)


def _greet(settings: ServerSettings, connection: socket.SocketType, endpoints: Endpoints) -> None:
    """A banner goes out before any look-up, so denied clients get it too; it wants its socket options first."""
    if not settings.banner:
        return
    set_options(settings, connection, endpoints)
    try:
        connection.send(settings.banner, socket.MSG_DONTWAIT | socket.MSG_NOSIGNAL)
    except OSError as error:
        raise unable("print banner", error) from None


def _keys(service: Service, endpoints: Endpoints, proxied: "Proxied | None") -> Keys:
    if proxied and proxied.is_local:
        return NOBODY
    return limits.keys(service.settings.client_limits, endpoints.remote_ip)


def _is_denied(log: ConnectionLog, endpoints: Endpoints, names: Names, rule: Instructions) -> bool:
    """Whether the rules turn the client away; which rule decides is in the log."""
    if rule.origin:
        log.ruled(endpoints, rule.origin)
    if rule.deny:
        log.denied(endpoints, names)
    return rule.deny


def _environment(
    service: Service, endpoints: Endpoints, names: Names, rule: Instructions, proxied: "Proxied | None"
) -> dict[bytes, bytes]:
    service.watch.known(names.remote_host)
    environment = environ(service.environment, endpoints, names, rule.variables)
    if proxied:
        proxied.tell(environment)
    if service.settings.relay_key:
        from ..recorder import tickets  # with them comes OpenSSL

        environment |= tickets.variables(service.settings.relay_key, endpoints)
    service.connection_log.mark(endpoints, environment)
    return environment


def _over_limit(service: Service, client: Client, rule: Instructions) -> bool:
    """Whether the client is over a limit; then it has been sent the message of that limit."""
    of_client = limits.with_variables(service.settings.client_limits, rule.variables)
    presence = service.counter.presence(client.connection.keys, of_client, has_row=client.place is not None)
    return _is_turned_away(service, client, limits.exceeded(of_client, presence))


async def _over_fleets_limit(service: Service, client: Client, rule: Instructions) -> bool:
    """Whether the client is over a limit together with what it has at other hosts; then it has been told so."""
    if service.fleet is None:
        return False
    service.watch.waits(b"fleet")
    of_client = limits.with_variables(service.settings.client_limits, rule.variables)
    ip, row = client.connection.endpoints.remote_ip, client.own_place.row
    excess = await service.fleet.enter(of_client, ip, row)
    service.watch.waits(b"")
    return _is_turned_away(service, client, excess)


def _is_turned_away(service: Service, client: Client, excess: Excess | None) -> bool:
    if excess is None:
        return False
    service.connection_log.turned_away(client.connection.endpoints, excess.reason)
    if not service.settings.is_wrapped:
        last_reply.say(client.socket, excess.message)
    return True


async def _start(service: Service, client: Client) -> None:
    """Start the program that speaks with the client itself; it counts for that then, and for its place no more."""
    set_options(service.settings, client.socket, client.connection.endpoints)
    start = partial(service.backends.start, place=client.place.row if client.place else None)
    if service.fleet:
        await service.fleet.start(start, client.connection, client.socket.fileno(), client.own_place.row)
    else:
        await start(client.connection, client.socket.fileno())


async def _refusal(service: Service, client: Client) -> Refusal | None:
    """The first screen that refuses the client, and its verdict; None = all let it in."""
    service.watch.at(State.SCREEN)
    for screen in service.screens:
        # A client with TLS speaks first.
        watched = None if service.tls and service.settings.is_wrapped else client.socket
        verdict = await screen.judge(client.connection.environment, watched)
        if isinstance(verdict, Refuse):
            return Refusal(screen, verdict)
    return None


async def _way_by_tls(service: Service, tls: Tls, client: Client, refusal: Refusal | None) -> Awaitable[None]:
    """What is to be awaited for a client that speaks TLS. Not here: that would keep this as long as the client.

    refusal: None = no screen refuses it.
    """
    service.watch.at(State.TLS)
    secured = await tls.secured(service, client)
    if secured is None:
        return asyncio.sleep(0)
    if service.gate:
        return at_gate.talk(service, service.gate, secured, refusal)
    if refusal:
        return _talk_refused(service, secured, refusal)
    return tls.run(service, secured)


async def _talk_refused(service: Service, client: Client, refusal: Refusal) -> None:
    """Talk to a refused client until it leaves."""
    service.watch.at(State.REFUSED)
    endpoints, names, _, environment = client.connection
    settings = refusal.screen.settings
    ip, pid = environment.get(b"TCPREMOTEIP", b""), os.getpid()
    line = smtp_loglines.refused(settings.log_name, ip, pid, refusal.verdict.reply)
    service.connection_log.refused(endpoints, names, line)
    row = client.own_place.row
    open_stream = _opening(service, client)
    dialogue = await service.held.talk(row, open_stream, refusal.verdict, settings.session_seconds)
    if settings.verbose:
        line = dnsbl_loglines.said(ip, pid, dialogue.said)
        service.connection_log.remark(of_connection(line, environment.get(UNIQUE_ID)))


def _opening(service: Service, client: Client) -> Open:
    """What makes the stream of a client that we speak with ourselves."""
    if service.tls:
        return service.tls.opening(client)
    return partial(Stream, asyncio.get_running_loop(), client.socket)
