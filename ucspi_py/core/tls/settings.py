"""What the operator asked of TLS, frozen."""

from dataclasses import dataclass
from typing import NamedTuple


class Pair(NamedTuple):
    """A certificate with its chain, and its key: paths of PEM files, which may be the same.

    names: server names for which it is used, in lower case, ``.example.org`` for all below; () = it is for whoever
    asks for no name that another has.
    """

    certificate: str
    key: str
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TlsSettings:
    """One service's TLS.

    pairs: in order; of several for everybody each client gets one that it can use (EC, RSA). lowest, highest: versions
    of the protocol, as TLSv1.2; None = whatever OpenSSL has. ciphers: OpenSSL's list for TLS 1.2; None = its default.
    ca_file: whose clients' certificates are taken; None = none is asked for. requires_certificate: no client without
    one. handshake_seconds: that a handshake may take.
    """

    pairs: tuple[Pair, ...]
    lowest: str | None = "TLSv1.2"
    highest: str | None = None
    ciphers: str | None = None
    ca_file: str | None = None
    requires_certificate: bool = False
    handshake_seconds: int = 30
