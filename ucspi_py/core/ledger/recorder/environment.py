"""What the environment of a program behind a login says of it: that of checkpassword, Dovecot's hook, or Courier."""

from collections.abc import Mapping

from ...client.local import hides_client, is_local
from .request import Request

#: In which a server of ours gives a ticket (ticket.py).
TICKET = b"RELAYTICKET"
_PROTOCOLS = ("pop3", "imap")


def request(environment: Mapping[bytes, bytes], program: str, seconds: int) -> Request | None:
    """Make the request of a login; None = nobody has logged in.

    program: that is to run next, whose name tells the protocol. seconds: that the grant is to last.

    A UCSPI server has told the address in $TCPREMOTEIP, Dovecot (script-login.c) in $IP. Courier names who has logged
    in in $AUTHENTICATED, which is empty where nobody has; after checkpassword, and with Dovecot, it is $USER.
    """
    user = environment.get(b"AUTHENTICATED", environment.get(b"USER", b""))
    if not user and b"AUTHENTICATED" in environment:
        return None
    name = program.rpartition("/")[2]
    return Request(
        address=environment.get(b"TCPREMOTEIP") or environment.get(b"IP", b""),
        user=user,
        protocol=next((protocol for protocol in _PROTOCOLS if protocol in name), "").encode(),
        seconds=seconds,
        ticket=environment.get(TICKET, b""),
    )


def is_on_socket(environment: Mapping[bytes, bytes]) -> bool:
    """Whether the client itself is at the other end of descriptor 0. A proxy there is nobody's address."""
    return not (is_local(environment) or hides_client(environment))
