"""The options of a line of hosts.allow or hosts.deny (hosts_options(5), options.c) -> instructions."""

import re
from typing import NamedTuple

from ..imported import variable

_SEPARATOR = re.compile(r"(?<!\\):")
_FACILITIES = "auth|authpriv|cron|daemon|ftp|kern|local[0-7]|lpr|mail|news|user|uucp"
_LEVELS = "emerg|alert|crit|err|warning|notice|info|debug"
#: Options that change nothing about which clients get in, with the values that libwrap takes.
_HARMLESS = {
    "banners": re.compile(r".+"),
    "keepalive": re.compile(r""),
    "linger": re.compile(r"[0-9]{1,4}"),
    "nice": re.compile(r"[0-9]{0,2}"),
    "rfc931": re.compile(r"(?:[1-9][0-9]{0,3})?"),
    "severity": re.compile(rf"(?:(?:{_FACILITIES})\.)?(?:{_LEVELS})", re.IGNORECASE),
    "spawn": re.compile(r".+"),
    "umask": re.compile(r"[0-7]{1,3}"),
}


class Said(NamedTuple):
    """A line's instructions. lost: options that rules cannot express, each with what becomes of it."""

    instructions: bytes
    lost: tuple[tuple[str, str], ...] = ()


def instructions(verdict: bytes, text: str | None) -> Said:
    """Translate the options behind a client list to instructions.

    verdict: allow or deny, by the file. text: the options, None = none. One that libwrap cannot read denies there.
    """
    options = [option.replace("\\:", ":").strip() for option in _SEPARATOR.split(text)] if text is not None else []
    variables, lost = b"", []
    for number, option in enumerate(options, 1):
        key, value = _key_and_value(option)
        said = _variable(value) if key == "setenv" else None
        if key in ("allow", "deny") and not value and number == len(options):
            verdict = key.encode("ascii")
        elif said is not None:
            variables += said
        elif key == "setenv" and value and "=" not in value.split()[0]:
            lost.append((option, "rules cannot say this value"))
        elif key in _HARMLESS and _HARMLESS[key].fullmatch(value):
            lost.append((option, "of options only allow, deny and setenv can be said"))
        else:
            return Said(
                b"deny", ((option or "an empty option", "denied: rules cannot say it, or libwrap cannot read it"),)
            )
    return Said(verdict if verdict == b"deny" else verdict + variables, tuple(lost))


def _key_and_value(option: str) -> tuple[str, str]:
    key = re.split(r"[= \t]", option, maxsplit=1)[0]
    value = option[len(key) :].lstrip(" \t")
    return key.lower(), value.removeprefix("=").strip(" \t")


def _variable(text: str) -> bytes | None:
    """``NAME VALUE``; None for a value that is put together for each client or has no quote."""
    name, _, value = re.sub(r"[ \t]", " ", text, count=1).partition(" ")
    return None if "%" in value or not name else variable(name, value.strip())
