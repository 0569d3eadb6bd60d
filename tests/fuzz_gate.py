"""Noise for the gate: its two dialogues, joined with a client that says anything and a backend that fails in any way.

No exception; each command is answered once, in order; the backend is told nothing that the client has not said as a
command, and it takes for a message what the gate takes for one, the same lines, or nothing.
"""

import random
from collections import Counter
from collections.abc import Callable, Sequence

from tests.support.gate_client import HOST, Step, pieces, settings, steps
from tests.support.gate_order import Heard, told, walk
from tests.support.model_server import Message, ModelServer
from tests.support.readers import READERS, rfc
from ucspi_py.core.smtp.backend.dialogue import BackendDialogue
from ucspi_py.core.smtp.dialogue import Dialogue
from ucspi_py.core.smtp.envelope import Envelope
from ucspi_py.core.smtp.events import (
    ContentGiven,
    DataAsked,
    Event,
    MessageEnded,
    MessageRefused,
    Paused,
    RecipientGiven,
    TransactionDropped,
)
from ucspi_py.core.smtp.reply import Reply, reply
from ucspi_py.core.smtp.settings import BareNewline, Greeting

_GONE = reply(451, b"4.3.0 nobody is here")
_NOT_OURS = reply(554, b"5.7.1 Relay access denied")
_TIMEOUT = reply(421, b"4.4.2 timeout")


def fuzz_sessions(number: int, chance: random.Random) -> Counter[str]:
    """So many sessions; how they ended. Raises AssertionError with the seed of the one that was too much."""
    ends: Counter[str] = Counter()
    for _ in range(number):
        seed = chance.randrange(2**64)
        try:
            ends += session(random.Random(seed))
        except Exception as error:
            raise AssertionError(f"session({seed}): {type(error).__name__}: {error}") from error
    return ends


def session(chance: random.Random) -> Counter[str]:
    """One session; how it ended, and what else became of it. Raises AssertionError for what must not be."""
    said = steps(chance)
    joined = _Joined(chance, pieces(chance, said) if chance.random() < 0.4 else said)
    joined.run()
    joined.judge()
    return joined.fates


