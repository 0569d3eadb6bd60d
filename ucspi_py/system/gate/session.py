"""What a conversation works with: the process, its client, and those who decide and log. Never does anything."""

import socket
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, NamedTuple, Protocol

from ...core.auth.credentials import Credentials
from ...core.gate import relay
from ...core.gate.settings import GateSettings
from ...core.gate.visitor import Visitor
from ...core.smtp.dialogue import Dialogue
from ...core.smtp.events import RecipientGiven
from ...core.smtp.reply import Reply
from .backend.pipe import BackendPipe
from .control import Control
from .session_log import SessionLog

if TYPE_CHECKING:
    from ..tls.session import TlsSession
    from .tls.starttls import StartTls


class Host(NamedTuple):
    """What the process gives to each of its conversations. control: qmail's files, as they are."""

    settings: GateSettings
    control: Control

    @property
    def judges_early(self) -> bool:
        """Whether lists judge before RCPT (no smtpd_delay_reject), or milters do."""
        lists = self.settings.restrictions
        return self.settings.milters is not None or (lists is not None and not lists.smtpd_delay_reject)

    def refusal(self, event: RecipientGiven, client: Visitor, log: SessionLog) -> Reply | None:
        """Judge a recipient without asking anybody; None = it passes, or lists come first and JudgedPipe has this."""
        if self.settings.restrictions:
            return None
        return LastCheck(*self, self.control).refusal(log, client, event)


class LastCheck(NamedTuple):
    """The gate's last check of recipients, and what a dry run leaves of it. domains: what we take mail for."""

    settings: GateSettings
    control: Control
    domains: relay.OwnDomains

    def refusal(self, log: SessionLog, client: Visitor, event: RecipientGiven) -> Reply | None:
        """Judge a recipient; None = it passes. log: gets a refusal that only a dry run does not have."""
        found = self.flaw(client, event)
        if found is None or not self.settings.dry_run:
            return found
        if not relay.spares(event.recipient, self.domains, self.control):
            return found
        log.spared(b"RCPT", found, *event)
        return None

    def flaw(self, client: Visitor, event: RecipientGiven) -> Reply | None:
        """Tell what is against a recipient, also where a dry run lets it pass; None = nothing."""
        return relay.judge(event.recipient, client, self.domains, self.settings)


class Standing(Protocol):
    """Where a client stands among the others of its service."""

    def expose(self, dismiss: Callable[[], None], /) -> None:
        """Have it be asked to leave from now on. dismiss: called when it is."""

    def protect(self) -> bool:
        """Have it not be asked any more; False where it has been already."""


class Alone:
    """A client without others: nobody is asked to leave for them."""

    def expose(self, _dismiss: Callable[[], None], /) -> None:
        """See Standing."""

    def protect(self) -> bool:
        """See Standing."""
        return True


class Hold:
    """How a client stands among those that may be asked to leave for newcomers; at first it may not."""

    __slots__ = ("_is_exposed", "_standing")

    def __init__(self, standing: Standing) -> None:
        self._standing = standing
        self._is_exposed = False

    def expose(self, dismiss: Callable[[], None]) -> None:
        """Let it be asked to leave. dismiss: called when it is."""
        if not self._is_exposed:
            self._is_exposed = True
            self._standing.expose(dismiss)

    def protect(self) -> bool:
        """Let it be asked no more; False where it has been already."""
        if self._is_exposed and not self._standing.protect():
            return False
        self._is_exposed = False
        return True


class Answered(NamedTuple):
    """What became of a client's credentials.

    reply: for the client; 2xx lets it in. login: as whom. visitor: who it is from then on; None = who it was. later:
    what each of its commands but QUIT is told from now on; None = nothing of the kind.
    """

    reply: Reply
    login: bytes = b""
    visitor: Visitor | None = None
    later: Reply | None = None


#: Checks credentials of a client, as it is now, and logs what became of them. Takes a limited time; cancelled when the
#: client is gone.
CheckLogin = Callable[[Credentials, Visitor], Awaitable[Answered]]


class Session(NamedTuple):
    """What one conversation works with.

    name: ours, in replies. socket: the client's. environment: what its backend would get of a stranger's. login: checks
    its credentials; None = the dialogue offers no logins. tls: how TLS begins; None = the dialogue does not offer it.
    secured: TLS that has begun before; None = it has not.
    """

    name: bytes
    socket: socket.SocketType
    dialogue: Dialogue
    visitor: Visitor
    backend: BackendPipe
    hold: Hold
    log: SessionLog
    environment: Mapping[bytes, bytes]
    login: CheckLogin | None = None
    tls: "StartTls | None" = None
    secured: "TlsSession | None" = None
