"""Options that the gate has no word for: those that lose something, and those that need none."""

from collections.abc import Iterator

from .conf import Conf
from .item import Item, passed, unsaid
from .lists import BLACKLISTS
from .names import is_no

_KEYWORD = (
    "the gate does not look for a client's address in its name",
    "refuse such names whosever they are: check_reverse_client_hostname_access pcre:FILE, with"
    " /([0-9]{1,3}[.-]){3}[0-9]{1,3}.*KEYWORD/ REJECT",
)
_SPARED = (
    "the gate does not look for a client's address in its name; nobody is spared by it",
    "name the clients instead",
)
_FOLDER = ("a directory of names is not read", "write the names into a file, for the option that ends in -file")
_HEADERS = (
    "the patterns are the shell's, and those of the gate are expressions",
    "write each as /^Subject:.*word/ REJECT into FILE, and set header_checks = pcre:FILE",
)
_CONFIG = (
    "settings of its own for a client, a sender or a recipient are in no file",
    "put them into a class of smtpd_restriction_classes, and name it in a table of clients, senders or recipients",
)
_RECIPIENTS = (
    "spamdyke-qrv is not asked: it is setuid",
    "list those who exist in control/validrcptto.cdb, see the manual of pysmtpgate, Control files",
)
_PASSWORD = ("a key with a password cannot be read", "write it without one: openssl rsa -in KEY -out NEW")
_UNSAID = {
    "config-dir": _CONFIG,
    "config-dir-search": _CONFIG,
    "connection-timeout-secs": (
        "a session has no end of its own",
        "smtpd_timeout and smtpd_min_data_rate end those that are slow",
    ),
    "dns-resolv-conf": ("name servers are those of /etc/resolv.conf", "export DNSCACHEIP in the run script"),
    "full-log-dir": ("the gate records no session", "put recordio before the program, and see what it hears"),
    "header-blacklist-entry": _HEADERS,
    "header-blacklist-file": _HEADERS,
    "ip-in-rdns-keyword-blacklist-entry": _KEYWORD,
    "ip-in-rdns-keyword-blacklist-file": _KEYWORD,
    "ip-in-rdns-keyword-whitelist-entry": _SPARED,
    "ip-in-rdns-keyword-whitelist-file": _SPARED,
    "local-domains-entry": ("our domains stand in control/rcpthosts", "write it there, or mail for it is refused"),
    "policy-url": ("the gate has its own replies", "leave it out; nobody is let in by that"),
    "graylist-exception-rdns-dir": _FOLDER,
    "rdns-blacklist-dir": _FOLDER,
    "rdns-whitelist-dir": _FOLDER,
    "recipient-validation-command": _RECIPIENTS,
    "reject-ip-in-cc-rdns": (_KEYWORD[0], _KEYWORD[1].replace("KEYWORD", "[.][a-z][a-z]$")),
    "tls-cipher-list": ("the gate has Postfix's list of ciphers", "set tls_medium_cipherlist, if you need another one"),
    "tls-privatekey-password": _PASSWORD,
    "tls-privatekey-password-file": _PASSWORD,
}
_TEXT = ("the gate has its own words for that", "leave it out; nobody is let in by that")
_NEEDS_NONE = {
    **dict.fromkeys(
        (
            *("dns-max-retries-primary", "dns-max-retries-total", "dns-query-type-a", "dns-query-type-mx"),
            *("dns-query-type-ptr", "dns-query-type-rbl", "dns-spoof", "dns-tcp", "dns-timeout-secs"),
        ),
        "the gate asks name servers in its own way, and takes no answer that it has not asked for",
    ),
    **dict.fromkeys(("hostname", "hostname-command", "hostname-file"), "control/me or myhostname names this host"),
    "log-target": "all lines go to standard error: to multilog, svlogd or the journal",
    "tls-dhparams-file": "OpenSSL has its own",
}
_TEXTS = "rejection-text-"
_TABLE_TEXTS = frozenset(_TEXTS + one.option for one in BLACKLISTS)


def left_out(conf: Conf, is_told: frozenset[str]) -> Iterator[Item]:
    """Name all settings that no one else has told of.

    is_told: the places that are told already.
    """
    for setting in conf.settings:
        name = setting.name
        if setting.place in is_told:
            continue
        if name == "reject-ip-in-cc-rdns" and is_no(setting.value):
            yield passed(setting, "it is switched off")
        elif name in _NEEDS_NONE:
            yield passed(setting, _NEEDS_NONE[name])
        elif name == "dns-level" and setting.value in ("normal", "aggressive"):
            yield passed(setting, "the gate asks name servers in its own way")
        elif name in ("idle-timeout-secs", "connection-timeout-secs") and setting.value == "0":
            yield passed(setting, "it is switched off")
        elif name in _UNSAID:
            yield unsaid(setting, *_UNSAID[name])
        elif name in _TABLE_TEXTS and not _is_asked(conf, name):
            yield passed(setting, "nobody would hear it")
        elif name.startswith(_TEXTS):
            yield unsaid(setting, *_TEXT)
        elif conf.last(name) is not setting and any(one.name == name and one.place in is_told for one in conf.settings):
            yield passed(setting, "a later line counts")
        else:
            yield unsaid(setting, "spamdyke 5.0 has no such option, or none with such a value", "mend the line")


def _is_asked(conf: Conf, text: str) -> bool:
    option = text.removeprefix(_TEXTS)
    return bool(conf.all(f"{option}-entry", f"{option}-file"))
