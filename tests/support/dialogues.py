"""SMTP dialogues without a server: a client's bytes in, replies and events out."""

from collections.abc import Callable, Iterable
from typing import NamedTuple

from ucspi_py.core.smtp.dialogue import Dialogue
from ucspi_py.core.smtp.events import (
    ContentGiven,
    DataAsked,
    Event,
    LoginAsked,
    MessageEnded,
    Paused,
    RecipientGiven,
    TlsAsked,
)
from ucspi_py.core.smtp.reply import Reply, reply
from ucspi_py.core.smtp.settings import NOTHING, Greeting, Offers, SmtpSettings

GREETING = Greeting(b"gate.example", b"gate.example ESMTP")
BANNER = b"220 gate.example ESMTP\r\n"
EHLO = b"250-gate.example\r\n250-PIPELINING\r\n250-SIZE\r\n250 8BITMIME\r\n"
OK = b"250 2.0.0 Ok\r\n"
SENDER_OK = b"250 2.1.0 Ok\r\n"
RECIPIENT_OK = b"250 2.1.5 Ok\r\n"
GO = b"354 End data with <CR><LF>.<CR><LF>\r\n"
QUEUED = b"250 2.0.0 Ok: queued\r\n"
BYE = b"221 2.0.0 Bye\r\n"
DENIED = b"554 5.7.1 Relay access denied\r\n"
OUT_OF_SYNC = b"554 5.5.0 Error: SMTP protocol synchronization\r\n"
LOGGED_IN = reply(235, b"2.7.0 Authentication successful")
WRONG = reply(535, b"5.7.8 Error: authentication failed: (reason unavailable)")

Backend = Callable[[Event], Reply]


def obliging(event: Event) -> Reply:
    """A backend that takes every message, and every recipient whose local part is not `no`; the password is `right`."""
    if isinstance(event, RecipientGiven):
        return reply(554, b"5.7.1 Relay access denied") if event.recipient.local == b"no" else reply(250, b"2.1.5 Ok")
    if isinstance(event, DataAsked):
        return reply(354, b"End data with <CR><LF>.<CR><LF>")
    if isinstance(event, LoginAsked):
        return LOGGED_IN if event.credentials.secret == b"right" else WRONG
    if isinstance(event, TlsAsked):
        return reply(220, b"2.0.0 Ready to start TLS")
    return reply(250, b"2.0.0 Ok: queued")


class Talk:
    """One dialogue whose events are carried out at once. said: all replies so far. events: all but pieces of content.

    content: all that was passed to the backend. pauses: how often the client had to wait.
    """

    def __init__(
        self,
        settings: SmtpSettings | None = None,
        greeting: Greeting = GREETING,
        *,
        excepted: bool = False,
        backend: Backend = obliging,
        waiting: bytes = b"",
        offers: Offers = NOTHING,
    ) -> None:
        self.dialogue = Dialogue(settings or SmtpSettings(), greeting, excepted=excepted, offers=offers)
        self.backend = backend
        self.said = b""
        self.events: list[Event] = []
        self.content = b""
        self.pauses = 0
        self.dialogue.greet(waiting)
        self.go_on()

    def send(self, *pieces: bytes) -> bytes:
        """Say something in pieces -> the replies to it."""
        before = len(self.said)
        for piece in pieces:
            self.dialogue.receive(piece)
            self.go_on()
        return self.said[before:]

    def end(self) -> bytes:
        """Say that nothing more comes -> the replies to what was left."""
        before = len(self.said)
        self.dialogue.receive_end()
        self.go_on()
        return self.said[before:]

    def go_on(self) -> None:
        """Carry out what happens, until something must come from the client."""
        while (event := self.dialogue.next()) is not None:
            self._carry_out(event)
        assert self.dialogue.next() is None
        self.said += self.dialogue.take_output()

    def _carry_out(self, event: Event) -> None:
        if isinstance(event, ContentGiven):
            self.content += event.data
            return
        self.events.append(event)
        if isinstance(event, Paused):
            self.pauses += 1
            self.dialogue.resume()
        elif isinstance(event, RecipientGiven | DataAsked | MessageEnded | LoginAsked | TlsAsked):
            assert self.dialogue.waits
            assert self.dialogue.next() is None
            answer(self.dialogue, event, self.backend(event))


def answer(dialogue: Dialogue, event: Event, reply: Reply) -> None:
    """Answer an event, and begin TLS where the answer is that it begins."""
    dialogue.answer(reply, event.credentials.login if isinstance(event, LoginAsked) else b"")
    if isinstance(event, TlsAsked) and dialogue.waits:
        dialogue.secured()


class Session(NamedTuple):
    """What a session comes to, however it was cut into pieces."""

    said: bytes
    events: list[Event]
    content: bytes
    end: bytes


def session(
    pieces: Iterable[bytes],
    settings: SmtpSettings | None = None,
    *,
    excepted: bool = False,
    offers: Offers = NOTHING,
) -> Session:
    """Say something in pieces to a new dialogue, and leave."""
    talk = Talk(settings, excepted=excepted, offers=offers)
    talk.send(*pieces)
    talk.end()
    return Session(talk.said, talk.events, talk.content, talk.dialogue.end)
