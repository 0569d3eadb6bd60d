"""What is seen of a milter that is asked whether it is there, and what is to be done where it is not. Never asks."""

import errno
from typing import NamedTuple

from ....milter.negotiation import Agreed
from ...server import UnixServer
from ..settings import Milter

#: What keeps a connection from being made, where it is no errno: its host has no address.
NO_ADDRESS = -1

_REMEDIES = {
    0: "see its log",
    NO_ADDRESS: "write its address: /etc/hosts is not read",
    errno.ENOENT: "start it, or write the path of its socket",
    errno.ECONNREFUSED: "start it",
}


class Answers(NamedTuple):
    """It is there. agreed: with it. seconds: that took, from the first try to connect."""

    agreed: Agreed
    seconds: float


class Unusable(NamedTuple):
    """It is not there, or not to be understood.

    sentence: why. errno: of the connection, or NO_ADDRESS; 0 = there is one. inside: whether its socket is there
    within the queue directory. version: of the protocol, that it would take; None = none, as far as can be told.
    """

    sentence: str
    errno: int = 0
    inside: bool = False
    version: int | None = None


Seen = Answers | Unusable


def remedy(milter: Milter, seen: Unusable) -> str:
    """Tell what to do about a milter; "" = the sentence says it, or nobody knows."""
    if seen.inside and isinstance(milter.server, UnixServer):
        path = milter.server.path.lstrip("/")
        return f"it is in queue_directory, where a Postfix in a chroot finds it: write unix:{path}"
    if seen.version is not None:
        return f"it takes milter_protocol = {seen.version}"
    return _REMEDIES.get(seen.errno, "")
