"""The parameters of TLS (postconf(5), TLS_README)."""

import re
from typing import TYPE_CHECKING

from ..language import values
from ..language.parameter import Parameter

if TYPE_CHECKING:  # Few have TLS: what its parameters mean is loaded where one is asked.
    from .versions import Versions

LEVEL, USE, ENFORCE = "smtpd_tls_security_level", "smtpd_use_tls", "smtpd_enforce_tls"
WRAPPER = "smtpd_tls_wrappermode"
CHAINS, CERTIFICATE, KEY = "smtpd_tls_chain_files", "smtpd_tls_cert_file", "smtpd_tls_key_file"
EC_CERTIFICATE, EC_KEY = "smtpd_tls_eccert_file", "smtpd_tls_eckey_file"
SNI, CA_FILE, CA_PATH = "tls_server_sni_maps", "smtpd_tls_CAfile", "smtpd_tls_CApath"
ASK, REQUIRE = "smtpd_tls_ask_ccert", "smtpd_tls_req_ccert"
TIMEOUT = "smtpd_starttls_timeout"

#: Of these at least one is set where there is TLS.
SWITCHES = (LEVEL, USE, ENFORCE, WRAPPER)

_LEVELS = ("", "none", "may", "encrypt")
_GRADES = ("medium", "high")
_CIPHERS = re.compile(r"[!-~]*")


def level(text: str) -> str:
    """Parse whether TLS is offered, or required; "" = as the older parameters say."""
    if text.lower() not in _LEVELS:
        raise ValueError(f"must be none, may or encrypt, not '{text}'")
    return text.lower()


def versions(text: str) -> "Versions":
    """Parse which versions are spoken."""
    from . import versions

    return versions.parse(values.words(text))


def grade(text: str) -> str:
    """Parse how strong ciphers are at least."""
    if text.lower() not in _GRADES:
        raise ValueError(f"must be medium or high, not '{text}': weaker ciphers are gone")
    return text.lower()


def ciphers(text: str) -> str:
    """Parse a list of ciphers as OpenSSL takes it."""
    if not _CIPHERS.fullmatch(text):
        raise ValueError(f"takes a list of ciphers such as HIGH:!aNULL, and not {text!a}")
    return text


def excluded(text: str) -> tuple[str, ...]:
    """Parse ciphers that are not spoken."""
    return tuple(map(ciphers, values.words(text)))


def file(text: str) -> str:
    """Parse the name of a file; ``none`` is none."""
    return "" if text == "none" else text


def files(text: str) -> tuple[str, ...]:
    """Parse names of files."""
    return tuple(values.words(text))


PARAMETERS = (
    Parameter(LEVEL, "", level, "", "offer STARTTLS: none, may; encrypt: refuse most commands before it"),
    Parameter(USE, "", values.yes_no, "no", "older form of level may"),
    Parameter(ENFORCE, "", values.yes_no, "no", "older form of level encrypt"),
    Parameter(WRAPPER, "", values.yes_no, "no", "TLS begins before the banner, as on port 465"),
    Parameter(CERTIFICATE, "", file, "", "certificate with its chain, PEM"),
    Parameter(KEY, "", file, "$smtpd_tls_cert_file", "its key, PEM"),
    Parameter(EC_CERTIFICATE, "", file, "", "another certificate, of an elliptic curve"),
    Parameter(EC_KEY, "", file, "$smtpd_tls_eccert_file", "its key"),
    Parameter(CHAINS, "", files, "", "instead of these: files, each of a key, its certificate and the chain"),
    Parameter(SNI, "", values.text, "", "table: server name, and the chain files of its certificate"),
    Parameter("smtpd_tls_protocols", "", versions, ">=TLSv1.2", "versions of TLS, where it is offered"),
    Parameter("smtpd_tls_mandatory_protocols", "", versions, ">=TLSv1.2", "versions of TLS, where it is required"),
    Parameter("smtpd_tls_ciphers", "", grade, "medium", "ciphers up to TLSv1.2, where it is offered: medium, high"),
    Parameter("smtpd_tls_mandatory_ciphers", "", grade, "medium", "ciphers up to TLSv1.2, where it is required"),
    Parameter("smtpd_tls_exclude_ciphers", "", excluded, "", "ciphers that are not spoken"),
    Parameter("smtpd_tls_mandatory_exclude_ciphers", "", excluded, "", "more of them, where TLS is required"),
    Parameter("tls_medium_cipherlist", "", ciphers, "HIGH:MEDIUM:!aNULL", "what medium is"),
    Parameter("tls_high_cipherlist", "", ciphers, "HIGH:!aNULL", "what high is"),
    Parameter(ASK, "", values.yes_no, "no", "ask for a client's certificate, where TLS is required"),
    Parameter(REQUIRE, "", values.yes_no, "no", "take no client without a certificate, where TLS is required"),
    Parameter(CA_FILE, "", file, "", "authorities whose clients' certificates are taken"),
    Parameter(TIMEOUT, "", values.seconds(1), "60s", "time for a handshake"),
)
