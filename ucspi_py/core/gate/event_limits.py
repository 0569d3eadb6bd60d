"""Who has come too often, or wants too much, in Postfix's words (smtpd.c, anvil(8)). Never counts."""

from typing import NamedTuple

from ..client.window import Event
from ..smtp.reply import Reply, reply
from . import loglines
from .settings import EventLimits
from .visitor import Visitor, is_in

_NAMES = {
    Event.CONNECTION: b"Connection rate",
    Event.MESSAGE: b"Message delivery request rate",
    Event.RECIPIENT: b"Recipient address rate",
    Event.AUTH: b"AUTH command rate",
}


class Excess(NamedTuple):
    """One limit that is exceeded. reply: for the client. line: for the log."""

    reply: Reply
    line: bytes


def excepts(limits: EventLimits, client: Visitor) -> bool:
    """Whether a client may do as much as it likes."""
    excepted = limits.smtpd_client_event_limit_exceptions
    is_excepted = client.relays if excepted is None else is_in(client.ip, excepted)
    return is_excepted or client.is_local


def too_many_at_once(limits: EventLimits, client: Visitor, count: int, name: bytes) -> Excess | None:
    """Judge a client that has connected; None = it is within smtpd_client_connection_count_limit.

    count: its connections, this one included. name: ours, in replies.
    """
    limit = limits.smtpd_client_connection_count_limit
    if not limit or count <= limit:
        return None
    line = loglines.exceeded(client, b"Connection concurrency", count, limits.service)
    return Excess(_refusal(Event.CONNECTION, client, name), line)


def too_many(limits: EventLimits, client: Visitor, event: Event, count: int, name: bytes) -> Excess | None:
    """Judge what a client does; None = it is within the limit of it.

    count: events of the kind in the period, this one included. name: ours, in replies.
    """
    limit = limits.rates[event]
    if not limit or count <= limit:
        return None
    return Excess(_refusal(event, client, name), loglines.exceeded(client, _NAMES[event], count, limits.service))


def _refusal(event: Event, client: Visitor, name: bytes) -> Reply:
    match event:
        case Event.CONNECTION:
            return reply(421, b"4.7.0 %b Error: too many connections from %b" % (name, client.ip))
        case Event.MESSAGE:
            return reply(450, b"4.7.1 Error: too much mail from " + client.ip)
        case Event.RECIPIENT:
            return reply(450, b"4.7.1 Error: too many recipients from " + client.ip)
        case Event.AUTH:
            return reply(450, b"4.7.1 Error: too many AUTH commands from " + client.ip)
