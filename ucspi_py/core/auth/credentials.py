"""What a client says to prove who it is (RFC 4954, 4). Never checks it."""

from typing import NamedTuple

#: Bytes of a login, and of a password.
LIMIT = 255


class Credentials(NamedTuple):
    """A client's proof, whole.

    mechanism: in capitals, as PLAIN. login: as the client says it. secret: its password; of CRAM-MD5 its answer, 32
    hexadecimal digits. challenge: what that answers, b"" with any other mechanism.
    """

    mechanism: bytes
    login: bytes
    secret: bytes
    challenge: bytes = b""

    def __repr__(self) -> str:
        """Show who, and never the secret: a traceback may be logged."""
        return f"Credentials({self.mechanism!r}, {self.login!r})"


class Peer(NamedTuple):
    """Between whom credentials were said.

    remote_ip, local_ip: canonical addresses; b"" = unknown. local_port: of ours. secured: whether by TLS.
    """

    remote_ip: bytes
    local_ip: bytes
    local_port: bytes
    secured: bool
