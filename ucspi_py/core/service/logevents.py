"""What the log of connections tells, as events. Each function one event; never writes it.

about: the fields of the connection. load: those of the whole service, as load() makes them.
"""

from collections.abc import Mapping

from ..client.connection import Endpoints, Names
from ..client.limits import NO_SLOT
from ..log.event import ERROR, WARNING, Event, Value

Fields = Mapping[str, Value]
_NAME = "connection"


def about(endpoints: Endpoints, cid: bytes) -> dict[str, Value]:
    """Tell the ends of a connection. cid: its id."""
    return {
        "cid": cid,
        "ip": endpoints.remote_ip,
        "port": int(endpoints.remote_port),
        "local_ip": endpoints.local_ip,
        "local_port": int(endpoints.local_port),
    }


def load(running: int, limit: int) -> Fields:
    """Tell how many backends there are. running: now. limit: at most (-c)."""
    return {"running": running, "limit": limit}


def status(running: int, limit: int) -> Event:
    """Tell how many backends there are, and nothing else. running, limit: as of load()."""
    return Event("status", load(running, limit))


def decided(decision: str, about: Fields, names: Names, load: Fields) -> Event:
    """Tell what becomes of a connection. decision: ``ok``, ``deny`` and so on."""
    found = {"host": names.remote_host, "info": names.remote_info}
    return Event(_NAME, {**about, **found, "decision": decision, **load})


def refused(about: Fields, names: Names, refusal: Event) -> Event:
    """Tell a refusal, and whose it is."""
    return refusal.having({**about, "host": names.remote_host, "info": names.remote_info})


def turned_away(about: Fields, reason: bytes) -> Event:
    """Tell of a client over a limit, or for whom there is no slot."""
    return Event(_NAME, {**about, "decision": "shed" if reason == NO_SLOT else "limit", "msg": reason})


def failed(about: Fields, decision: str, reason: str) -> Event:
    """Tell of a connection that is lost. decision: ``drop``, ``tls_error`` or ``proxy_error``."""
    return Event(_NAME, {**about, "decision": decision, "msg": reason}, WARNING)


def crashed(about: Fields, what: str) -> Event:
    """Tell of a connection that is lost by an error that nobody expected."""
    return Event(_NAME, {**about, "decision": "drop", "msg": f"internal error: {what}"}, ERROR)


def ended(about: Fields, status: int, ms: int | None, load: Fields) -> Event:
    """Tell of a program that has ended.

    status: its exit code, below 0 the signal that has ended it. ms: milliseconds that it ran; None = nobody knows.
    """
    return Event("end", {**about, "status": status, "ms": ms, **load})


def lost(number: int) -> Event:
    """Tell that lines are missing, for which the reader of the log had no room. number: how many lines."""
    words = "log lines lost, the reader of the log was too slow"
    return Event("lost", {"lost": number, "msg": words}, WARNING)
