"""How many wrong passwords there may be: of one network, of one user, of a user where it has logged in before.

Never counts itself, and reads no clock. A try is counted before anybody is asked, and taken back where it was no wrong
password: as many at once as one likes are not more than the limit.
"""

import enum
from typing import NamedTuple

from .. import address

#: Seconds for which it is remembered that a user has logged in from a network: 30 days.
REMEMBERED = 30 * 86400
#: Bits of the network that stands for a client: of IPv4, and of IPv6.
NETWORK = 24, 64


class Limit(NamedTuple):
    """What is free. tries: wrong passwords, within so many seconds from the first of them on."""

    tries: int
    seconds: int


OF_NETWORK, OF_USER, OF_PAIR = Limit(10, 600), Limit(5, 60), Limit(10, 600)


class TooMany(enum.Enum):
    """Whose wrong passwords are too many, in words for the log."""

    NETWORK = "too many failures from its network"
    USER = "too many failures of this user"
    PAIR = "too many failures of this user from its network"


class Bucket(NamedTuple):
    """The wrong passwords of one, in its period.

    key: whose, 0 = a free entry. begun: second of the first. tries: how many. known: second of the last login of a user
    from a network; 0 = that is none, or there was none.
    """

    key: int
    begun: int = 0
    tries: int = 0
    known: int = 0


def take(bucket: Bucket, limit: Limit, now: int) -> Bucket | None:
    """Count one try; None = there are too many. now: second of a clock that never goes back, above 0."""
    if bucket.begun + limit.seconds <= now:
        bucket = bucket._replace(begun=now, tries=0)
    return bucket._replace(tries=bucket.tries + 1) if bucket.tries < limit.tries else None


def give_back(bucket: Bucket) -> Bucket:
    """Take one try back."""
    return bucket._replace(tries=max(bucket.tries - 1, 0))


def is_known(bucket: Bucket, now: int) -> bool:
    """Whether the user of a pair has logged in from its network within 30 days. now: as of take()."""
    return bucket.known > 0 and now < bucket.known + REMEMBERED


def place(buckets: list[Bucket], key: int) -> int:
    """Find the bucket of a key among some: its index, or that of the one to be forgotten for it.

    That is the one whose last login, and then whose period, is the longest ago; free ones come first. So a flood of
    names of users that there are not forgets no user who has logged in, but in a table of its own.
    """
    for where, bucket in enumerate(buckets):
        if bucket.key == key:
            return where
    return min(range(len(buckets)), key=lambda where: (buckets[where].known, buckets[where].begun))


def network_of(ip: bytes) -> bytes:
    """The network that an address stands for: its /24, or its /64. ip: canonical; what is none is its own."""
    try:
        return address.network_of(ip, *NETWORK).encode("ascii")
    except ValueError:
        return ip
