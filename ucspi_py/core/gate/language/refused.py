"""Postfix's parameters that a gate cannot do: which values are refused, and the way out.

A gate that passed these over would let in, or would leave unchecked, what the operator does not expect.
"""

from collections.abc import Callable
from typing import NamedTuple

from .words import SEPARATORS

_NEVER = """silent-discard auth binarymime burl chunking dsn enhancedstatuscodes etrn limits requiretls starttls verb
    verp vrfy xclient xforward xverp"""
#: What the gate never offers in its reply to EHLO may be discarded there.
_NEVER_OFFERED = frozenset(_NEVER.split())
#: Who sends one of these is left anyhow.
_FORBIDDEN = frozenset(("connect", "get", "post", "regexp:{{/^[^a-z]/", "bogus}}"))


class Refused(NamedTuple):
    """A parameter with values that are refused. reason: why, for the operator. instead: a value that is taken."""

    name: str
    is_refused: Callable[[str], bool]
    reason: str
    instead: str = ""

    @property
    def sentence(self) -> str:
        """What an operator reads, with the way out."""
        return f"{self.name}: {self.reason}; -o {self.name}={self.instead} leaves it out"


def _no(text: str) -> bool:
    return text.lower() == "no"


def _words(text: str) -> list[str]:
    for separator in SEPARATORS:
        text = text.replace(separator, " ")
    return text.lower().split()


_NO_COPIES = "the gate sends no copies"
_OWN_REPLIES = "the gate has its own replies"
_OWN_COMMANDS = "the gate takes commands as they are"

REFUSED = (
    *(Refused(name, bool, _NO_COPIES) for name in ("always_bcc", "sender_bcc_maps", "recipient_bcc_maps")),
    Refused("smtpd_proxy_filter", bool, "the program behind the gate has its place"),
    *(Refused(f"smtpd_{name}", bool, _OWN_COMMANDS) for name in ("command_filter", "noop_commands")),
    Refused(
        "smtpd_forbidden_commands",
        lambda text: not _FORBIDDEN.issuperset(_words(text)),
        f"{_OWN_COMMANDS}, and leaves who says CONNECT, GET or POST",
    ),
    *(
        Refused(name, bool, _OWN_REPLIES)
        for name in (
            *("smtpd_reject_footer", "smtpd_reject_footer_maps", "smtpd_reject_filter_maps"),
            *("rbl_reply_maps", "default_rbl_reply"),
        )
    ),
    Refused("smtpd_dns_reply_filter", bool, "the gate takes answers as they are"),
    Refused("smtpd_authorized_xclient_hosts", bool, "the gate takes no word of a client for its address"),
    Refused("smtpd_upstream_proxy_protocol", bool, "option --proxy-from of pytcpserver does that"),
    Refused("smtpd_discard_ehlo_keyword_address_maps", bool, "the gate offers the same to everybody"),
    Refused(
        "smtpd_discard_ehlo_keywords",
        lambda text: not _NEVER_OFFERED.issuperset(_words(text)),
        "the gate needs PIPELINING, SIZE and 8BITMIME, and offers SMTPUTF8 by smtputf8_enable alone",
    ),
    Refused("smtpd_forbid_bare_newline_exclusions", bool, "the gate excepts mynetworks alone", "$mynetworks"),
    Refused("smtpd_peername_lookup", _no, "option -H of pytcpserver does that", "yes"),
)
BY_NAME = {one.name: one for one in REFUSED}
#: What Postfix has where one is not set, and so is never refused.
DEFAULTS = {
    "smtpd_forbid_bare_newline_exclusions": "$mynetworks",
}
