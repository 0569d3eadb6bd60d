"""Noise for the gate behind milters, from the client's first command to what a backend takes; see tests/fuzz.py.

Milters and backend are in this process, and their sockets are none. No exception; a client hears well formed replies;
the backend hears commands and framed content; and it takes no message that the configuration refuses: each milter has
let it go on in so many words, unless it may fail. What no milter has changed arrives as it came.
"""

import random
import re
import socket
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import closing
from typing import ClassVar, NamedTuple
from unittest import mock

from tests.fuzz_milter import answer_of, noisy, optneg
from tests.fuzz_milter_oracle import BODY_LIMIT, Told, asks, passes
from tests.support.admission import Lines
from tests.support.ends import End, ObligingEnd
from ucspi_py.core.gate.milter.service import parse_milter
from ucspi_py.core.gate.milter.settings import GateMilters, Limits
from ucspi_py.core.gate.visitor import Visitor
from ucspi_py.core.milter.dialogue import MilterDialogue
from ucspi_py.core.milter.packet import PacketReader
from ucspi_py.core.milter.words import Event
from ucspi_py.core.smtp import events
from ucspi_py.core.smtp.dialogue import Dialogue
from ucspi_py.core.smtp.settings import Greeting, SmtpSettings
from ucspi_py.system.gate.backend import running
from ucspi_py.system.gate.backend.pipe import BackendPipe
from ucspi_py.system.gate.milter import client, connection
from ucspi_py.system.gate.milter.milting import Milting
from ucspi_py.system.gate.parts import OfSession
from ucspi_py.system.gate.session_log import SessionLog
from ucspi_py.system.process.loop import new_loop

_CONTENT = b"Subject: x\r\nX-A: folded\r\n\ty\r\n\r\nbody\r\n..dot\r\n"
_ONE = (b"MAIL FROM:<s@a.example>", b"RCPT TO:<r@b.example>", b"RCPT TO:<t@b.example>", b"DATA")
_BETWEEN = (b"RSET", b"HELO d", b"EHLO d", b"FOO", b"NOOP", b"MAIL FROM:<o@a.example>")
_ENDS_MESSAGE = (b"RSET", b"HELO d", b"EHLO d")
_REPLY = re.compile(rb"(?:\d{3}-[^\r\n]*\r\n)*\d{3} [^\r\n]*\r\n")
_UNFRAMED = re.compile(rb"\r(?!\n)|(?<!\r)\n|(?m:^)\.(?!\.)")
_EVENTS = {event.value: event for event in Event}
_NO_ANSWER = (b"D", b"A", b"Q", b"K")
_ACTIONS = ("reject", "tempfail", "shutdown", "accept")


class Taken(NamedTuple):
    """A message that a backend has taken. number: of its MAIL. named: recipients as its client has named them."""

    number: int
    content: bytes
    recipients: list[bytes]
    named: list[bytes]


class Session:
    """One client's session with milters that say anything.

    number: of its last MAIL. recipients: of its last message. told: what each milter has heard. taken: by the backend,
    with the number, and with the recipients that the client has named.
    """

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.number = 0
        self.recipients: list[bytes] = []
        self.told: list[list[Told]] = []
        self.taken: list[Taken] = []

    def take(self, recipients: list[bytes], content: bytes) -> None:
        """Note a message that the backend has taken."""
        self.taken.append(Taken(self.number, content, recipients, self.recipients))


class BackendEnd(ObligingEnd):
    """A backend. session: of its client; there is one at a time."""

    session: ClassVar[Session]

    def take(self, recipients: list[bytes], content: bytes) -> None:
        """See ObligingEnd."""
        self.session.take(recipients, content)


class MilterEnd(End):
    """A milter that says anything. session: of its client; there is one at a time. history: what it has heard."""

    session: ClassVar[Session]

    def __init__(self, *ends: *tuple[object, ...]) -> None:
        super().__init__(*ends)  # type: ignore[arg-type]
        self.history: list[Told] = []
        self.session.told.append(self.history)
        self._reader = PacketReader()

    def told(self, data: bytes) -> None:
        """Hear packets, and answer those that are to be answered."""
        self._reader.feed(data)
        while packet := self._reader.next():
            if packet.command not in _NO_ANSWER:
                self.history.append(Told(self.session.number, *packet, *self._answer(packet.command)))

    def _answer(self, command: bytes) -> tuple[bytes | None, bool]:
        """What is said, and whether it is due."""
        chance, agreed = self.session.chance, self._dialogue.agreed
        is_due = agreed is None or _EVENTS[command] in agreed.spoken.answered
        if not is_due and chance.random() < 0.999:
            return None, False
        said = noisy(optneg(chance), chance) if command == b"O" else _noise(_EVENTS[command], chance)
        self.say(said)
        self._loop.call_soon(self._leave_if_due)
        return said, is_due

    @property
    def _dialogue(self) -> MilterDialogue:
        found: MilterDialogue = self._received.__self__.dialogue  # type: ignore[attr-defined]
        return found

    def _leave_if_due(self) -> None:
        """Hang up where more is wanted."""
        if self.is_open and self._dialogue.answer is None:
            self._received(b"")


