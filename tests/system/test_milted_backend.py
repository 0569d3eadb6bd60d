"""A backend behind milters: what reaches it, what the client hears, and nothing that is left."""

import asyncio
import contextlib
import errno
import resource
from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from pathlib import Path as File

import pytest

from tests.system.test_backend_pipe import BOB, CAROL, ENVELOPE, PIECE, TO_RCPT, Backends, Story, shell, whole
from ucspi_py.core.gate.milter.header import Header
from ucspi_py.core.smtp.backend.exchange import UNAVAILABLE
from ucspi_py.core.smtp.envelope import Envelope
from ucspi_py.core.smtp.path import Path
from ucspi_py.core.smtp.reply import Reply, reply
from ucspi_py.system.gate.milter.hearing import Hearing
from ucspi_py.system.gate.milter.held import HeldMessage, NewBody
from ucspi_py.system.gate.milter.milted_backend import MessageMilters, milted
from ucspi_py.system.gate.milter.spool import Spool

QUEUED = reply(250, b"queued")
SPAM = reply(550, b"5.7.1 Spam")
CONTENT = b"Subject: x\r\n\r\n..dot\r\n"
Found = Reply | Envelope | None


class Milters:
    """Milters that say what a test wants. heard: whole messages."""

    def __init__(self, found: Found = None, refusal: Reply | None = None) -> None:
        self.found = found
        self.refusal = refusal
        self.heard: list[bytes] = []
        self.change: Callable[[HeldMessage], Awaitable[None]] | None = None

    def before(self, story: Story) -> Story:
        """A story with these before its backends."""

        async def told(backends: Backends) -> None:
            backends.pipe.make = partial(milted, MessageMilters(self._data, self._stream, self._end, self._hear))
            await story(backends)

        return told

    async def _data(self) -> Reply | None:
        return self.refusal

    def _stream(self, _on_room: Callable[[], None], _on_refusal: Callable[[], None]) -> None:
        """Each message is held."""

    async def _end(self, _hearing: Hearing) -> None:
        raise ValueError("no message is streamed")

    async def _hear(self, message: HeldMessage) -> Found:
        self.heard.append(b"".join(message.content()))
        if self.change:
            await self.change(message)
        return self.found


@pytest.fixture
def out(tmp_path: File) -> File:
    """Where a whole backend leaves its message."""
    return tmp_path / "message"


async def begun(backends: Backends) -> None:
    """Begin a message to bob; the 354 is ours."""
    assert (await backends.pipe.recipient(ENVELOPE, BOB)).is_positive
    assert (await backends.pipe.data()).code == 354


def commands(out: File) -> list[bytes]:
    """What a whole backend was told."""
    return out.with_name("message.commands").read_bytes().splitlines()


async def said(backends: Backends, content: bytes = CONTENT) -> Reply:
    """What a client hears of a message."""
    await begun(backends)
    for at in range(0, len(content), len(PIECE)):
        backends.pipe.send(content[at : at + len(PIECE)])
        assert not backends.pipe.is_full
    return await backends.pipe.end_of_data(len(content))


def story_of(answer: Reply, content: bytes = CONTENT, times: int = 1) -> Story:
    """Messages that end in an answer."""

    async def story(backends: Backends) -> None:
        for _ in range(times):
            assert await said(backends, content) == answer

    return story


@pytest.mark.parametrize("count", [1, 40])
def test_a_message_that_passes(out: File, count: int) -> None:
    """It arrives as it came, also one that is larger than what is held in memory or in the socket."""
    milters, content = Milters(), CONTENT + PIECE * count

    assert whole(milters.before(story_of(QUEUED, content, 2)), out).started == 1
    assert out.read_bytes() == content * 2
    assert milters.heard == [content] * 2


def test_a_message_that_is_changed(out: File) -> None:
    """What arrives is what milters have made of it."""
    milters = Milters()

    async def change(message: HeldMessage) -> None:
        body = NewBody()
        body.feed(b"other\n")
        message.change([Header(b"X", (b"X: y",)), *message.headers], body.end())

    milters.change = change
    whole(milters.before(story_of(QUEUED)), out)
    assert out.read_bytes() == b"X: y\r\nSubject: x\r\n\r\nother\r\n"


def test_a_message_that_is_refused(out: File) -> None:
    """The backend hears no DATA, and is used for the next message."""
    milters = Milters(SPAM)

    assert whole(milters.before(story_of(SPAM, times=2)), out).started == 1
    assert not out.exists()
    assert b"DATA" not in commands(out)
    assert commands(out).count(b"RSET") == 2


def test_a_refusal_at_data(out: File) -> None:
    """Nothing is held then."""
    milters = Milters(refusal=SPAM)

    async def story(backends: Backends) -> None:
        assert (await backends.pipe.recipient(ENVELOPE, BOB)).is_positive
        assert await backends.pipe.data() == SPAM

    whole(milters.before(story), out)
    assert milters.heard == []
    assert b"DATA" not in commands(out)


