"""What of a session nobody but policy services is told, as facts. Never tells it."""

from typing import NamedTuple

from ...tls.facts import TlsFacts


class Particulars(NamedTuple):
    """What of a session nobody but policy services is told.

    instance: of the message, the same at each of its commands. esmtp: the client has said EHLO, and was not refused
    then. says_ehlo: it says that now. size: bytes of the
    message, as MAIL has said or as they came; 0 = not known. client_port, server_ip, server_port: of the connection,
    b"" = not known. method: by which it has logged in. login_sender: who has handed the message in, by AUTH= of MAIL,
    as it was said. tls: None = it speaks none.
    """

    instance: bytes = b""
    esmtp: bool = False
    says_ehlo: bool = False
    size: int = 0
    client_port: bytes = b""
    server_ip: bytes = b""
    server_port: bytes = b""
    method: bytes = b""
    login_sender: bytes = b""
    tls: TlsFacts | None = None
