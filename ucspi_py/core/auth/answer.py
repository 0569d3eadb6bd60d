"""What whoever checks credentials says of them, as a value."""

import enum
from typing import NamedTuple


class Verdict(enum.Enum):
    """YES: the client is who it says. NO: it is not. LATER: nobody could tell."""

    YES = "yes"
    NO = "no"
    LATER = "later"


class Answer(NamedTuple):
    """An answer. login: with YES, whom the client is from now on. reason: for the log, never for the client."""

    verdict: Verdict
    login: bytes = b""
    reason: str = ""
