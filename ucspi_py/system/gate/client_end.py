"""The client's end of a conversation: what is read of it, what is sent to it, and its time. Never decides what is said.

All times are seconds of the monotonic clock.
"""

import asyncio
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

from ...core.errors import Failure
from ...core.smtp.dialogue import Dialogue
from ...core.smtp.reply import Reply
from ...core.smtp.session_time import SessionTime
from ...core.smtp.settings import SmtpSettings
from ...core.tls.facts import TlsFacts
from ..stream.stream import PIECE, Stream

if TYPE_CHECKING:
    from ..tls.session import TlsSession
    from .tls.starttls import ShakeHands

#: Bytes that may wait for an answer to a command before them; then nothing more is read.
_READ_AHEAD = 65536
#: Seconds for which a client may take to read our last reply.
_LAST_REPLY = 10.0


class ClientEnd:
    """One client. over: done when it is gone, or has been left; another one once it speaks within TLS.

    received, hung_up: called as Stream says.
    """

    __slots__ = ("_dialogue", "_early", "_hung_up", "_is_mute", "_received", "_stream", "_time", "over")

    def __init__(
        self,
        connected: socket.SocketType,
        dialogue: Dialogue,
        settings: SmtpSettings,
        received: Callable[[Stream, bytes], None],
        hung_up: Callable[[Stream], None],
    ) -> None:
        _send_at_once(connected)
        self._dialogue = dialogue
        self._time = SessionTime(settings, time.monotonic())
        self._received = received
        self._hung_up = hung_up
        self._early = b""
        self._is_mute = False
        self._stream = Stream(asyncio.get_running_loop(), connected, received, hung_up=hung_up)
        self.over = self._stream.over

    def watch(self) -> None:
        """Notice before the banner that it hangs up."""
        self._stream.begin()

    def keep(self, data: bytes) -> None:
        """Keep what it says before the banner; nothing more is read until that."""
        self._early = data
        self._stream.pause()

    def greet(self, denied: tuple[Reply, Reply | None] | None = None) -> None:
        """Greet it, unless it has spoken before. denied: as Dialogue.deny() wants it; None = nothing against it."""
        early, self._early = self._early, b""
        if denied:
            self._dialogue.deny(*denied)
            self._dialogue.receive(early)
        else:
            self._dialogue.greet(early or self._stream.waiting())

    def take(self, data: bytes) -> None:
        """Give the dialogue what it has sent. Of content each byte is a sign of life, of a command only its end."""
        if self._dialogue.in_content:
            self._time.heard(time.monotonic())
            if len(data) >= PIECE:
                self._stream.read_in_bulk(True)
        self._dialogue.receive(data)

    def tell(self) -> None:
        """Send what the dialogue has to say, and be done when that was the last."""
        if self._is_mute or self.over.done():
            return
        said, finished = self._dialogue.take_output(), self._dialogue.finished
        if said:
            self._time.heard(time.monotonic())
        if said or finished:
            self._stream.send(said, last=finished)

    async def secure(self, shake_hands: "ShakeHands") -> TlsFacts:
        """Speak within TLS from now on. Nothing is said in the clear any more, also where that fails: raises Failure.

        shake_hands: as StartTls.ready() gives it.
        """
        if self._stream.is_sending:
            raise Failure("it does not read")
        self._is_mute = True
        self._stream.leave()
        session = await shake_hands(self._stream.socket)
        self._is_mute = False
        self.speak_within(session)
        self._time.heard(time.monotonic())
        return session.facts()

    def speak_within(self, session: "TlsSession") -> None:
        """Speak within TLS that has begun."""
        from ..tls.tls_stream import TlsStream

        self._stream = TlsStream(asyncio.get_running_loop(), session, self._received, hung_up=self._hung_up)
        self.over = self._stream.over

    def close(self, last: Reply, why: bytes) -> None:
        """End the session; where its last reply has been said already, that is not waited for any more.

        last: the last reply. why: for the log.
        """
        if self._dialogue.finished:
            self.end()
        else:
            self._dialogue.close(last, why)
            self.tell()

    def end(self) -> None:
        """Be done with it now, whatever waits to be sent."""
        self._stream.end()

    def leave(self) -> None:
        """Watch its socket no more, and tell nobody."""
        self._stream.leave()
        # As in Stream: whoever was called has us.
        self._received, self._hung_up = _nobody, _nobody

    def read_on(self, *, has_room: bool) -> None:
        """Read from it while there is room for what it says. has_room: at the backend; no time passes without."""
        if not has_room:
            self._time.content_waits(time.monotonic())
            self._stream.pause()
            return
        if self._time.waits_since is not None:
            self._time.content_goes_on(time.monotonic())
        if self._dialogue.buffered >= _READ_AHEAD:
            self._stream.pause()
        else:
            self._stream.begin()

    def content_begins(self) -> None:
        """Read content from now on; in bulk when there is more of it than a small message has."""
        self._time.content_begins(time.monotonic())

    def content_ends(self) -> None:
        """Read commands from now on."""
        self._stream.read_in_bulk(False)

    def message_taken(self) -> None:
        """Note that a message was taken."""
        self._time.message_taken(time.monotonic())

    def is_late(self, now: float, idle_limit: float) -> bool:
        """Whether it has been silent or slow for too long.

        now: the time. idle_limit: seconds for which it may be silent.
        """
        if self._dialogue.finished:
            return self._time.is_over(now, _LAST_REPLY)
        if self._dialogue.in_content:
            return self._time.content_is_over(now, self._dialogue.content_size)
        return self._time.is_over(now, idle_limit)


def _nobody(*_told: object) -> None:
    """Who hears of a client that was left."""


def _send_at_once(client: socket.SocketType) -> None:
    """Have no reply wait until the client has acknowledged the one before (Nagle's algorithm, RFC 896).

    Behind pipes there is no TCP, and a client that is gone already is found out by whoever writes to it.
    """
    with suppress(OSError):
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
