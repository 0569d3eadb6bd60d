"""Any session with any backend: a message reaches exactly those that were accepted for it, or the client hears so."""

import re
from collections.abc import Sequence

from hypothesis import given, settings
from hypothesis import strategies as st

from ucspi_py.core.smtp.backend.dialogue import BackendDialogue
from ucspi_py.core.smtp.envelope import Envelope
from ucspi_py.core.smtp.path import Path
from ucspi_py.core.smtp.reply import Reply

_COMMAND = re.compile(rb"(?:EHLO|HELO) \S+|MAIL FROM:<\S+>|RCPT TO:<\S+>|RSET|DATA|\.|QUIT")
#: Replies of a backend that means well, and of one that does not.
_GOOD = [b"250 ok\r\n", b"250-a\r\n250 PIPELINING\r\n"] * 40 + [b"550 no\r\n", b"450 later\r\n"] * 5
_BAD = [b"354 go\r\n", b"421 bye\r\n", b"junk\r\n", b"250-half\r\n"]


class Backend:
    """A model of a server: carries out what it has said yes to. choices: which reply each command gets."""

    def __init__(self, choices: "Choices") -> None:
        self.delivered: list[tuple[bytes, bytes, list[bytes]]] = []
        self._choices = choices
        self._helo = self._sender = b""
        self._recipients: list[bytes] = []

    def reply(self, line: bytes) -> bytes:
        """Carry out one command; what is said to it."""
        said = self._choices.of(_GOOD + _BAD)
        verb, _, argument = line.partition(b" ")
        if verb == b"DATA":
            return self._choices.of([b"354 go\r\n"] * 20 + [b"250 ok\r\n", b"451 no\r\n"])
        if said[:1] == b"2" and said[3:4] != b"h":
            self._carry_out(verb, argument)
        return said

    def _carry_out(self, verb: bytes, argument: bytes) -> None:
        if verb in (b"EHLO", b"HELO"):
            self._helo, self._sender, self._recipients = argument, b"", []
        elif verb == b"RSET":
            self._sender, self._recipients = b"", []
        elif verb == b"MAIL":
            assert not self._sender, "a second MAIL without RSET"
            self._sender = argument
        elif verb == b"RCPT" and self._sender:
            self._recipients.append(argument)
        elif verb == b".":
            self.delivered.append((self._helo, self._sender, self._recipients))
            self._sender, self._recipients = b"", []


class Choices:
    """A stream of choices, which is at its end when it has given the last."""

    def __init__(self, numbers: Sequence[int]) -> None:
        self._numbers = list(numbers)

    @property
    def is_over(self) -> bool:
        """Whether none is left."""
        return not self._numbers

    def of(self, items: Sequence[bytes]) -> bytes:
        """One of some items."""
        return items[self._numbers.pop() % len(items)] if self._numbers else items[0]


class Session:
    """A client's session with one backend, as the gate has it."""

    def __init__(self, choices: Choices) -> None:
        self.dialogue = BackendDialogue(b"unknown")
        self.backend = Backend(choices)
        self.heard: list[tuple[bytes, bytes, list[bytes]]] = []
        self._choices = choices
        self._pending: list[bytes] = []
        self._envelope = Envelope(b"h", True, Path(b"s", b"d"))
        self._number = 0

    def play(self) -> None:
        """Go on as long as there are choices and a backend."""
        self.dialogue.recipient(self._envelope, Path(b"first", b"d"))
        self._settle_recipient(Path(b"first", b"d"), self._answer(b"220 here\r\n"))
        while self.dialogue.usable and not self._choices.is_over:
            getattr(
                self,
                self._choices.of([b"recipient", b"recipient", b"message", b"message", b"renew", b"reset"]).decode(),
            )()

    def recipient(self) -> None:
        """One more recipient."""
        self._number += 1
        path = Path(b"r%d" % self._number, b"d")
        self.dialogue.recipient(self._envelope, path)
        self._settle_recipient(path, self._answer())

    def message(self) -> None:
        """DATA, as the client's dialogue asks for it: with accepted recipients only."""
        if not self._envelope.recipients:
            return
        self.dialogue.data()
        if self._answer().code != 354:
            return
        self.dialogue.end_of_data()
        answer = self._answer()
        if answer.is_positive:
            recipients = [b"TO:" + path.wire for path in self._envelope.recipients]
            self.heard.append((self._envelope.helo, b"FROM:" + self._envelope.sender.wire, recipients))
        self.renew()

    def reset(self) -> None:
        """RSET of the client behind an accepted recipient."""
        if self._envelope.recipients:
            self.dialogue.reset()
        self.renew()

    def renew(self) -> None:
        """A new transaction, of which the backend is told or not: the old one may have had no recipient."""
        helo = self._choices.of([b"h", b"h", b"g"])
        self._envelope = Envelope(helo, True, Path(self._choices.of([b"s", b"t"]), b"d"))

    def _settle_recipient(self, path: Path, answer: Reply) -> None:
        if answer.is_positive:
            self._envelope = self._envelope._replace(recipients=(*self._envelope.recipients, path))

    def _answer(self, said: bytes = b"") -> Reply:
        """Let the backend speak until there is an answer; it may die with any command, and does with half a reply."""
        self.dialogue.receive(said)
        while self.dialogue.answer is None:
            told = self.dialogue.take_output()
            assert told.endswith(b"\r\n") or not told
            self._pending += told.split(b"\r\n")[:-1]
            if not self._pending:
                self.dialogue.receive_end()
                continue
            command = self._pending.pop(0)
            assert _COMMAND.fullmatch(command)
            said = self.backend.reply(command)
            if self._choices.of([b"lives"] * 60 + [b"dies"]) == b"lives":
                self.dialogue.receive(said)
            else:
                self.dialogue.receive_end()
        return self.dialogue.answer


@settings(max_examples=400, deadline=None)
@given(st.lists(st.integers(0, 10_000), min_size=10, max_size=120))
def test_what_the_client_has_heard_is_what_was_delivered(numbers: list[int]) -> None:
    """Sender, name and recipients; whatever else was delivered, the client did not hear of it as a success."""
    session = Session(Choices(numbers))

    session.play()

    delivered = session.backend.delivered
    assert delivered[: len(session.heard)] == session.heard
    assert len(delivered) - len(session.heard) <= 1
