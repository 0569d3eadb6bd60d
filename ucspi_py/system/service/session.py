"""CORRIDOR 1: one accepted connection, top to bottom, in djb's order (tcpserver.c, doit).

Holds the order of the rooms and nothing else. Until the program has the socket, nothing is read from the client.
"""

import asyncio
import errno
import os
import socket
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from ...core import logline
from ...core.address import is_ipv6
from ...core.client import limits
from ...core.client.connection import Endpoints, Names, environ
from ...core.dns.message import Ask
from ...core.errors import Failure, error_words, unable
from ...core.rules.data import Instructions
from ...core.settings import ServerSettings
from ...core.smtp.verdict import Refuse
from ..accept.arrivals import Arrivals
from ..accept.scoreboard import Place, Scoreboard
from ..accept.slots import Slots
from ..backend.spawn import Launcher
from ..lookup import names
from ..refuse import last_reply
from ..refuse.held import Held
from ..report.connection_log import ConnectionLog
from ..screens.kinds import Screen
from .tasks import described

_NO_PROCESS = frozenset((errno.EAGAIN, errno.ENOMEM))

#: What the rules say of an address, a name and an ident answer. Raises Failure where they cannot be read.
Decide = Callable[[bytes, bytes | None, bytes | None], Instructions]


@dataclass(frozen=True, slots=True)
class Service:
    """Everything a connection meets on its way.

    environment: what every program gets. static_names: the names of every client, None where something is found out
    about them. ask: the way to the name servers, closed where nothing is ever asked. rest: to be called when there is
    no room for another process; nobody new is let in for a while. in_bursts: whether a session pauses before its
    program is started, until all who came with it are decided on.
    """

    settings: ServerSettings
    connection_log: ConnectionLog
    board: Scoreboard
    arrivals: Arrivals | None
    slots: Slots
    rest: Callable[[], None]
    in_bursts: bool
    decide: Decide
    environment: Mapping[bytes, bytes]
    static_names: Names | None
    launcher: Launcher
    ask: Ask
    screens: Sequence[Screen]
    held: Held


class Client(NamedTuple):
    """A client that the rules have let in."""

    socket: socket.SocketType
    endpoints: Endpoints
    keys: limits.Keys
    place: Place | None
    names: Names
    environment: dict[bytes, bytes]


async def serve(
    service: Service, connection: socket.SocketType, endpoints: Endpoints, place: Place | None = None
) -> None:
    """Take one client from its banner to its program, its refusal or its end.

    place: its place while it has no program; None = it has none, as it waits for nothing but its slot.
    """
    try:
        await _serve(service, connection, endpoints, place)
    except Exception as error:  # one client's trouble is not another's
        service.connection_log.crashed(endpoints, described(error))
    finally:
        connection.close()


async def _serve(service: Service, connection: socket.SocketType, endpoints: Endpoints, place: Place | None) -> None:
    try:
        if service.settings.banner:
            _greet(service.settings, connection, endpoints)
        known = service.static_names or await names.look_up(service.settings, service.ask, endpoints)
        rule = service.decide(endpoints.remote_ip, known.remote_host, known.remote_info)
    except Failure as failure:
        service.connection_log.dropped(endpoints, failure.sentence)
        return
    if rule.origin:
        service.connection_log.ruled(endpoints, rule.origin)
    if rule.deny:
        service.connection_log.denied(endpoints, known)
        return
    keys = place.keys if place else limits.keys(service.settings.client_limits, endpoints.remote_ip)
    environment = environ(service.environment, endpoints, known, rule.variables)
    client = Client(connection, endpoints, keys, place, known, environment)
    if _over_limit(service, client, rule):
        return
    for screen in service.screens:
        if await _refused(service, screen, client):
            return
    await _start(service, client)


def _greet(settings: ServerSettings, connection: socket.SocketType, endpoints: Endpoints) -> None:
    """The banner goes out before any look-up, so denied clients get it too; it wants its socket options first."""
    _set_options(settings, connection, endpoints)
    try:
        connection.send(settings.banner, socket.MSG_DONTWAIT | socket.MSG_NOSIGNAL)
    except OSError as error:
        raise unable("print banner", error) from None


def _set_options(settings: ServerSettings, connection: socket.SocketType, endpoints: Endpoints) -> None:
    try:
        # A client mapped into :: has IP options, too.
        if settings.kill_ip_options and not is_ipv6(endpoints.remote_ip):
            connection.setsockopt(socket.IPPROTO_IP, socket.IP_OPTIONS, b"")
        if not settings.delay:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    except OSError:
        pass  # as in C: a client that is gone already is found out by whoever writes to it


def _over_limit(service: Service, client: Client, rule: Instructions) -> bool:
    """Whether the client has more of the service than its share; then it has been told."""
    counted = client.place is not None
    of_client = limits.with_variables(service.settings.client_limits, rule.variables)
    presence = limits.Presence(
        service.board.count_client(client.keys.client) - counted if of_client.per_client else 0,
        service.board.count_network(client.keys.network) - counted if of_client.per_network else 0,
        service.arrivals.note(client.keys.client) if service.arrivals else 0,
        _load() if of_client.load else 0,
    )
    excess = limits.exceeded(of_client, presence)
    if excess is None:
        return False
    service.connection_log.turned_away(client.endpoints, excess.reason)
    last_reply.say(client.socket, excess.message)
    return True


def _load() -> int:
    """The load average of the last minute, in hundredths; 0 where the system does not tell."""
    try:
        return int(os.getloadavg()[0] * 100)
    except OSError:
        return 0


async def _refused(service: Service, screen: Screen, client: Client) -> bool:
    """Whether this screen refused the client; then it has been talked to until it left."""
    verdict = await screen.judge(client.environment, client.socket)
    if not isinstance(verdict, Refuse):
        return False
    ip, pid = client.environment.get(b"TCPREMOTEIP", b""), os.getpid()
    line = logline.refused(screen.settings.log_name, ip, pid, verdict.reply)
    service.connection_log.refused(client.endpoints, client.names, line)
    if client.place is None:
        raise RuntimeError("a refused client without a place")
    dialogue = await service.held.talk(client.place.row, client.socket, verdict, screen.settings.session_seconds)
    if screen.settings.verbose:
        service.connection_log.remark(logline.said(ip, pid, dialogue.said))
    return True


async def _start(service: Service, client: Client) -> None:
    """Start the program once there is a slot for it."""
    slot = await service.slots.reserve(may_relay=b"RELAYCLIENT" in client.environment)
    try:
        # Before the start: the backend may run for milliseconds before we are told its process id.
        service.board.name(slot, *client.keys)
        if service.in_bursts:
            await asyncio.sleep(0)
        _set_options(service.settings, client.socket, client.endpoints)
        service.board.announce(slot, os.fstat(client.socket.fileno()).st_ino)
        pid = service.launcher.start(client.socket.fileno(), client.environment)
        service.slots.hold(slot, pid)
    except (OSError, ValueError) as error:
        service.slots.give_back(slot)
        _tell_why_not(service, client, error)
        return
    except BaseException:
        service.slots.give_back(slot)
        raise
    service.connection_log.started(pid, client.endpoints, client.names)


def _tell_why_not(service: Service, client: Client, error: OSError | ValueError) -> None:
    if isinstance(error, OSError) and error.errno in _NO_PROCESS:
        service.connection_log.not_forked(error_words(error.errno))
        service.rest()
    else:
        why = error_words(error.errno) if isinstance(error, OSError) else str(error)
        sentence = f"unable to run {service.launcher.name}: {why}"
        service.connection_log.not_run(client.endpoints, client.names, sentence)
