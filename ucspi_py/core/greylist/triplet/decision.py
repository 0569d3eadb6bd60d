"""How long a triplet waits, and which clients need not: records and the time in, verdicts and new records out.

To the second as postgrey decides (smtpd_access_policy), with its corrections of a clock that was stepped. What is
written differs where no verdict depends on it: an early retry changes nothing, and a triplet that is let in is renewed
when a part of its memory is used up. All triplets are kept so much longer, which also helps hosts whose clocks differ.
Never has a clock or a store.
"""

from typing import NamedTuple

from ..attempt import Deferred, Passed, Verdict
from .settings import TripletSettings

FOUND = b"triplet found"
#: Seconds between two passes of a client that both count.
APART = 3600
#: A visit renews a record that has used up this part of its memory: not every visit of a known triplet is a write.
WORTH_RENEWING = 100


class Triplet(NamedTuple):
    """What is remembered of a triplet, in seconds since 1970.

    first: its first attempt. last: when it was let in, as far as that was worth writing; until it is, when first was
    written. waited: seconds from the first attempt until it was let in; None = it was not, or nobody has counted.
    """

    first: int
    last: int
    waited: int | None = None


class Client(NamedTuple):
    """What is remembered of a client. passes: so many counted. last: when the last one did, since 1970."""

    passes: int
    last: int


def decide(record: Triplet | None, now: int, settings: TripletSettings) -> tuple[Verdict, Triplet]:
    """What becomes of an attempt, and what is to be remembered. record: None = nothing. now: seconds since 1970."""
    if record is None or now > expiry(record, settings):
        return _decided(Triplet(now, now), now, settings)
    if has_passed(record, settings):
        first = min(record.first, now)
        if first + settings.delay > now:
            return Deferred(first + settings.delay - now, first == now), Triplet(first, now)
        return Passed(FOUND), _renewed(record, now, settings)
    is_to_begin = record.first > now or now - record.first > settings.retry_window
    return _decided(Triplet(now, now) if is_to_begin else record, now, settings)


def has_passed(record: Triplet, settings: TripletSettings) -> bool:
    """Whether a triplet was let in before."""
    return record.last - record.first >= settings.delay


def expiry(record: Triplet, settings: TripletSettings) -> int:
    """The last second for which the record of a triplet means anything."""
    if has_passed(record, settings):
        return record.last + _kept(settings.max_age)
    return record.first + _kept(settings.retry_window)


def client_expiry(record: Client, max_age: int) -> int:
    """The last second for which the record of a client means anything. max_age: seconds since its last pass."""
    return record.last + max_age


def is_listed(record: Client | None, now: int, settings: TripletSettings) -> tuple[bool, Client | None]:
    """Whether a client has passed so often that it waits no more, and what is to be remembered of it.

    record: None = nothing. now: seconds since 1970.
    """
    enough = settings.auto_whitelist_clients
    if record is None or now > client_expiry(record, settings.max_age) or not 0 < enough <= record.passes:
        return False, record
    is_worth_it = now >= record.last + APART or record.last > now
    return True, Client(record.passes + 1, now) if is_worth_it else record


def counted(record: Client | None, now: int, settings: TripletSettings) -> Client:
    """Count that a triplet of a client was let in for the first time.

    record: what is remembered of the client, None = nothing. now: seconds since 1970.
    """
    if record is None or now > client_expiry(record, settings.max_age):
        return Client(1, now)
    return Client(record.passes + 1, now) if now >= record.last + APART else record


def _kept(seconds: int) -> int:
    return seconds + seconds // WORTH_RENEWING


def _decided(record: Triplet, now: int, settings: TripletSettings) -> tuple[Verdict, Triplet]:
    """What becomes of an attempt that is to wait."""
    waited = now - record.first
    if waited < settings.delay:
        return Deferred(settings.delay - waited, waited == 0), record
    return Passed(FOUND, waited), Triplet(record.first, now, waited)


def _renewed(record: Triplet, now: int, settings: TripletSettings) -> Triplet:
    if now - record.last > settings.max_age // WORTH_RENEWING:
        return record._replace(last=now)
    return record
