"""Under which key a triplet is kept: who sends, from whom, to whom, as hashes. Never has a store."""

import re
from hashlib import blake2b

_NUMBER = re.compile(rb"\b\d+\b")
#: The tag of an address that is tagged for bounces (BATV): ``prvs=TAG=USER``, and also seen the other way round.
_TAG = re.compile(rb"[0-9a-z]{10}")
#: Bytes of the hash of who sends, in front: all triplets of a network stand together.
_WHO = 6
_WHAT = 10


def triplet_key(identity: bytes, sender: bytes, recipient: bytes) -> str:
    """Make the key: 32 hexadecimal digits. sender: as normalised() has it. Capitals and small letters are the same."""
    what = b"/".join((identity, sender, recipient)).lower()
    return identity_key(identity) + blake2b(what, digest_size=_WHAT).hexdigest()


def identity_key(identity: bytes) -> str:
    """Make the part of a key that all triplets of a client have in common. identity: as of identity.py."""
    return blake2b(identity.lower(), digest_size=_WHO).hexdigest()


def neighbourhood(key: str) -> str:
    """The part of a key that all triplets of a client have in common."""
    return key[: 2 * _WHO]


def normalised(sender: bytes) -> bytes:
    """Make one of the addresses under which somebody sends: without what changes with each message.

    The tag of BATV and what follows a + are taken away, and a number is ``#`` (postgrey, do_sender_substitutions).
    """
    user, at, domain = sender.partition(b"@")
    if not at:
        return sender
    user = _untagged(user).partition(b"+")[0]
    return _NUMBER.sub(b"#", user) + at + domain


def _untagged(user: bytes) -> bytes:
    words = user.rstrip(b"=").split(b"=")
    if len(words) != 3 or words[0] != b"prvs":
        return user
    _, one, other = words
    return one if _TAG.match(other) and not _TAG.match(one) else other
