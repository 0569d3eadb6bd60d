"""What is known of a client's TLS. Never speaks TLS."""

from typing import NamedTuple


class TlsFacts(NamedTuple):
    """One client's TLS.

    protocol: as TLSv1.3. cipher: its name. bits: of its key, 0 = not known. server_name: what the client has asked for
    (SNI), b"" = nothing. subject, issuer, serial, fingerprint: of its certificate, which a CA of ours has signed; b"" =
    it showed none. Subject and issuer are written as RFC 4514 says, serial and fingerprint (SHA-256) in hexadecimal
    digits.
    is_verified: whether a proxy has found a certificate good, of which it hands on common_name alone, b"" = none.
    """

    protocol: bytes
    cipher: bytes
    bits: int
    server_name: bytes = b""
    subject: bytes = b""
    serial: bytes = b""
    fingerprint: bytes = b""
    common_name: bytes = b""
    is_verified: bool = False
    issuer: bytes = b""