def fuzz_milted_gate(count: int, chance: random.Random) -> Counter[str]:
    """So many sessions; what became of their messages. Raises AssertionError with the one that was too much."""
    fates: Counter[str] = Counter()
    with (
        closing(new_loop()) as loop,
        mock.patch.object(running, "BackendSocket", BackendEnd),
        mock.patch.object(connection, "BackendSocket", MilterEnd),
        mock.patch.object(client, "connected_socket", _connected),
    ):
        for _ in range(count):
            seed = chance.randrange(2**32)
            try:
                fates.update(loop.run_until_complete(_session(random.Random(seed))))
            except Exception as error:
                raise AssertionError(f"seed {seed}") from error
    return fates


async def _session(chance: random.Random) -> list[str]:
    session = MilterEnd.session = BackendEnd.session = Session(chance)
    actions = [chance.choice(_ACTIONS) for _ in range(chance.choice((1, 1, 2)))]
    heard = await _talk(session, actions, _steps(chance))
    assert _REPLY.sub(b"", heard) == b"", heard
    ours = [action == "accept" for action in actions]
    for message in session.taken:
        _judge(session.told, ours, message)
    return [*("taken" for _ in session.taken), *(line[:3].decode() for line in heard.splitlines() if line[3:4] == b" ")]


def _steps(chance: random.Random) -> Iterator[bytes]:
    """What a client says: several messages, whole or dropped anywhere, with other commands between."""
    yield chance.choice((b"HELO c", b"EHLO c"))
    for _ in range(chance.randrange(1, 5)):
        for command in _ONE:
            yield command
            between = chance.choice(_BETWEEN) if chance.random() < 0.15 else None
            if between:
                yield between
            if between in _ENDS_MESSAGE:
                break
    yield b"QUIT"


async def _talk(session: Session, actions: list[str], steps: Iterable[bytes]) -> bytes:
    """Speak with the gate -> all that the client hears."""
    visitor = Visitor(b"unknown", b"192.0.2.1", unique_id=b"id")
    dialogue = Dialogue(SmtpSettings(error_sleep_time=0), Greeting(b"mx", b"mx"), excepted=True, judges_early=True)
    pipe = BackendPipe(_started, {}, visitor, lambda _sentence: None)
    words = (parse_milter(f"{{ unix:/m{at}, default_action={one} }}") for at, one in enumerate(actions))
    milting = Milting(GateMilters(tuple(words)), Limits(4, BODY_LIMIT), _nobody, lambda _sentence: None)
    log = SessionLog(Lines(), visitor, b"")
    milting.put_before(pipe, visitor, dialogue, OfSession({}, b"mx", log, None, False, lambda _domain: None, 0))
    assert pipe.milters
    pipe.milters.find_name = None
    try:
        denied = await pipe.connect()
        dialogue.deny(*denied) if denied else dialogue.greet()
        for step in steps:
            dialogue.receive(step + b"\r\n")
            await _work(session, dialogue, pipe)
            if dialogue.in_content:
                dialogue.receive(_CONTENT + b".\r\n")
                await _work(session, dialogue, pipe)
    finally:
        pipe.leave()
        milting.close()
    return dialogue.take_output()


async def _work(session: Session, dialogue: Dialogue, pipe: BackendPipe) -> None:
    """What a conversation does with the events of its dialogue."""
    while (event := dialogue.next()) is not None:
        match event:
            case events.ContentGiven():
                pipe.send(event.data)
            case events.TransactionDropped():
                pipe.reset()
            case events.MessageEnded():
                session.recipients = [b"TO:" + path.wire for path in event.envelope.recipients]
                dialogue.answer(await pipe.end_of_data(event.size))
            case events.HeloGiven() | events.SenderGiven():
                session.number += isinstance(event, events.SenderGiven)
                dialogue.go_on(event) if pipe.passes(event) else dialogue.answer(await pipe.ask(event))
            case _:
                dialogue.answer(await pipe.ask(event))
    pipe.flush()


def _judge(told: list[list[Told]], may_fail: list[bool], message: Taken) -> None:
    """Hold a message that was taken against what milters have said."""
    for history, ignored in zip(told, may_fail, strict=True):
        assert passes(message.number, history, may_fail=ignored), (message, ignored, history)
    if not any(asks(history, message.number) for history in told):
        assert (message.content, message.recipients) == (_CONTENT, message.named)
    assert message.content.endswith(b"\r\n")
    assert not _UNFRAMED.search(message.content), message.content


def _noise(event: Event, chance: random.Random) -> bytes:
    """What a milter says to an event: packets up to one that is an answer, for the most part."""
    said = b""
    while len(said) < 300:
        packet = answer_of(event, chance)
        said += noisy(packet, chance)
        if packet[4:5] in b"cadrtsy4" and chance.random() < 0.999:
            break
    return said


async def _connected(*_where: object) -> socket.socket:
    return socket.socket(socket.AF_UNIX)


async def _started(_environment: object, _fd: int, _ended: object) -> int:
    return 1


def _nobody(*_question: object) -> None:
    raise AssertionError("somebody asks")
