"""What an access table of Postfix says of a client (access(5), right side) -> what a rule says."""

import re

from .imported import Unsaid

_DENY = re.compile(r"(reject|defer|[45][0-9]{2})(?:\s+(.*))?", re.IGNORECASE | re.DOTALL)
#: Postfix takes any other number for OK: some programs write the time there.
_ALLOW = re.compile(r"ok|permit|dunno|relay|[0-9]+", re.IGNORECASE)


def instructions(action: str, where: str, unsaid: list[Unsaid]) -> bytes | None:
    """``allow`` or ``deny``; None for an action that is neither. What is lost is added to ``unsaid``."""
    denied = _DENY.fullmatch(action)
    if denied:
        if denied[1].isdigit() or denied[2]:
            unsaid.append(Unsaid(where, action, "a denied client is cut off and sent no code or text"))
        return b"deny"
    if _ALLOW.fullmatch(action):
        return b"allow"
    unsaid.append(Unsaid(where, action or "no action", "a rule can only allow or deny"))
    return None
