"""What the operator asked of logins, frozen, under the names of Postfix's parameters (postconf(5))."""

import enum
from dataclasses import dataclass
from typing import NamedTuple

from ...auth.checkpassword import Order
from ...rules.cidr import Network


class SaslType(enum.Enum):
    """Who checks passwords (smtpd_sasl_type).

    CYRUS: saslauthd, as Cyrus's smtpd.conf says. DOVECOT, SASLAUTHD: the socket of one. CHECKPASSWORD: a program with
    that interface, which the guard runs.
    """

    CYRUS = "cyrus"
    DOVECOT = "dovecot"
    SASLAUTHD = "saslauthd"
    CHECKPASSWORD = "checkpassword"


class Mechanism(NamedTuple):
    """One word of smtpd_sasl_mechanism_filter. name: in capitals; b"" = any. excluded: ``!`` before it."""

    name: bytes
    excluded: bool = False


@dataclass(frozen=True, slots=True)
class LoginSettings:
    """The parameters of logins.

    smtpd_sasl_path: of a socket, or a program and its arguments; relative to queue_directory. cyrus_sasl_config_path:
    directories of smtpd.conf, with colons between them; "" = Cyrus's own. smtpd_sasl_service: what Dovecot and
    saslauthd are told to be asked for. smtpd_sasl_local_domain: the realm of a user without one.
    smtpd_sasl_security_options, smtpd_sasl_tls_security_options: what a mechanism must not be, or must, without TLS and
    with it. smtpd_sasl_mechanism_filter: the first word that knows a mechanism decides. smtpd_sasl_exceptions_networks:
    clients to whom nothing is offered. smtpd_sasl_response_limit: bytes of a client's answer.
    broken_sasl_auth_clients: say AUTH= besides. checkpassword_cram_order: as the program wants it. smtpd_sasl_channel:
    the class of whoever has logged in; b"" = as it was.
    hourly_recipient_limit: recipients of one user within an hour; 0 = any. where: the place of that limit.
    smtpd_tls_auth_only: nobody logs in without TLS.
    """

    smtpd_sasl_type: SaslType = SaslType.CYRUS
    smtpd_sasl_path: str = "smtpd"
    queue_directory: str = "/var/spool/postfix"
    cyrus_sasl_config_path: str = ""
    smtpd_sasl_service: str = "smtp"
    smtpd_sasl_local_domain: str = ""
    smtpd_sasl_security_options: frozenset[str] = frozenset(("noanonymous",))
    smtpd_sasl_tls_security_options: frozenset[str] = frozenset(("noanonymous",))
    smtpd_sasl_mechanism_filter: tuple[Mechanism, ...] = (Mechanism(b"EXTERNAL", True), Mechanism(b""))
    smtpd_sasl_exceptions_networks: tuple[Network, ...] = ()
    smtpd_sasl_response_limit: int = 12288
    broken_sasl_auth_clients: bool = False
    checkpassword_cram_order: Order = Order.RESPONSE_FIRST
    smtpd_sasl_channel: bytes = b""
    hourly_recipient_limit: int = 0
    where: str = ""
    smtpd_tls_auth_only: bool = True