def test_another_envelope(out: File) -> None:
    """It is told anew before DATA."""
    other = ENVELOPE._replace(sender=Path(b"new", b"example.net"), recipients=(CAROL, BOB))

    whole(Milters(other).before(story_of(QUEUED)), out)
    told = commands(out)
    again = told[told.index(b"RSET") :]
    assert [line.split(b" ")[0] for line in again[:5]] == [b"RSET", b"MAIL", b"RCPT", b"RCPT", b"DATA"]
    assert again[1].startswith(b"MAIL FROM:<new@example.net>")
    assert again[2:4] == [b"RCPT TO:<carol@example.org>", b"RCPT TO:<bob@example.org>"]
    assert out.read_bytes() == CONTENT


def test_nobody_is_left(out: File) -> None:
    """A message of which milters have taken all recipients is taken."""
    whole(Milters(ENVELOPE).before(story_of(reply(250, b"2.0.0 Ok"))), out)

    assert not out.exists()


def test_a_backend_that_refuses_another_envelope() -> None:
    """Its refusal is the reply to the dot, and nobody gets the message."""
    program = (
        TO_RCPT + "s '250 ok'; h; s '250 reset'; h; s '250 ok'; h; s '553 not local'; h; s '250 reset'; h; s '221 bye'"
    )
    milters = Milters(ENVELOPE._replace(recipients=(CAROL,)))

    shell(program, milters.before(story_of(reply(553, b"not local"))))


def test_a_client_that_leaves(out: File) -> None:
    """A message that is held is dropped with its backend, also in the midst of hearing it."""
    milters = Milters()
    waiting = asyncio.Event()

    async def change(_message: HeldMessage) -> None:
        waiting.set()
        await asyncio.get_running_loop().create_future()

    milters.change = change

    async def story(backends: Backends) -> None:
        await begun(backends)
        backends.pipe.send(CONTENT)
        backends.pipe.close()
        task = asyncio.ensure_future(said(backends, CONTENT + PIECE * 3))
        await waiting.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await backends.all_ended()

    whole(milters.before(story), out)
    assert not out.exists()


@contextlib.contextmanager
def full_disk(room: int) -> Iterator[None]:
    """A file of ours has no more room than this: the write that begins there is cut short, the next one fails."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_message_that_cannot_be_held(out: File) -> None:
    """A disk that is full is said, the client comes again, and nothing of the message goes anywhere."""
    milters = Milters()

    async def story(backends: Backends) -> None:
        await begun(backends)
        with full_disk(200_000):
            for _ in range(10):
                backends.pipe.send(PIECE)
            assert await backends.pipe.end_of_data(10 * len(PIECE)) == UNAVAILABLE

    found = whole(milters.before(story), out)
    assert found.reports == ["a message cannot be held: File too large"]
    assert milters.heard == []
    assert not out.exists()


def test_a_body_that_cannot_be_held(out: File) -> None:
    """A disk that is full when a milter sends another body: the message that came goes nowhere, either."""
    milters = Milters()

    async def change(_message: HeldMessage) -> None:
        with full_disk(200_000):
            body = NewBody()
            try:
                for _ in range(10):
                    body.feed(PIECE)
            finally:
                body.close()

    milters.change = change
    found = whole(milters.before(story_of(UNAVAILABLE)), out)

    assert found.reports == ["a message cannot be held: File too large"]
    assert not out.exists()


class BadDisk(Spool):
    """A file whose second piece cannot be read."""

    def pieces(self) -> Iterator[bytes]:
        """Half of it."""
        yield PIECE
        raise OSError(errno.EIO, "Input/output error")


def test_a_message_that_cannot_be_read(out: File) -> None:
    """A disk that fails while the backend gets the message: it is left, and hears of no command within content."""
    milters = Milters()
    milters.change = breaking

    async def story(backends: Backends) -> None:
        assert await said(backends) == UNAVAILABLE
        milters.change = None
        assert await said(backends) == QUEUED

    found = whole(milters.before(story), out)
    assert found.reports == ["a message cannot be held: Input/output error"]
    assert found.started == 2
    assert out.read_bytes() == CONTENT
    assert b"RSET" not in commands(out)


async def breaking(message: HeldMessage) -> None:
    """Have a message whose body cannot be read."""
    message.change(message.headers, BadDisk())


def test_too_many_headers(out: File) -> None:
    """A megabyte of headers is no message."""
    content = (b"X: " + b"y" * 900 + b"\r\n") * 1300

    whole(Milters().before(story_of(reply(552, b"5.3.4 The headers of the message are too large"), content)), out)
    assert not out.exists()
