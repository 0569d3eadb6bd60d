"""Which mechanisms a client is offered. Never asks who checks them."""

from collections.abc import Iterable

from ...auth.sasl import MECHANISMS
from ..visitor import is_in
from .settings import LoginSettings, Mechanism, SaslType

CRAM_MD5 = b"CRAM-MD5"
_KNOWN = tuple(sorted(MECHANISMS))

#: The options that forbid a mechanism: those whose flag Cyrus's plugins lack (cyrus-sasl, plugins/plain.c, login.c and
#: cram.c), and those that fit what Dovecot says of one, which knows of no dictionary that a plain password is in
#: (xsasl_dovecot_server.c, and MECH of Dovecot's auth protocol).
_STRONG = frozenset(("mutual_auth", "forward_secrecy"))
_WEAK_HASH = _STRONG | {"noactive", "nodictionary"}
_CYRUS = {CRAM_MD5: _WEAK_HASH, **dict.fromkeys((b"LOGIN", b"PLAIN"), _WEAK_HASH | {"noplaintext"})}
_DOVECOT = {CRAM_MD5: _WEAK_HASH, **dict.fromkeys((b"LOGIN", b"PLAIN"), _STRONG | {"noplaintext"})}


def offered(settings: LoginSettings, checked: Iterable[bytes], ip: bytes, *, secured: bool) -> tuple[bytes, ...]:
    """Tell which mechanisms a client may use, in capitals and in the order of the alphabet; () = AUTH is off for it.

    checked: those that can be checked now, in capitals. ip: canonical. secured: whether there is TLS.
    """
    if is_in(ip, settings.smtpd_sasl_exceptions_networks):
        return ()
    options = settings.smtpd_sasl_tls_security_options if secured else settings.smtpd_sasl_security_options
    forbidden = _DOVECOT if settings.smtpd_sasl_type is SaslType.DOVECOT else _CYRUS
    wanted = settings.smtpd_sasl_mechanism_filter
    return tuple(
        one
        for one in _KNOWN
        if one in checked and options.isdisjoint(forbidden[one]) and _passes(one, wanted) and _is_safe(one, wanted)
    )


def _passes(mechanism: bytes, words: tuple[Mechanism, ...]) -> bool:
    return next((not word.excluded for word in words if word.name in (b"", mechanism)), False)


def _is_safe(mechanism: bytes, words: tuple[Mechanism, ...]) -> bool:
    """Whether a mechanism needs no word of its own. Who checks CRAM-MD5 has every password as it is."""
    return mechanism != CRAM_MD5 or Mechanism(mechanism) in words
