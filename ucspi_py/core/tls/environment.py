"""What a program is told of its client's TLS: the names of s6-networking, ucspi-ssl and mod_ssl. Never speaks TLS."""

from collections.abc import Mapping

from .facts import TlsFacts

#: Where OpenSSL finds its authorities: of whoever started us, and of no client.
_OF_OPENSSL = frozenset((b"SSL_CERT_FILE", b"SSL_CERT_DIR"))
#: What a program takes for descriptors of ours (UCSPI-TLS).
_DESCRIPTORS = frozenset((b"SSLCTLFD", b"SSLREADFD", b"SSLWRITEFD", b"UCSPITLS"))
_BEGINNINGS = (b"SSL", b"UCSPITLS")


def without_tls(environment: Mapping[bytes, bytes]) -> dict[bytes, bytes]:
    """Take out all that a program would take for its client's TLS: nobody but us says that, neither rule nor parent."""
    kept = dict(environment)
    forget(kept)
    return kept


def with_tls(environment: Mapping[bytes, bytes], facts: TlsFacts) -> dict[bytes, bytes]:
    """Put in what is known of a client's TLS, and nothing that anybody else has said of it. PROTO stays TCP."""
    told = dict(environment)
    tell(told, facts)
    return told


def tell(environment: dict[bytes, bytes], facts: TlsFacts) -> None:
    """Change an environment as with_tls() does, where a second one would stay as long as the client."""
    forget(environment)
    environment.update(variables(facts))


def forget(environment: dict[bytes, bytes]) -> None:
    """Change an environment as without_tls() does."""
    for name in [name for name in environment if name.startswith(_BEGINNINGS)]:
        if name in _DESCRIPTORS or (name.startswith(b"SSL_") and name not in _OF_OPENSSL):
            del environment[name]


def variables(facts: TlsFacts) -> dict[bytes, bytes]:
    """Build SSL_PROTOCOL and its like; what is not known is no variable."""
    known = {
        b"SSL_VERSION_INTERFACE": b"ucspi_py",
        b"SSL_PROTOCOL": facts.protocol,
        b"SSL_CIPHER": facts.cipher,
        b"SSL_CIPHER_USEKEYSIZE": b"%d" % facts.bits if facts.bits else b"",
        b"SSL_CLIENT_VERIFY": b"SUCCESS" if facts.fingerprint or facts.is_verified else b"NONE",
        b"SSL_TLS_SNI_SERVERNAME": facts.server_name,
        b"SSL_PEER_CERT_CN": facts.common_name,
    }
    told = {name: value for name, value in known.items() if value}
    if facts.fingerprint:
        told[b"SSL_PEER_CERT_HASH"] = b"SHA256:" + facts.fingerprint
        told[b"SSL_PEER_CERT_SUBJECT"] = told[b"SSL_CLIENT_S_DN"] = facts.subject
        told[b"SSL_CLIENT_M_SERIAL"] = facts.serial
    return told
