"""An entry of postgrey's -> under which key of ours which change takes it over; None = it has expired."""

from typing import NamedTuple

from ..greylist.attempt import Attempt
from ..greylist.triplet.decision import Client, Triplet, client_expiry, expiry, has_passed
from ..greylist.triplet.identity import client_key, identity
from ..greylist.triplet.key import triplet_key
from ..greylist.triplet.settings import TripletSettings
from .dump import KnownClient, KnownTriplet
from .taking import ClientTaken, TripletTaken


class Taken(NamedTuple):
    """What is done for an entry. key: of the record."""

    key: str
    change: TripletTaken | ClientTaken


def taken(known: KnownTriplet | KnownClient, now: int, settings: TripletSettings) -> Taken | None:
    """Tell what takes an entry over. now: seconds since 1970; times behind that are of a clock that was wrong."""
    if isinstance(known, KnownClient):
        return _client(known, now, settings)
    who = identity(_attempt(known.ip), settings)
    record = Triplet(min(known.first, now), min(known.last, now))
    if not has_passed(record, settings):
        record = record._replace(last=record.first)
    if who is None or expiry(record, settings) < now:
        return None
    return Taken(triplet_key(who, known.sender, known.recipient), TripletTaken(now, record, settings))


def _client(known: KnownClient, now: int, settings: TripletSettings) -> Taken | None:
    key = client_key(_attempt(known.ip), settings)
    record = Client(known.passes, min(known.last, now))
    if key is None or client_expiry(record, settings.max_age) < now:
        return None
    return Taken(key, ClientTaken(now, record, settings.max_age))


def _attempt(ip: bytes) -> Attempt:
    return Attempt(ip, b"", b"", b"", b"")
