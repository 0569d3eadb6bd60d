"""Whether a network has waited long enough: its record and the time in, a verdict and its new record out.

Never has a clock or a store. A record outlives every process and may be shared by hosts, so its times are those of the
wall clock, which may be stepped, and may differ from host to host. What holds however it is stepped: nobody is let in
who has not come before, and nobody waits longer than one delay more for each step.

- Stepped back, a first contact lies in the future. It is taken for one of just now.
- Stepped back, an acceptance lies in the future. The network stays known, and the later time is kept: when the clock is
  set right again, nobody has been forgotten meanwhile.
- Stepped forward, a first contact looks older than it is. The network is let in early or, beyond the retry window,
  refused once more as at its first contact.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from ..address import canonical, network_of
from ..client.limits import Prefixes
from ..smtp.verdict import Accept, Refuse, Verdict
from .settings import GreylistSettings

_TEXT = b"Greylisted, try again in %d seconds"
#: A visit renews a record that has used up this part of its memory: not every visit of a known network is a write.
_WORTH_RENEWING = 100
#: Clients whose network is not computed again: a flood comes from few.
_REMEMBERED = 4096


class Record(NamedTuple):
    """What is remembered of a network, in seconds since 1970.

    first: its first contact. passed: when it was last let in; None = never.
    """

    first: int
    passed: int | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """The verdict on a visit, and what is to be remembered of the network from now on."""

    verdict: Verdict
    record: Record


def decide(record: Record | None, now: int, settings: GreylistSettings) -> Decision:
    """What becomes of a visit. record: what is remembered, None = nothing. now: seconds since 1970."""
    if record is None or expiry(record, settings) < now:
        record = Record(now)
    if record.passed is not None:
        return Decision(Accept(), _renewed(record, record.passed, now, settings))
    first = min(record.first, now)
    left = first + settings.delay - now
    if left > 0:
        return Decision(patience(left), Record(first))
    return Decision(Accept(), Record(first, now))


def patience(seconds: int) -> Refuse:
    """The refusal that asks a client to come back in so many seconds."""
    return Refuse(451, _TEXT % seconds)


def expiry(record: Record, settings: GreylistSettings) -> int:
    """The last second for which a record means anything."""
    if record.passed is None:
        return record.first + settings.window
    return record.passed + settings.memory


def exempt(environment: Mapping[bytes, bytes]) -> bool:
    """Whether a client is never greylisted: it may relay, or a rule sets RBLSMTPD="" or GREYLIST="" for it."""
    return b"RELAYCLIENT" in environment or b"" in (environment.get(b"RBLSMTPD"), environment.get(b"GREYLIST"))


@lru_cache(_REMEMBERED)
def network(ip: bytes, prefixes: Prefixes) -> str | None:
    """The network of a client, as in ``192.0.2.0/24``, one form for each; None for what is no address."""
    try:
        return network_of(canonical(ip.decode("ascii")), *prefixes)
    except ValueError:
        return None


def _renewed(record: Record, passed: int, now: int, settings: GreylistSettings) -> Record:
    if now - passed > settings.memory // _WORTH_RENEWING:
        return record._replace(passed=now)
    return record
