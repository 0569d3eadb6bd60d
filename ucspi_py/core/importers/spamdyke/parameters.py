"""Options with a value of their own -> parameters and restrictions. Never reads a list."""

import posixpath
from collections.abc import Iterator

from .conf import Conf, Setting
from .item import Item, Kind, passed, said, unsaid
from .names import is_no, is_yes
from .numbers import number

_FLAGS = {
    "reject-empty-rdns": ("reject_unknown_reverse_client_hostname", ""),
    "reject-unresolvable-rdns": (
        "reject_unknown_client_hostname",
        "stricter: the name must lead back to the client's own address; put warn_if_reject before it to try",
    ),
}
_TIMES = {
    "idle-timeout-secs": ("smtpd_timeout = {}s", "the gate always has a limit, 300 seconds unless told"),
    "max-recipients": ("smtpd_recipient_limit = {}", "the gate has a limit of 1000"),
}
_LIMIT = "of one message, and of everybody, also of who has logged in"
_NO_MX = "a domain whose MX has no address passes here; domains of ours are asked about, too"
_CONTROL = {"qmail-rcpthosts-file": "rcpthosts", "qmail-morercpthosts-cdb": "morercpthosts.cdb"}
_USERS = "list those who exist in control/validrcptto.cdb, see the manual of pysmtpgate, Control files"
_NO_USERS = "spamdyke-qrv is not asked: it is setuid"


def flags(conf: Conf) -> Iterator[Item]:
    """Say what must be true of a client's name."""
    for name, (restriction, note) in _FLAGS.items():
        setting = conf.last(name)
        if setting and is_yes(setting.value):
            yield said(Kind.RESTRICTION, setting, f"    {restriction}", note=note)
        elif setting and is_no(setting.value):
            yield passed(setting, "it is switched off")


def limits(conf: Conf) -> Iterator[Item]:
    """Say the limits of a session."""
    for name, (line, otherwise) in _TIMES.items():
        setting = conf.last(name)
        value = number(setting)
        if setting and value:
            yield said(Kind.PARAMETER, setting, line.format(value), note=_LIMIT if name == "max-recipients" else "")
        elif setting and value == 0:
            yield passed(setting, otherwise)


def senders(conf: Conf) -> Iterator[Item]:
    """Say reject-sender, each value of it."""
    for setting in _values(conf, "reject-sender"):
        if setting.value == "none":
            yield passed(setting, "it switches off what stands above")
        elif setting.value == "no-mx":
            yield said(Kind.RESTRICTION, setting, "    reject_unknown_sender_domain", note=_NO_MX)
        elif setting.value in _SENDERS:
            yield unsaid(setting, *_SENDERS[setting.value])


_SENDERS = {
    "not-local": (
        "no restriction asks whether a sender is ours",
        "list our domains in a table: check_sender_access texthash:FILE with OK, and reject behind it",
    ),
    "authentication-mismatch": (
        "whose an address is stands in a table",
        "write /^(([^@]+)@.*)$/ $1, $2 into FILE, set smtpd_sender_login_maps = pcre:FILE, and put"
        " reject_authenticated_sender_login_mismatch first in smtpd_recipient_restrictions",
    ),
    "authentication-domain-mismatch": (
        "whose an address is stands in a table, and a domain has many users",
        "list each user's addresses in smtpd_sender_login_maps, and put"
        " reject_authenticated_sender_login_mismatch first in smtpd_recipient_restrictions",
    ),
}


def recipients(conf: Conf) -> Iterator[Item]:
    """Say reject-recipient, each value of it."""
    for setting in _values(conf, "reject-recipient"):
        if setting.value == "none":
            yield passed(setting, "it switches off what stands above")
        elif setting.value == "same-as-sender":
            yield unsaid(
                setting,
                "no restriction compares sender and recipient",
                "refuse senders of our own domains: check_sender_access with REJECT, behind permit_mynetworks",
            )
        elif setting.value in ("invalid", "unavailable"):
            yield unsaid(setting, _NO_USERS, _USERS)


def _values(conf: Conf, name: str) -> Iterator[Setting]:
    """The settings that count of an option whose value ``none`` takes back those above it."""
    some = conf.all(name)
    start = max((at for at, one in enumerate(some) if one.value == "none"), default=0)
    return iter(some[start:])


def control(conf: Conf) -> Iterator[Item]:
    """Say where qmail's control files are."""
    folder = None
    for setting in conf.all(*_CONTROL):
        directory, name = posixpath.split(setting.value)
        if name == _CONTROL[setting.name] and directory.startswith("/") and folder in (None, directory):
            if folder is None:
                yield said(Kind.PARAMETER, setting, f"qmail_control = {directory}")
            else:
                yield passed(setting, "it is in qmail_control")
            folder = directory
        else:
            yield unsaid(
                setting,
                "the gate reads rcpthosts and morercpthosts.cdb of one qmail_control",
                "write its domains into rcpthosts there, or mail for them is refused",
            )
