"""What a session knows of its client: name, protocol, the message that is being told (RFC 5321, 4.1.4)."""

from collections.abc import Callable
from typing import NamedTuple

from ..envelope import Envelope
from ..events import TransactionDropped
from ..path import Path
from ..reply import Reply
from ..settings import NOTHING, Greeting, Offers, SmtpSettings

#: Whether a client may say a verb, MAIL, RCPT or AUTH, once more: None, or its refusal.
Throttle = Callable[[bytes], Reply | None]
#: What a filter has said of a client that holds as long as it is there; None = nothing.
Lasting = Callable[[], Reply | None]


class Login(NamedTuple):
    """Whom a client has proved to be. name: its login. method: the mechanism, in capitals."""

    name: bytes
    method: bytes


class State:
    """One session's state, between two commands.

    helo: the client's name, safe to be told; b"" = none. esmtp: whether it has said EHLO. envelope: of the transaction;
    None = there is none. judges_early: HELO, EHLO and MAIL are judged before they are carried out. overshoot:
    recipients beyond the limit that it was told so far. throttle: asked at each MAIL, RCPT and AUTH that is none out of
    order, before its address is read; None = it may say as many as it likes. offers: beside plain SMTP. secured:
    whether it is within TLS. waits_for_tls: most commands are refused before it. login: whom it has proved to be; None
    = nobody. challenges: of CRAM-MD5 so far. lasting: what filters have against the client; None = there are no
    filters, and nobody hears of commands that are none.
    """

    __slots__ = (
        "challenges",
        "envelope",
        "esmtp",
        "greeting",
        "helo",
        "judges_early",
        "lasting",
        "login",
        "offers",
        "overshoot",
        "secured",
        "settings",
        "throttle",
        "waits_for_tls",
    )

    def __init__(self, settings: SmtpSettings, greeting: Greeting, *, judges_early: bool = False) -> None:
        self.settings = settings
        self.greeting = greeting
        self.judges_early = judges_early
        self.helo = b""
        self.esmtp = False
        self.throttle: Throttle | None = None
        self.lasting: Lasting | None = None
        self.overshoot = 0
        self.envelope: Envelope | None = None
        self.offers = NOTHING
        self.secured = self.waits_for_tls = False
        self.login: Login | None = None
        self.challenges = 0

    @property
    def smtputf8(self) -> bool:
        """Whether MAIL has declared SMTPUTF8 (RFC 6531, 3.4)."""
        return self.envelope is not None and (b"SMTPUTF8", None) in self.envelope.parameters

    @property
    def filtered(self) -> Reply | None:
        """What a filter has against the client at each command; None = nothing."""
        return self.lasting() if self.lasting else None

    @property
    def has_recipient(self) -> bool:
        """Whether a recipient was accepted."""
        return self.envelope is not None and bool(self.envelope.recipients)

    def take(self, envelope: Envelope, recipient: Path) -> None:
        """Put an accepted recipient into the transaction's envelope."""
        self.envelope = envelope.having(*envelope.recipients, recipient)

    def offer(self, offers: Offers) -> None:
        """Offer this from now on."""
        self.offers = offers
        self.secured = offers.secured
        self.waits_for_tls = offers.requires_tls and not offers.secured

    def secure(self) -> None:
        """Forget all that the client has said, since it may have been said by another one (RFC 3207, 4.2)."""
        self.secured, self.waits_for_tls = True, False
        self.helo, self.esmtp, self.login = b"", False, None
        self.reset()

    def reset(self) -> TransactionDropped | None:
        """Forget the transaction -> the event for whoever has heard of it; None = nobody has."""
        envelope, self.envelope = self.envelope, None
        self.overshoot = 0
        return TransactionDropped(envelope) if envelope is not None and envelope.recipients else None
