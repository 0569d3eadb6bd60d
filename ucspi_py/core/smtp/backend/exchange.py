"""Commands told to a backend, its replies in their order, and its last words. Never judges a reply."""

from collections import deque
from collections.abc import Callable
from typing import NamedTuple

from ...text import clean
from ..reply import Reply, reply
from .replies import ReplyReader

#: What the client hears where the backend has no words for it.
UNAVAILABLE = reply(451, b"4.3.0 The mail system is not available, try again later")
#: The same where it has the whole message, which may be queued; also for the log, whose line names the message.
OUTCOME_UNKNOWN = reply(451, b"4.3.0 The mail system has not answered, outcome unknown")

#: Seconds that a backend may take: to reply to a command, to read a piece of content.
COMMAND_PATIENCE, CONTENT_PATIENCE = 60.0, 120.0
#: Bytes of a line that are quoted in a sentence for the log.
_QUOTED = 100


class Due(NamedTuple):
    """A reply that is due.

    to: what it answers, for the log. heard: takes it. patience: seconds that it may take. without: what the log says
    where it never comes, and words what the client hears then.
    """

    to: str
    heard: Callable[[Reply], None]
    patience: float = COMMAND_PATIENCE
    without: str = ""
    words: Reply = UNAVAILABLE


class Exchange:
    """Commands and replies.

    usable: whether more can be told; False once the backend has said its last words. last_words: what the client is
    told then. failure: a sentence for the log, ``the backend`` is before it; None where it was not the backend's fault.
    within: what the backend is in the middle of while no reply is due; None = nothing, so that it may leave. replies:
    how many were heard.
    """

    def __init__(self) -> None:
        self.usable = True
        self.last_words = UNAVAILABLE
        self.failure: str | None = None
        self.within: str | None = None
        self.replies = 0
        self._reader = ReplyReader()
        self._due = deque[Due]()
        self._output: list[bytes] = []

    @property
    def is_due(self) -> bool:
        """Whether a reply is due."""
        return bool(self._due)

    @property
    def patience(self) -> float:
        """Seconds that the next reply may take; each whole reply begins them anew."""
        return self._due[0].patience if self._due else CONTENT_PATIENCE

    def expect(self, due: Due) -> None:
        """Wait for a reply behind those that are due."""
        self._due.append(due)

    def tell(self, command: bytes, due: Due) -> None:
        """Send a command. due: its reply."""
        self._output.append(command)
        self._due.append(due)

    def take_output(self) -> bytes:
        """The commands since the last call."""
        if not self._output:
            return b""
        output = b"".join(self._output)
        self._output.clear()
        return output

    def ignore(self, heard: Callable[[Reply], None]) -> None:
        """Give the replies that are due to another. heard: takes them from now on."""
        self._due = deque(due._replace(heard=heard) for due in self._due)

    def receive(self, data: bytes) -> None:
        """Take what the backend says; nothing of it behind its last words.

        What was said before a command was told is no reply to it.
        """
        if self.usable:
            self._reader.feed(data)
        told = len(self._due)
        while self.usable and (heard := self._reader.next()) is not None:
            self.replies += 1
            if told:
                told -= 1
                self._due.popleft().heard(heard)
            else:
                self._hear_unasked(heard)
        if self.usable and self._reader.junk is not None:
            self.fail(f'said "{quoted(self._reader.junk)}", which is no reply,{self._where}')

    def receive_end(self) -> None:
        """Take the end of what the backend says."""
        if self.usable and (self._due or self.within):
            self.fail(f"ended{self._where}")
        self.leave(self.last_words)

    def expire(self) -> None:
        """Give the backend up, which has let its patience pass."""
        if self.usable:
            self.fail(f"was given up after {self.patience:.0f} seconds{self._where}")

    def fail(self, failure: str, words: Reply | None = None) -> None:
        """Give the backend up. failure: the sentence for the log. words: for the client; None = of what is due."""
        self.failure = failure
        self.leave(words or (self._due[0].words if self._due else UNAVAILABLE))

    def leave(self, words: Reply) -> None:
        """Let these be the backend's last words."""
        self.usable = False
        self.last_words = words
        self._due.clear()

    def _hear_unasked(self, heard: Reply) -> None:
        """A backend that has something to say before it is asked is about to leave, or has lost count."""
        if heard.code >= 400:
            self.leave(heard)
        else:
            self.fail(f'said "{quoted(heard.line)}", for which nobody had asked{self._where}')

    @property
    def _where(self) -> str:
        if self._due:
            return f" when a reply to {self._due[0].to} was due{self._due[0].without}"
        return f" within {self.within}" if self.within else ""


def quoted(line: bytes) -> str:
    """Make a line of the backend fit for a sentence of the log."""
    return clean(line[:_QUOTED]).decode("ascii")
