"""The SMTP dialogue: whatever bytes come, however they are cut, and whenever answers are there."""

from hypothesis import given
from hypothesis import strategies as st

from tests.support.dialogues import OUT_OF_SYNC, Session, Talk, answer, obliging, session
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
from ucspi_py.core.smtp.settings import NOTHING, Offers, Starttls

MESSAGE = b"MAIL FROM:<>\r\nRCPT TO:<r@example.org>\r\nDATA\r\n"
TOKENS = st.sampled_from(
    [
        b"EHLO x\r\n",
        MESSAGE,
        MESSAGE + b"x\r\n.\r\n",
        b"HELO x\r\n",
        b"MAIL FROM:<>\r\n",
        b"MAIL FROM:<a@b> SIZE=5 BODY=8BITMIME\r\n",
        b"RCPT TO:<r@example.org>\r\n",
        b"RCPT TO:<no@example.org>\r\n",
        b"DATA\r\n",
        b"x\r\n",
        b".\r\n",
        b"..\r\n",
        b"\r\n.\r\n",
        b"\n.\n",
        b"\r.\r",
        b"\n",
        b"\0",
        b"RSET\r\n",
        b"NOOP\r\n",
        b"VRFY a@b\r\n",
        b"BLAH\r\n",
        b"BDAT 4 LAST\r\n",
        b"QUIT\r\n",
        b"GET /\r\n",
        b"\xc3\xa9",
        b"x" * 2100,
        b"STARTTLS\r\n",
        b"AUTH PLAIN AHUAcmlnaHQ=\r\n",
        b"AUTH PLAIN\r\n",
        b"AUTH LOGIN dQ==\r\n",
        b"AUTH CRAM-MD5\r\n",
        b"AHUAd3Jvbmc=\r\n",
        b"cmlnaHQ=\r\n",
        b"*\r\n",
    ]
)
OFFERS = st.sampled_from(
    [
        NOTHING,
        Offers(Starttls.YES, mechanisms=(b"PLAIN", b"LOGIN", b"CRAM-MD5"), secured_mechanisms=(b"LOGIN",)),
        Offers(Starttls.YES, requires_tls=True, secured_mechanisms=(b"PLAIN", b"LOGIN"), response_limit=10),
    ]
)


def cut(data: bytes, lengths: list[int]) -> list[bytes]:
    """Data in pieces of these lengths, and the rest of it."""
    pieces, start = [], 0
    for length in [*lengths, len(data)]:
        pieces.append(data[start : start + length])
        start += length
    return pieces


@given(
    st.lists(st.one_of(TOKENS, st.binary(max_size=9)), max_size=40),
    st.lists(st.integers(1, 40), max_size=20),
    st.booleans(),
    OFFERS,
)
def test_whatever_is_sent_gets_whole_replies(
    tokens: list[bytes], lengths: list[int], excepted: bool, offers: Offers
) -> None:
    """No exception, at most one reply for each line and two at the end; no end of data among what is passed."""
    data = b"".join(tokens)
    said, events, content, end = session(cut(data, lengths), excepted=excepted, offers=offers)

    assert end
    assert said.endswith(b"\r\n")
    replies = said[:-2].split(b"\r\n")
    assert all(line[:3].isdigit() and line[3:4] in b" -" for line in replies)
    finals = [line for line in replies if line[3:4] == b" "]
    assert len(finals) <= 1 + data.count(b"\n") + 2
    assert b"\r\n.\r\n" not in b"\r\n" + content
    assert b"\n" not in content.replace(b"\r\n", b"")
    assert sum(isinstance(event, RecipientGiven) for event in events) <= data.upper().count(b"RCPT")


@given(st.lists(TOKENS, max_size=30), st.lists(st.integers(1, 30), max_size=30), OFFERS)
def test_how_it_is_cut_changes_nothing_but_who_is_left(tokens: list[bytes], lengths: list[int], offers: Offers) -> None:
    """What comes later is no pipelining; all else is the same."""
    data = b"".join(tokens)
    whole = session((bytes([byte]) for byte in data), offers=offers)
    pieces = session(cut(data, lengths), offers=offers)

    if OUT_OF_SYNC in pieces.said:
        assert whole.said.startswith(pieces.said.removesuffix(OUT_OF_SYNC))
        assert whole.events[: len(pieces.events)] == pieces.events
    else:
        assert pieces == whole


class Later:
    """A dialogue whose events are carried out one at a time, whenever it is said."""

    def __init__(self, offers: Offers) -> None:
        self.talk = Talk(excepted=True, offers=offers)
        self.pending: Event | None = None

    def receive(self, piece: bytes) -> None:
        """Take bytes, whether an event is pending or not."""
        self.talk.dialogue.receive(piece)
        self.look()

    def look(self) -> None:
        """Find the next event, and carry out what is to be done at once."""
        while self.pending is None and (event := self.talk.dialogue.next()) is not None:
            if isinstance(event, ContentGiven):
                self.talk.content += event.data
                continue
            self.talk.events.append(event)
            if isinstance(event, Paused | RecipientGiven | DataAsked | MessageEnded | LoginAsked | TlsAsked):
                self.pending = event
        self.talk.said += self.talk.dialogue.take_output()

    def carry_out(self) -> None:
        """Carry out the event that is pending, and find the next one."""
        assert self.talk.dialogue.next() is None
        if isinstance(self.pending, Paused):
            self.talk.dialogue.resume()
        elif self.pending is not None:
            answer(self.talk.dialogue, self.pending, obliging(self.pending))
        self.pending = None
        self.look()

    def end(self) -> Session:
        """Carry out what is left, and say that nothing more comes."""
        self.talk.dialogue.receive_end()
        self.look()
        while self.pending is not None:
            self.carry_out()
        return Session(self.talk.said, self.talk.events, self.talk.content, self.talk.dialogue.end)


@given(
    st.lists(TOKENS, max_size=30),
    st.lists(st.integers(1, 60), max_size=30),
    st.lists(st.booleans(), max_size=60),
    OFFERS,
)
def test_when_answers_come_changes_nothing(
    tokens: list[bytes], lengths: list[int], turns: list[bool], offers: Offers
) -> None:
    """What comes meanwhile waits; only what was sent blind behind DATA or STARTTLS is told from commands by it."""
    data, later = b"".join(tokens), Later(offers)
    pieces = cut(data, lengths)
    for answers in turns:
        if answers:
            later.carry_out()
        elif pieces:
            later.receive(pieces.pop(0))
    for piece in pieces:
        later.receive(piece)
    late, prompt = later.end(), session([data], excepted=True, offers=offers)

    if OUT_OF_SYNC in late.said + prompt.said:
        shorter, longer = sorted((late, prompt), key=lambda done: len(done.events))
        assert longer.events[: len(shorter.events)] == shorter.events
    else:
        assert late == prompt
