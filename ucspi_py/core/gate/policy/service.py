"""The word behind check_policy_service -> the service (smtpd_check.c, policy_client_register)."""

from collections.abc import Callable
from typing import cast

from ..language.words import Fragment, split
from ..server import parse_server
from .parameters import PARSE
from .settings import PolicyService

_WHAT = "a policy service"

#: Tells what is wrong with an action; None = nothing.
Flaw = Callable[[bytes], str | None]


def parse_service(word: str, flaw: Flaw) -> PolicyService:
    """Parse ``unix:PATH``, ``inet:HOST:PORT``, or either in braces with settings: ``{ unix:PATH, timeout=5s }``.

    flaw: of a default action. Raises ValueError.
    """
    if not word.startswith("{"):
        return PolicyService(parse_server(word, _WHAT), word)
    server, *own = [one.text for one in split((Fragment(_inside(word), ""),))] or [""]
    return PolicyService(parse_server(server, _WHAT), server, tuple(_own(one, flaw) for one in own))


def action_flaw(action: bytes, flaw: Flaw) -> str | None:
    """Tell what is wrong with a default action; None = nothing. flaw: tells what is wrong with it as with any."""
    found = flaw(action)
    return None if found is None else f"must be what an access table may say: {found}"


def _inside(word: str) -> str:
    """What stands in braces, without the blanks around it (extpar.c)."""
    if not word.endswith("}"):
        raise ValueError(f"a brace is not closed: {word}")
    return word[1:-1].strip()


def _own(word: str, flaw: Flaw) -> tuple[str, bytes | int]:
    """One setting, ``name=value``; in braces there may be blanks in it."""
    name, equals, text = (_inside(word) if word.startswith("{") else word).partition("=")
    name = name.strip()
    if not equals or name not in PARSE:
        raise ValueError(f"a policy service takes {', '.join(PARSE)}, each with = and a value, and not '{word}'")
    try:
        value = cast(bytes | int, PARSE[name](text.strip()))
    except ValueError as wrong:
        raise ValueError(f"{name} {wrong}") from None
    wrong_action = action_flaw(value, flaw) if name == "default_action" and isinstance(value, bytes) else None
    if wrong_action:
        raise ValueError(f"{name} {wrong_action}")
    return name, value
