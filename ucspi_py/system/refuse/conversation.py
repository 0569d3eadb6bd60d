"""A refused client that is talked to in the worker's loop. What is said, the dialogue decides."""

import asyncio
import socket

from ...core.smtp.refusal import RefusalDialogue

#: The last words wait for what follows them, which is the end: one packet for both.
_LAST = socket.MSG_DONTWAIT | getattr(socket, "MSG_MORE", 0)


class Conversation:
    """Hears and says, by turns; who does not read what is said is not heard.

    A reader of its own for the whole time, not a coroutine's wait for each command: half the work for each client.
    over: done when the client has been told all, has quit or hung up, or the conversation was ended.
    """

    __slots__ = ("_dialogue", "_loop", "_unsaid", "client", "over")

    def __init__(self, loop: asyncio.AbstractEventLoop, client: socket.SocketType, dialogue: RefusalDialogue) -> None:
        self.over: asyncio.Future[None] = loop.create_future()
        self._loop = loop
        self.client = client
        self._dialogue = dialogue
        self._unsaid = b""

    def begin(self, words: bytes) -> None:
        """Say the first words, and listen."""
        self._loop.add_reader(self.client, self._hear)
        self._say(words)

    def end(self) -> None:
        """No more of it."""
        if not self.over.done():
            self.over.set_result(None)

    def leave(self) -> None:
        """Let go of the client."""
        self._loop.remove_reader(self.client)
        if self._unsaid:
            self._loop.remove_writer(self.client)

    def _hear(self) -> None:
        try:
            data = self.client.recv(4096, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if data:
            self._say(self._dialogue.receive(data))
        else:
            self.end()

    def _say(self, words: bytes) -> None:
        flags = _LAST if self._dialogue.finished else socket.MSG_DONTWAIT
        try:
            said = self.client.send(words, flags) if words else 0
        except BlockingIOError:
            said = 0
        except OSError:
            self.end()
            return
        if said < len(words):
            self._unsaid = words[said:]
            self._loop.remove_reader(self.client)
            self._loop.add_writer(self.client, self._say_the_rest)
        elif self._dialogue.finished:
            self._hang_up()

    def _hang_up(self) -> None:
        """Not by closing alone: that drops what still waits to be sent, where the client has sent more than we read."""
        try:
            self.client.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # it is gone already
        self.end()

    def _say_the_rest(self) -> None:
        self._loop.remove_writer(self.client)
        self._loop.add_reader(self.client, self._hear)
        words, self._unsaid = self._unsaid, b""
        self._say(words)
