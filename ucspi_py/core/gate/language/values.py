"""The text of a parameter's value -> what it means. Each raises ValueError with what is wrong with it."""

import re
from collections.abc import Callable
from ipaddress import ip_network
from typing import TypeVar

from ...importers.postfix.lines import network
from ...numbers import MOST, decimal
from ...rules.cidr import Network
from ...smtp.settings import BareNewline
from ...store import url
from .words import SEPARATORS

_Value = TypeVar("_Value")

#: postconf(5): suffixes of times, in seconds.
_UNITS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}
_TIME = re.compile(r"([0-9]+)([smhdw]?)")
#: Postfix: what stands between the words of a list.
_BETWEEN = re.compile(f"[{SEPARATORS}]+")
_HOST = re.compile(
    r"(?=.{1,255}\Z)[0-9a-z_]([0-9a-z_-]*[0-9a-z_])?(\.[0-9a-z_]([0-9a-z_-]*[0-9a-z_])?)*", re.IGNORECASE
)
_PRINTABLE = re.compile(r"[\x20-\x7e]*")
_OVERRIDES = {
    name: name for name in ("no_milters", "no_header_body_checks", "no_unknown_recipient_checks", "no_address_mappings")
}
_BARE_NEWLINE = {
    "no": BareNewline.NO,
    "normalize": BareNewline.NORMALIZE,
    "yes": BareNewline.NORMALIZE,
    "reject": BareNewline.REJECT,
}


def text(text: str) -> str:
    """Take a text as it is."""
    return text


def tempfail_action(text: str) -> bool:
    """Parse what becomes of who cannot be judged now: whether only where nothing else refuses (defer_if_permit)."""
    return _one_of({"defer_if_permit": True, "defer": False}, text)


def override_options(text: str) -> frozenset[str]:
    """Parse what is left out of the processing of mail (receive_override_options)."""
    return frozenset(_one_of(_OVERRIDES, word) for word in words(text))


def level(text: str) -> tuple[int, int, int]:
    """Parse a compatibility level, ``2`` or ``3.6`` (compat_level.c): its major, minor and patch number."""
    numbers = [decimal(word) for word in text.split(".")]
    least = [number for number in numbers if number is not None]
    if len(least) != len(numbers) or len(numbers) > 3 or any(number > 1023 for number in least[1:]):
        raise ValueError(f"takes a compatibility level such as 2 or 3.6, and not '{text}'")
    major, minor, patch = [*least, 0, 0][:3]
    return major, minor, patch


def yes_no(text: str) -> bool:
    """Parse ``yes`` or ``no``."""
    return _one_of({"yes": True, "no": False}, text)


def bare_newline(text: str) -> BareNewline:
    """Parse a value of smtpd_forbid_bare_newline; ``yes`` is ``normalize`` there."""
    return _one_of(_BARE_NEWLINE, text)


def number(least: int, most: int = MOST) -> Callable[[str], int]:
    """Make a parser of numbers. least, most: the smallest and the largest that it takes."""

    def parse(text: str) -> int:
        value = decimal(text)
        if value is None or not least <= value <= most:
            raise ValueError(f"must be a number from {least} to {most}, not '{text}'")
        return value

    return parse


def seconds(least: int) -> Callable[[str], int]:
    """Make a parser of times. least: the shortest that it takes, in seconds."""

    def parse(text: str) -> int:
        found = _TIME.fullmatch(text)
        value = decimal(found[1]) if found else None
        if found is None or value is None or not least <= value * _UNITS[found[2]] <= MOST:
            raise ValueError(f"must be a time from {least}s up, as in 90, 90s, 5m, 1h, 1d or 1w, not '{text}'")
        return value * _UNITS[found[2]]

    return parse


def host_name(text: str) -> bytes:
    """Parse the name of a host."""
    if not _HOST.fullmatch(text):
        raise ValueError(f"must be the name of a host, not '{text}'")
    return text.encode("ascii")


def printable(text: str) -> bytes:
    """Parse text for a reply."""
    if not _PRINTABLE.fullmatch(text):
        raise ValueError(f"must be printable ASCII characters, not {text!a}")
    return text.encode("ascii")


def path(text: str) -> str:
    """Parse the name of a directory."""
    if not text:
        raise ValueError("must be a directory, and it is empty")
    return text


def store(text: str) -> str:
    """Parse a file's path or a URL of a store. The message about a wrong one does not repeat it."""
    flaw = url.place_flaw(text)
    if flaw:
        raise ValueError(flaw)
    return text


def networks(text: str) -> tuple[Network, ...]:
    """Parse ``192.0.2.0/24 [2001:db8::]/32``; commas do as blanks."""
    found = []
    for word in _words(text):
        found.append(_network(word))
        if not found[-1].length:
            raise ValueError(f"takes no '{word}': everybody could relay")
    return tuple(found)


def any_networks(text: str) -> tuple[Network, ...]:
    """Parse networks as networks() does; that of all addresses may be among them."""
    return tuple(_network(word) for word in _words(text))


def domains(text: str) -> frozenset[bytes]:
    """Parse ``example.org, example.net`` to lower case."""
    return frozenset(_domain(word) for word in _words(text))


def words(text: str) -> list[str]:
    """Split a list into its words, whatever they are."""
    return [word for word in _BETWEEN.split(text) if word]


def has_patterns(text: str) -> bool:
    """Whether something of a list must be looked up, or is an exception: ``example.org, hash:/etc/domains``."""
    return any(map(_is_pattern, words(text)))


def _network(word: str) -> Network:
    found = network(word)
    if isinstance(found, str):
        raise ValueError(
            f"takes networks such as 192.0.2.0/24 and [2001:db8::]/32, not '{word}': {found}{_meant(word)}"
        )
    return found


def _meant(word: str) -> str:
    """The network that somebody means by an address in it, or by a mask of bytes."""
    try:
        found = ip_network(word.replace("[", "").replace("]", ""), strict=False)
    except ValueError:
        return ""
    return f"; write {found}" if found.version == 4 else f"; write [{found.network_address}]/{found.prefixlen}"


def _domain(word: str) -> bytes:
    if not _HOST.fullmatch(word):
        raise ValueError(f"takes domains such as example.org, which stands for all below it too, and not '{word}'")
    return word.lower().encode("ascii")


def _words(text: str) -> list[str]:
    """Split a list; a table or an exception in it is refused by name."""
    split = words(text)
    for word in split:
        if word.startswith("!"):
            raise ValueError(f"takes no exceptions, and '{word}' is one")
        if _is_pattern(word):
            raise ValueError(f"takes no tables and no files, and '{word}' is one: write here what it says")
    return split


def _is_pattern(word: str) -> bool:
    return word.startswith(("!", "/")) or re.match(r"[a-z]{2,}:", word) is not None


def _one_of(values: dict[str, _Value], text: str) -> _Value:
    """The value of a word; Postfix does not look at its case."""
    if text.lower() not in values:
        raise ValueError(f"must be {' or '.join(values)}, not '{text}'")
    return values[text.lower()]
