"""Whether a login is proven, and of which client: the words of whoever asks, and what the system says of it, in.

A program behind a login runs as the user who has logged in, and that user may be anybody's program too. So nothing that
it says of an address counts. What counts, in this order:

- the word of a trusted user id;
- a ticket of our own server, which says where a client behind TLS or a proxy is;
- the client's own socket, passed along: its peer is the client, and nobody without root listens on its port.
"""

from typing import NamedTuple

from ..address import Address, address
from ..grant import How
from . import ticket
from .request import Request
from .settings import RecorderSettings

#: Seconds: the longest grant of a login, whoever asks.
_LONGEST = 86400
_PROTOCOLS = {110: How.POP3, 143: How.IMAP, 993: How.IMAP, 995: How.POP3}
_SAID = {b"pop3": How.POP3, b"imap": How.IMAP}


class Connected(NamedTuple):
    """A connection over TCP whose descriptor was passed along.

    remote_ip: the canonical address of its peer. local_port: our own. is_of_this_network: whether it was made in the
    network namespace of the recorder; a user who makes one is root there, and may listen on any port, for any address.
    is_established: whether both ends are still there.
    """

    remote_ip: bytes
    local_port: int
    is_of_this_network: bool
    is_established: bool


class Asker(NamedTuple):
    """What the system says of whoever asks. uid: user id. client: what was passed along, None = no such connection."""

    uid: int
    client: Connected | None


class Proven(NamedTuple):
    """A proven login.

    user, how: as of a Grant. uid: of whoever says so. seconds: that its grant lasts.
    """

    address: Address
    user: bytes
    how: How
    uid: int
    seconds: int


def judge(request: Request, asker: Asker, settings: RecorderSettings, now: int) -> Proven | str:
    """Find out whose login it is, or why nobody's. now: seconds since 1970."""
    place = _place(request, asker, settings, now)
    if isinstance(place, str):
        return place
    try:
        client = address(place.address)
    except ValueError:
        return "it is no address"
    if not 1 <= request.seconds <= _LONGEST:
        return f"a grant lasts from 1 to {_LONGEST} seconds"
    how = _PROTOCOLS.get(place.port) or _SAID.get(request.protocol, How.LOGIN)
    return Proven(client, request.user or b"uid %d" % asker.uid, how, asker.uid, request.seconds)


def _place(request: Request, asker: Asker, settings: RecorderSettings, now: int) -> ticket.Place | str:
    if request.address and settings.trusts(asker.uid):
        return ticket.Place(request.address, asker.client.local_port if asker.client else 0)
    # Before the socket: behind a proxy that is the proxy's.
    place = _by_ticket(request.ticket, settings.key, now) if request.ticket else _by_socket(asker)
    if isinstance(place, ticket.Place) and place.port not in settings.ports:
        return f"port {place.port} is not one of --ports"
    return place


def _by_ticket(shown: bytes, key: bytes | None, now: int) -> ticket.Place | str:
    if key is None:
        return "there is a ticket, and no --key to check it"
    return ticket.place_of(key, shown, now) or "the ticket is not of this key, or too old"


def _by_socket(asker: Asker) -> ticket.Place | str:
    client = asker.client
    if client is None:
        return f"descriptor 0 is no client's socket, there is no ticket, and uid {asker.uid} is not one of --trust"
    if not client.is_of_this_network:
        return "the client's socket is of another network namespace"
    if not client.is_established:
        return "the client is gone"
    return ticket.Place(client.remote_ip, client.local_port)
