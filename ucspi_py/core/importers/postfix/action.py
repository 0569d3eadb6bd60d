"""Actions of an access table of Postfix (access(5); smtpd_check.c, check_table_result) -> instructions."""

import re
from typing import NamedTuple

_DENY = re.compile(r"(?:reject|defer|[45][0-9]{2}(?=[ \t]))[ \t]*(.*)", re.IGNORECASE | re.DOTALL)
_WORD = re.compile(r"[^ \t]+")


class Said(NamedTuple):
    """``allow`` or ``deny``. why: what rules cannot express of the action, "" = nothing."""

    instructions: bytes
    why: str = ""


def instructions(action: str) -> Said:
    """Translate an action to instructions. Whatever is neither yes nor no denies."""
    word = _WORD.match(action)
    command = word[0].lower() if word else ""
    if command in ("ok", "relay", "dunno") or action.lower() == "permit":
        return Said(b"allow")
    if action.isascii() and action.isdigit():
        return Said(b"allow", "Postfix takes a number without a text for OK" if re.match(r"[45]..$", action) else "")
    denied = _DENY.fullmatch(action) if command in ("reject", "defer") or command.isdigit() else None
    if denied:
        lost = denied[1] or command.isdigit()
        return Said(b"deny", "a denied client is cut off and sent no code or text" if lost else "")
    if command in ("info", "warn"):
        return Said(b"allow", "a rule writes no line of its own")
    return Said(b"deny", "denied: a rule can only allow or deny")