class _Joined:
    """A client, the gate's two dialogues and a backend, joined as the conversation does it (system/gate)."""

    def __init__(self, chance: random.Random, said: Sequence[Step]) -> None:
        self.fates: Counter[str] = Counter()
        self._chance = chance
        self._waiting = list(reversed(said))
        self._settings = settings(chance)
        self._greeting = Greeting(HOST, HOST + b" ESMTP", chance.choice([0, 1000]), chance.choice([0, 0, 0, 50]))
        excepted = chance.random() < 0.3
        self._rejects = self._settings.forbid_bare_newline is BareNewline.REJECT and not excepted
        self._dialogue = Dialogue(self._settings, self._greeting, excepted=excepted)
        self._reader = chance.choice(list(READERS))
        self._failing = chance.choice([0.0, 0.0, 0.05, 0.3])
        self._backend: BackendDialogue | None = None
        self._model = ModelServer(chance, self._reader, 0.0)
        self._commands: list[bytes] = []
        self._said = self._heard = self._framed = b""
        self._arrived: list[tuple[int, int]] = []
        self._contents = 0
        self._is_off = False
        self._taken: list[tuple[int, Message]] = []

    def run(self) -> None:
        """Let the client say all that it has to say, until it is left."""
        early = self._waiting.pop().said if self._chance.random() < 0.03 else b""
        self._said += early
        self._dialogue.greet(early)
        self._advance()
        while self._waiting and not self._dialogue.finished:
            self._say_next()
            self._advance()
        if self._chance.random() < 0.5:
            self._dialogue.receive_end()
            self._advance()
            assert self._dialogue.finished
        elif self._chance.random() < 0.1:
            self._dialogue.close(_TIMEOUT)
            self._advance()
            assert self._dialogue.finished

    def judge(self) -> None:
        """Look at all that was said and heard. Raises AssertionError."""
        dialogue = self._dialogue
        assert not dialogue.waits
        self._leave_backend()
        heard = Heard(
            self._heard, self._arrived, self._settings.line_length_limit, rejects=self._rejects, quotes=not self._is_off
        )
        walked = walk(self._said, heard)
        assert dialogue.finished or b"\n" not in walked.rest or dialogue.in_content
        assert not (dialogue.in_content and not dialogue.finished and b"\r\n.\r\n" in b"\r\n" + walked.rest)
        told(walked, self._commands)
        assert len(walked.contents) <= self._contents
        for at, message in self._taken:
            self._compare(walked.contents[at], message)
        self.fates[dialogue.end.decode() or "talks on"] += 1

    def _compare(self, content: bytes, message: Message) -> None:
        """Compare content as it was sent with what the backend has taken for it."""
        if b"\n" in content.replace(b"\r\n", b""):
            assert not self._rejects
            self.fates["normalized"] += 1
            return
        read = rfc(content + b".\r\n")
        assert read is not None
        strip = b"\r" if self._reader == "by LF" else b""
        assert message.lines == tuple(line.rstrip(strip) if strip else line for line in read.lines)

    def _say_next(self) -> None:
        step = self._waiting.pop()
        if not step.is_content or self._dialogue.in_content or self._chance.random() < 0.1:
            self._said += step.said
            self._dialogue.receive(step.said)

    def _advance(self) -> None:
        while (event := self._dialogue.next()) is not None:
            self._carry_out(event)
            self._hear()
        self._hear()

    def _hear(self) -> None:
        self._heard += self._dialogue.take_output()
        self._arrived.append((len(self._heard), len(self._said)))

    def _carry_out(self, event: Event) -> None:
        match event:
            case ContentGiven():
                self._pass_on(event.data)
            case RecipientGiven():
                is_ours = self._chance.random() < 0.8
                self._dialogue.answer(self._recipient(event) if is_ours else _NOT_OURS)
            case DataAsked():
                self._dialogue.answer(self._ask(BackendDialogue.data))
                self._framed = b""
            case MessageEnded():
                self._contents += 1
                self._dialogue.answer(self._end_message(event.envelope))
            case MessageRefused():
                self._contents += 1
                self._leave_backend()
                self.fates["message refused"] += 1
            case TransactionDropped():
                self._reset()
            case Paused():
                self._dialogue.resume()

    def _recipient(self, event: RecipientGiven) -> Reply:
        """Ask the backend about a recipient; a new one where the last is of no use (BackendPipe.recipient)."""
        if not event.envelope.recipients and not (self._backend and self._backend.usable):
            self._leave_backend()
            self._backend = BackendDialogue(b"remote.example")
            self._model = ModelServer(self._chance, self._reader, self._failing)
            self.fates["backends"] += 1
        return self._ask(lambda backend: backend.recipient(*event))

    def _ask(self, asked: Callable[[BackendDialogue], None]) -> Reply:
        """Ask the backend, and wait for its answer, while the client may talk on."""
        backend = self._backend
        if backend is None:
            return _GONE
        asked(backend)
        while backend.answer is None:
            while self._waiting and not self._waiting[-1].is_content and self._chance.random() < 0.1:
                self._say_next()
                assert self._dialogue.next() is None
            self._exchange(backend)
        self._model.receive(backend.take_output())
        return backend.answer

    def _exchange(self, backend: BackendDialogue) -> None:
        """Tell the model what it is told, and hear what it says, which may be nothing for ever."""
        self._model.receive(backend.take_output())
        said, self._model.said = self._model.said, b""
        at = self._chance.randrange(len(said) + 1)
        backend.receive(said[:at])
        backend.receive(said[at:])
        if backend.answer is None and not said:
            (backend.receive_end if self._model.gone else backend.expire)()
            assert backend.answer is not None

    def _pass_on(self, data: bytes) -> None:
        """Send content to a backend that takes it. It finds no end in it."""
        self._framed += data
        assert self._framed.count(b"\n.") == self._framed.count(b"\n..")
        if self._backend and self._backend.takes_content:
            before = len(self._model.messages)
            self._model.receive(data)
            assert len(self._model.messages) == before

    def _end_message(self, envelope: Envelope) -> Reply:
        """Tell the end of content: the backend has one message more, if it has lived to hear of it."""
        lives = self._backend is not None and self._backend.takes_content and not self._model.gone
        before = len(self._model.messages)
        answer = self._ask(BackendDialogue.end_of_data)
        assert not (answer.is_positive and not lives)
        assert len(self._model.messages) == before + lives
        if lives:
            message = self._model.messages[-1]
            assert self._model.is_off or (message.sender, message.recipients) == (
                envelope.sender.wire,
                tuple(p.wire for p in envelope.recipients),
            )
            assert not self._model.unread
            self._taken.append((self._contents - 1, message))
            self.fates["message taken"] += 1
        return answer

    def _reset(self) -> None:
        """End a transaction without a message (BackendPipe.reset)."""
        if self._backend and self._backend.usable and not self._backend.takes_content:
            self._backend.reset()
            self._model.receive(self._backend.take_output())
        else:
            self._leave_backend()

    def _leave_backend(self) -> None:
        """Close the connection to it; a message that has not ended is none."""
        before = len(self._model.messages)
        if self._backend and self._chance.random() < 0.5:
            self._backend.quit()
            self._model.receive(self._backend.take_output())
        assert len(self._model.messages) == before
        self._commands += self._model.commands
        self._model.commands = []
        self._is_off |= self._model.is_off
        self._backend = None
