"""Attempts to deliver by chance, for greylisters side by side: who tries, when, and what stands in the whitelists."""

import random
from collections import deque
from collections.abc import Iterator
from typing import NamedTuple

from ucspi_py.core.greylist.attempt import Attempt

DELAY, WINDOW, HOUR = 300, 12 * 3600, 3600
#: After so many requests come clients that nobody has seen: the others wait no more, one after the other.
_EPOCH = 200
#: Seconds from a request until it comes again: where one more or less may change the verdict.
_AGAIN = tuple(edge + by for edge in (*[DELAY] * 5, *[HOUR] * 3, *[WINDOW] * 2) for by in (-1, 0, 1))
_SHORT = (0, 0, 1, 7, 40, 100)
#: Of so many that came last one comes again.
_RECENT = 12

_USERS = ("alice", "Bob+list", "bob", "news-17-x", "news-4-x", "v2", "v3", "a.17.b", "a.9.b", "17", "4+17", "+x", "")
_TAGGED = ("prvs=0123456789=bob", "prvs=bob=0123456789", "prvs=0123456789abc=news-17-x", "prvs=a=b", "prvs=a=b=c=d")
_ODD = ("prvs=0123456789=9876543210", "prvs==x", "prvs=x==", "PRVS=0123456789=bob", "prvs=0123456789=bob+x", "a_1_b")
_SENDERS = (
    *(f"{user}@{domain}" for user in (*_USERS, *_TAGGED, *_ODD) for domain in ("example.com", "Example.com")),
    *("", "17", "no-domain", "bob@b@17.example", "1\xe417\xe4@17.example", "bob@17.example"),
)
_RECIPIENTS = ("r@example.org", "R@Example.Org", "r+17@example.org", "t", "100%r@example.org", "%s@x%s")
_LISTED_RECIPIENTS = (
    "postmaster@x.example",
    "Abuse+x@x",
    "u+ext@listed.example",
    "U@listed.example",
    "a@b.whole.example",
)
_NEARLY_LISTED = (
    "u+@listed.example",
    "ux@listed.example",
    "x@awhole.example",
    "x@whole.example.x",
    "xabuse@x",
    "abuse",
)
_NAMES = ("unknown", "mx.example.net", "mx7.pool.example.x", "aknown.example", "known.example.x", "ab.oddx.example")
_LISTED_NAMES = ("known.example", "A.Known.example", "MX7.Pool.example", "ab.odd.example.x", "x.abba.bab.odd.example")
_LISTED_IPS = (
    "203.0.113.9",
    "198.51.100.64",
    "198.51.100.95",
    "192.0.2.255",
    "10.20.0.7",
    "2001:db8:1:f::1",
    "2001:db8:2::7",
)
_NEARLY_LISTED_IPS = ("203.0.113.8", "198.51.100.63", "198.51.100.96", "192.0.3.1", "2001:db8:2::8", "2001:db8:0:f::1")

CLIENTS = r"""
# names
known.example   # and all below it
/^mx\d+\.pool\.example$/
/(?:^|\.)[ab]{2,3}\.odd\.example/
203.0.113.9
198.51.100.64/27
  192.0.2
10.20
2001:db8:1::/48
2001:DB8:2::7
"""
RECIPIENTS = r"""
postmaster@
abuse@ # so is this one
u@listed.example
whole.example
/^list-.*@example\.org$/
"""


class Request(NamedTuple):
    """An attempt, and when it comes, in seconds since 1970."""

    time: int
    attempt: Attempt


def requests(draw: random.Random, number: int) -> Iterator[Request]:
    """So many requests of few clients, which come again and again."""
    latest, recent = 1_700_000_000, deque[Request](maxlen=_RECENT)
    for at in range(number):
        request = Request(latest + draw.choice(_SHORT), _attempt(draw, at // _EPOCH))
        chance = draw.random()
        if chance < 0.05:
            # What is forgotten stays so when the clock is stepped back further, and postgrey forgets later than we do.
            request = request._replace(time=latest - draw.choice((1, 60, DELAY)))
        elif chance < 0.5 and recent:
            again = _again(draw, draw.choice(recent), request.attempt)
            request = again if again.time >= latest - DELAY else request
        latest = max(request.time, latest)
        recent.append(request)
        yield request


def _again(draw: random.Random, before: Request, other: Attempt) -> Request:
    """One that came before, or the same client with what another says."""
    attempt = before.attempt
    if draw.random() < 0.5:
        attempt = attempt._replace(sender=other.sender, recipient=other.recipient)
    return Request(before.time + draw.choice(_AGAIN), attempt)


def _attempt(draw: random.Random, epoch: int) -> Attempt:
    """An attempt; in one of eight something stands in a whitelist, or nearly so."""
    ip = draw.choice((f"100.64.{epoch}.1", f"100.64.{epoch}.200", f"100.65.{epoch}.1", *_ipv6(epoch)))
    name, sender, recipient = (
        draw.choice(words) for words in (_NAMES, _few(_SENDERS, epoch), _few(_RECIPIENTS, epoch))
    )
    match draw.randrange(24):
        case 0:
            ip = draw.choice((*_LISTED_IPS, *_NEARLY_LISTED_IPS))
        case 1:
            name = draw.choice(_LISTED_NAMES)
        case 2:
            recipient = draw.choice((*_LISTED_RECIPIENTS, *_NEARLY_LISTED, f"list-{draw.randrange(9)}@Example.org"))
    return Attempt(*(text.encode("latin-1") for text in (ip, name, "helo.example", sender, recipient)))


def _ipv6(epoch: int) -> tuple[str, ...]:
    return f"2001:db8:ff:{epoch:x}::1", f"2001:db8:ff:{epoch:x}:a::1", f"2001:db8:fe:{epoch:x}::1"


def _few(words: tuple[str, ...], epoch: int) -> tuple[str, ...]:
    """Other words in each epoch: what is said again is what decides."""
    return tuple(words[(4 * epoch + at) % len(words)] for at in range(4))
