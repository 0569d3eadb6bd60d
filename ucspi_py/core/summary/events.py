"""What log lines tell, as values. Never says in which form they were written.

ip: of the client, as the log has it. pid: process id. user: who has logged in, or b"". Texts are as the log has them.
"""

import enum
from typing import NamedTuple


class Connected(NamedTuple):
    """The rules let a client in. pid: of its process."""

    ip: bytes
    pid: int


class Denied(NamedTuple):
    """The rules turn a client away."""

    ip: bytes


class TurnedAway(NamedTuple):
    """A client that is turned away before the rules. by: ``limit``, ``tls``, ``proxy`` and the like."""

    ip: bytes
    by: bytes
    reason: bytes


class Ended(NamedTuple):
    """A process of a client has ended. pid: its id."""

    pid: int


class Load(NamedTuple):
    """The backends. running: how many run. limit: how many may (-c)."""

    running: int
    limit: int


class Screened(NamedTuple):
    """A screen refuses a client. screen: its name. code: of the reply; its text is the reason."""

    ip: bytes
    screen: bytes
    code: int
    reason: bytes


class Finding(NamedTuple):
    """What one zone said. word: the code that lists, ``listed``, ``clean``, ``failed`` or ``pending``. ms: it took."""

    zone: bytes
    word: bytes
    ms: int

    @property
    def lists(self) -> bool:
        """Whether the zone lists the client."""
        return self.word not in _NOT_LISTED


class Judged(NamedTuple):
    """What all zones said of a client. refused: whether it is refused by that."""

    ip: bytes
    findings: tuple[Finding, ...]
    refused: bool


class Tallied(NamedTuple):
    """What a zone has been good for since its service began.

    asked, listed, unique, overlap: clients; unique of those listed by no other zone, overlap by others too. errors,
    timeouts: that were no answers. milliseconds: waited for it in all.
    """

    zone: bytes
    asked: int
    listed: int
    unique: int
    overlap: int
    errors: int
    timeouts: int
    milliseconds: int


class Spared(NamedTuple):
    """What would be refused, if not for ``--dry-run`` or ``warn_if_reject``."""

    ip: bytes
    reason: bytes


class Rejected(NamedTuple):
    """The gate refuses a command. stage: its verb. code: of the reply.

    restriction: that has decided, b"" = the log does not say.
    """

    ip: bytes
    stage: bytes
    code: int
    reason: bytes
    restriction: bytes = b""


class Checked(NamedTuple):
    """A header or body check has found something. action: as in ``reject``. part: as in ``header``."""

    action: bytes
    part: bytes


class Message(NamedTuple):
    """A message has come to its end. code: of the reply. size: bytes.

    recipients: how many it has. relayed: its client may send to anybody.
    """

    ip: bytes
    code: int
    reason: bytes
    size: int
    recipients: int
    relayed: bool
    user: bytes = b""
    restriction: bytes = b""


class Came(enum.Enum):
    """How a triplet comes: for the first time, too early, late enough, or as one that need not wait."""

    NEW = "new"
    EARLY = "early"
    PASSED = "passed"
    KNOWN = "known"


class Visited(NamedTuple):
    """A triplet has come. reason: postgrey's word. delay: seconds since its first, None = not told."""

    came: Came
    reason: bytes
    delay: int | None = None


class Granted(NamedTuple):
    """A login elsewhere lets a client relay. how: as in ``pop3``."""

    user: bytes
    how: bytes


class GrantUsed(NamedTuple):
    """A client comes that may relay by a grant."""

    ip: bytes
    user: bytes
    how: bytes


class LoggedIn(NamedTuple):
    """A client has logged in. method: of SASL."""

    ip: bytes
    user: bytes
    method: bytes


class LoginFailed(NamedTuple):
    """A login was refused. user: whom the client claims to be."""

    ip: bytes
    user: bytes


class Left(NamedTuple):
    """A session ended otherwise than by QUIT. how: as in ``timeout``."""

    ip: bytes
    how: bytes


class Warned(NamedTuple):
    """A program warns. text: of what."""

    text: bytes


class LinesLost(NamedTuple):
    """The log has a gap. number: of lines."""

    number: int


Event = (
    Connected
    | Denied
    | TurnedAway
    | Ended
    | Load
    | Screened
    | Judged
    | Tallied
    | Spared
    | Rejected
    | Checked
    | Message
    | Visited
    | Granted
    | GrantUsed
    | LoggedIn
    | LoginFailed
    | Left
    | Warned
    | LinesLost
)

_NOT_LISTED = frozenset((b"clean", b"failed", b"pending"))
