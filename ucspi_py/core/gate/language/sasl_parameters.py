"""The parameters of logins (postconf(5), SASL_README); those that qmail's world needs have names of their own."""

import re
from typing import TYPE_CHECKING

from . import values
from .parameter import Parameter

if TYPE_CHECKING:  # Few have logins: what their parameters mean is loaded where one is set.
    from ...auth.checkpassword import Order
    from ..logins.settings import Mechanism, SaslType

ENABLE, HOURLY = "smtpd_sasl_auth_enable", "smtpd_sasl_recipient_hourly_limit"
TLS_ONLY = "smtpd_tls_auth_only"

#: xsasl_cyrus_security.c; forward_secrecy: xsasl_dovecot_server.c.
_OPTIONS = ("noplaintext", "noactive", "nodictionary", "noanonymous", "mutual_auth", "forward_secrecy")
_CHANNEL = re.compile(r"[!-~]{0,64}")
_MECHANISM = re.compile(r"!?[a-z0-9_-]{1,20}", re.IGNORECASE)


def sasl_type(text: str) -> "SaslType":
    """Parse who checks passwords."""
    from ..logins.settings import SaslType

    return SaslType(_one_of(text, [one.value for one in SaslType]))


def cram_order(text: str) -> "Order":
    """Parse in which order a program wants the two halves of CRAM-MD5; a blank does as the comma."""
    from ...auth.checkpassword import Order

    return Order(_one_of(",".join(values.words(text)), [one.value for one in Order]))


def security_options(text: str) -> frozenset[str]:
    """Parse what mechanisms must not be, or must."""
    return frozenset(_one_of(word, _OPTIONS) for word in values.words(text))


def mechanisms(text: str) -> "tuple[Mechanism, ...]":
    """Parse a filter of mechanisms; static: stands for any."""
    return tuple(map(_mechanism, values.words(text)))


def channel(text: str) -> bytes:
    """Parse the name of a class of clients; b"" = none."""
    if not _CHANNEL.fullmatch(text):
        raise ValueError(f"must be one word of up to 64 ASCII characters, not '{text}'")
    return text.encode("ascii")


def _mechanism(word: str) -> "Mechanism":
    from ..logins.settings import Mechanism

    if word.startswith("static:"):
        return Mechanism(b"")
    if not _MECHANISM.fullmatch(word):
        raise ValueError(f"takes names of mechanisms such as plain and !login, and not '{word}'")
    return Mechanism(word.lstrip("!").upper().encode("ascii"), word.startswith("!"))


def _one_of(word: str, words: list[str] | tuple[str, ...]) -> str:
    if word.lower() not in words:
        raise ValueError(f"must be {', '.join(words[:-1])} or {words[-1]}, not '{word}'")
    return word.lower()


PARAMETERS = (
    Parameter(ENABLE, "", values.yes_no, "no", "offer AUTH, as far as passwords can be checked"),
    Parameter("smtpd_sasl_type", "", sasl_type, "cyrus", "who checks: cyrus, dovecot, saslauthd, checkpassword"),
    Parameter("smtpd_sasl_path", "", values.text, "smtpd", "socket, or program with arguments; cyrus: name of .conf"),
    Parameter("queue_directory", "", values.path, "/var/spool/postfix", "what the path of a socket is relative to"),
    Parameter("cyrus_sasl_config_path", "", values.text, "", "directories of smtpd.conf, with : between them"),
    Parameter("smtpd_sasl_service", "", values.text, "smtp", "service that passwords are checked for"),
    Parameter("smtpd_sasl_local_domain", "", values.text, "", "realm of users without one"),
    Parameter(
        "smtpd_sasl_security_options", "", security_options, "noanonymous", "what mechanisms must not be, without TLS"
    ),
    Parameter(
        "smtpd_sasl_tls_security_options",
        "",
        security_options,
        "$smtpd_sasl_security_options",
        "what mechanisms must not be, with TLS",
    ),
    Parameter(
        "smtpd_sasl_mechanism_filter", "", mechanisms, "!external, static:rest", "mechanisms; CRAM-MD5 only by name"
    ),
    Parameter(TLS_ONLY, "", values.yes_no, "no", "no AUTH without TLS; without -f yes"),
    Parameter("smtpd_sasl_exceptions_networks", "", values.any_networks, "", "clients that are offered no AUTH"),
    Parameter("smtpd_sasl_response_limit", "", values.number(1, 12288), "12288", "bytes of a client's answer in AUTH"),
    Parameter("broken_sasl_auth_clients", "", values.yes_no, "no", "say AUTH= besides, for Outlook up to 2003"),
    Parameter(
        "checkpassword_cram_order",
        "",
        cram_order,
        "response,challenge",
        "order in which a program gets CRAM-MD5: or challenge,response",
    ),
    Parameter("smtpd_sasl_channel", "", channel, "", "$CHANNEL of whoever has logged in; empty: as it was"),
    Parameter(HOURLY, "", values.number(0), "0", "recipients of one user in an hour, 0 = any"),
)
