"""Where a policy server listens. Never accepts."""

import contextlib
import errno
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from ...core.errors import Failure, error_words
from ...core.postgrey.settings import Inet, Places
from ..accept import listener, unix_listener
from ..accept.unix_listener import Access

#: All addresses of this host, of both families.
_ANY = ("*", "::")


@contextmanager
def listening(places: Places, uid: int | None, gid: int | None) -> Iterator[Sequence[socket.socket]]:
    """Listen at all places, at a path last: once that is there, all are. It is removed at the end.

    uid, gid: whose that socket is; None = ours. Raises Failure where one of them cannot be listened at.
    """
    with contextlib.ExitStack() as stack:
        found: list[socket.socket] = []
        if places.inet is not None:
            found += map(stack.enter_context, _listeners(places.inet, places.backlog))
        if places.unix is not None:
            access = Access(places.mode, uid, gid)
            found.append(
                stack.enter_context(unix_listener.listen(places.unix, socket.SOCK_STREAM, places.backlog, access))
            )
            stack.callback(unix_listener.remove, places.unix)
        yield found


def _listeners(inet: Inet, backlog: int) -> list[socket.socket]:
    """One for each address of the host; of several, those that this machine has."""
    port = listener.port_number(inet.port)
    addresses = _addresses(inet.host)
    found: list[socket.socket] = []
    for address in addresses:
        try:
            found.append(listener.listen(address, port, backlog))
        except Failure as failure:
            if len(addresses) == 1 or failure.sentence != f"unable to bind: {error_words(errno.EADDRNOTAVAIL)}":
                raise
    return found


def _addresses(host: str) -> list[str]:
    if host in _ANY:
        return ["::" if socket.has_dualstack_ipv6() else "0.0.0.0"]
    literal = listener.literal(host)
    if literal is not None:
        return [literal]
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise Failure(f"unable to find the address of {host}") from None
    return list(dict.fromkeys(str(address[0]) for *_, address in found))
