"""The words of milter_protocol, milter_default_action and of macros (postconf(5), MILTER_README)."""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

from ..language import values
from ..language.words import Fragment, split

if TYPE_CHECKING:  # Few have milters: what their parameters mean is loaded where one is set.
    from ...milter.negotiation import Offer
    from .settings import DefaultAction

_NO_HEADER_REPLY = "no_header_reply"
_QUARANTINE = "quarantine"
#: split_nameval.c; the name may stand in braces.
_PAIR = re.compile(r"(\{[^{}]+\}|[^\s{}=]+)\s*=\s*(.*?)\s*", re.DOTALL)


def protocol(text: str) -> "Offer":
    """Take a version, and perhaps ``no_header_reply``. Raises ValueError."""
    from ...milter.negotiation import VERSIONS, Offer

    words = values.words(text)
    versions = [word for word in words if word != _NO_HEADER_REPLY]
    if len(versions) != 1 or versions[0] not in map(str, VERSIONS):
        raise ValueError(f"must be one of {', '.join(map(str, VERSIONS))}, and perhaps {_NO_HEADER_REPLY}")
    return Offer(int(versions[0]), no_header_reply=_NO_HEADER_REPLY in words)


def default_action(text: str) -> "DefaultAction":
    """Take what is done where a milter fails. Raises ValueError; a gate has no queue in which mail could be held."""
    from .settings import DefaultAction

    word = text.strip().lower()
    known = [action.value for action in DefaultAction]
    if word in known:
        return DefaultAction(word)
    why = ": the gate has no queue in which mail could be held" if word == _QUARANTINE else f", not '{text}'"
    raise ValueError(f"must be one of {', '.join(known)}{why}")


def macros(text: str) -> tuple[bytes, ...]:
    """Take names of macros: of one letter, or in braces. Raises ValueError."""
    names = text.replace(",", " ").split()
    for name in names:
        inner = name[1:-1] if name.startswith("{") and name.endswith("}") else name if len(name) == 1 else ""
        if not inner or not inner.isascii() or not inner.isprintable() or set(inner) & set("{}"):
            raise ValueError(f"has names of one letter, or in braces, and not '{name}'")
    return tuple(name.encode() for name in names)


def macro_defaults(text: str) -> Mapping[bytes, bytes]:
    """Take values of macros that have none of their own, ``name=value``, by their names without braces.

    A pair may stand in braces, and there may be blanks in its value then. Raises ValueError.
    """
    return MappingProxyType(dict(_pair(word.text) for word in split((Fragment(text, ""),))))


def _pair(word: str) -> tuple[bytes, bytes]:
    found = _PAIR.fullmatch(word)
    if not found and word.startswith("{") and word.endswith("}"):
        found = _PAIR.fullmatch(word[1:-1].strip())
    if not found:
        raise ValueError(f"has pairs of a macro, = and a value, and not '{word}'")
    return found[1].strip("{}").encode(), found[2].encode("utf-8", "surrogateescape")
