"""Options of spamdyke 3 and 4, and what spamdyke 5.0 calls them (its notes about upgrading; configuration.c)."""

_RENAMED = {
    "check-dns-whitelist": "dns-whitelist-entry",
    "check-dnsrbl": "dns-blacklist-entry",
    "check-rhs-whitelist": "rhs-whitelist-entry",
    "check-rhsbl": "rhs-blacklist-entry",
    "ip-in-rdns-keyword-file": "ip-in-rdns-keyword-blacklist-file",
    "local-domains-file": "qmail-rcpthosts-file",
    "morercpthosts": "qmail-morercpthosts-cdb",
    "rejection-text-identical-sender-recipient": "rejection-text-recipient-same-as-sender",
    "rejection-text-missing-sender-mx": "rejection-text-sender-no-mx",
}
#: Flags that became a value.
_BECAME = {
    "reject-identical-sender-recipient": ("reject-recipient", "same-as-sender"),
    "reject-missing-sender-mx": ("reject-sender", "no-mx"),
}
#: Those whose values are words, in which capitals do not count.
_WORDS = frozenset(
    (
        *("config-dir-search", "dns-level", "dns-query-type-a", "dns-query-type-mx", "dns-query-type-ptr"),
        *("dns-query-type-rbl", "dns-spoof", "dns-tcp", "filter-level", "graylist-level", "log-level", "log-target"),
        *("reject-recipient", "reject-sender", "relay-level", "smtp-auth-level", "tls-level"),
    )
)


def is_yes(value: str) -> bool:
    """Whether a flag is set: its first letter counts, and nothing is yes (spamdyke.h, COMMAND_LINE_TRUE)."""
    return value[:1].lower() in ("", "1", "t", "y")


def is_no(value: str) -> bool:
    """Whether a flag is taken back (spamdyke.h, COMMAND_LINE_FALSE)."""
    return value[:1].lower() in ("0", "f", "n")


def renamed(name: str, value: str) -> tuple[str, str]:
    """Name an option as spamdyke 5.0 does, with the value that it has there. name: in small letters."""
    if name in _BECAME:
        new, meaning = _BECAME[name]
        return (new, meaning) if is_yes(value) else (new, f"!{meaning}" if is_no(value) else value)
    if name.startswith("greylist-") or name == "rejection-text-greylist":
        name = name.replace("greylist", "graylist")
    return _RENAMED.get(name, name), value.lower() if name in _WORDS else value
