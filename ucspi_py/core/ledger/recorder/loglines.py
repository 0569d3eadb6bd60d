"""The exact lines of the recorder, and of a chain program that could not reach it. Each function one line."""

from typing import TYPE_CHECKING

from ...text import clean, log_field
from ..settings import MANY

if TYPE_CHECKING:  # a chain program has one line to write, and no proof to judge
    from .proof import Proven


def granted(proven: "Proven", key: str, users: int) -> bytes:
    """Name a client that may relay from now on.

    key: its address or network. users: of that who have a grant now, this one included.
    """
    user, how = log_field(proven.user), proven.how.value.encode("ascii")
    who = (key.encode("ascii"), user, how, proven.seconds, proven.uid)
    many = b", one of %d users: whose address is that?" % users if users > MANY else b""
    return b"relay: granted %s to %s by %s for %d seconds, says uid %d%s\n" % (*who, many)


def refused(uid: int, user: bytes, reason: str) -> bytes:
    """Say why a login is no grant. uid: of who told of it. user: as told, b"" = it was not."""
    return b"relay: no grant to %s, says uid %d: %s\n" % (
        log_field(user) or b"-",
        uid,
        clean(reason.encode("utf-8", "surrogateescape")),
    )


def unusable(sentence: str) -> bytes:
    """Report a ledger that cannot be opened at the start."""
    return b"relay: warning: %s, nobody gets a grant\n" % clean(sentence.encode("utf-8", "surrogateescape"))


def too_many(uid: int) -> bytes:
    """Name a user whose programs tell of more logins at once than we listen to. uid: the user's."""
    return b"relay: warning: too many logins at once by uid %d\n" % uid


def anybodys_port(port: int) -> bytes:
    """Warn of a port that proves no login. port: one of --ports."""
    return b"relay: warning: any user may listen on port %d here, and then grant what he likes\n" % port


def not_recorded(reason: str) -> str:
    """Tell the log of a POP or IMAP server that a client got no grant."""
    return f"relay: warning: login not recorded: {clean(reason.encode('utf-8', 'surrogateescape')).decode()}"
