"""What happens in a session that its dialogue cannot settle alone: values that Dialogue.next() returns."""

from typing import NamedTuple

from ..auth.credentials import Credentials
from ..auth.sasl import Fault
from .envelope import Envelope
from .path import Path
from .reply import Reply


class HeloGiven(NamedTuple):
    """HELO or EHLO with a name, where they are judged at once. To be answered: 2xx carries it out.

    verb: which of both. name: as it was said. envelope: of the transaction that ends by it; None = there is none.
    """

    verb: bytes
    name: bytes
    envelope: Envelope | None


class SenderGiven(NamedTuple):
    """MAIL that is sound, where it is judged at once. To be answered: 2xx begins the transaction."""

    envelope: Envelope


class UnknownGiven(NamedTuple):
    """A command that is none, where filters hear of it. To be answered: behind 2xx the dialogue refuses it.

    name: as the client has said it.
    """

    name: bytes


class RecipientGiven(NamedTuple):
    """RCPT with a sound path. To be answered: 2xx takes it into the envelope."""

    envelope: Envelope
    recipient: Path


class DataAsked(NamedTuple):
    """DATA with at least one accepted recipient. To be answered: with 354 content follows."""

    envelope: Envelope


class ContentGiven(NamedTuple):
    """A piece of content, framed for the backend: lines that end in CRLF, dots stuffed. Not to be answered."""

    data: bytes


class MessageEnded(NamedTuple):
    """The end of content was read, and nothing is wrong with it. To be answered. size: bytes of content."""

    envelope: Envelope
    size: int


class MessageRefused(NamedTuple):
    """The end of content that must not pass; the dialogue has refused it. Not to be answered.

    The backend must be left without the final dot. reply: what the client was told. size: bytes of content.
    """

    envelope: Envelope
    reply: Reply
    size: int


class TlsAsked(NamedTuple):
    """STARTTLS. To be answered: behind 220 the session goes on with secured(), and not before.

    envelope: of the transaction that ends by it; None = there is none.
    """

    envelope: Envelope | None


class LoginAsked(NamedTuple):
    """AUTH came to credentials. To be answered: 2xx, and with whose login, lets the client in."""

    credentials: Credentials


class ExchangeFailed(NamedTuple):
    """AUTH came to none; the dialogue has refused it. Not to be answered. mechanism: as the client has said it."""

    mechanism: bytes
    why: Fault


class TransactionDropped(NamedTuple):
    """RSET, HELO or EHLO behind an accepted recipient. Not to be answered: the client has its 250."""

    envelope: Envelope


class Paused(NamedTuple):
    """A client with too many errors waits for its reply. resume() is to be called. seconds: from now."""

    seconds: float


Asked = HeloGiven | SenderGiven | UnknownGiven | RecipientGiven | DataAsked | TlsAsked | LoginAsked
Event = Asked | ContentGiven | MessageEnded | MessageRefused | TransactionDropped | ExchangeFailed | Paused
