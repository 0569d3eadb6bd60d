"""A stream through TLS: as a plain one for whoever has it, whatever OpenSSL keeps in between."""

import asyncio
import gc
import socket
import ssl
import time
from collections.abc import Awaitable, Callable
from contextlib import closing, suppress

import pytest

from tests.support.certificates import Authority
from tests.support.held import Ends, connected, eventually, some_turns
from tests.support.tls import Slowly, serving, shake_hands, trusting
from tests.support.waiting import PATIENCE
from ucspi_py.system.process.loop import new_loop
from ucspi_py.system.stream.stream import PIECE, Stream
from ucspi_py.system.tls import bulk, tls_stream
from ucspi_py.system.tls.handshake import handshake
from ucspi_py.system.tls.session import TlsSession
from ucspi_py.system.tls.tls_stream import TlsStream

NO, BYE = b"451 no\r\n", b"221 bye\r\n"
MUCH = bytes(range(256)) * 4096

#: What a client does in a thread of its own, and what is told of it.
Client = Callable[[socket.socket], object]
Received = Callable[[Stream, bytes], None]


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("ca"))


@pytest.fixture(scope="module")
def context(authority: Authority) -> ssl.SSLContext:
    return serving(authority.pair("mx.example"))


def answer(stream: Stream, data: bytes) -> None:
    """Say no to whatever comes, and bye to quit."""
    if data == b"quit":
        stream.send(BYE, last=True)
    else:
        stream.send(NO)


class Meeting:
    """A client and the stream with which it is served. heard: what came of it. ended: whether it has said its last."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self._context = context
        self.heard = b""
        self.ended = False

    def take(self, _stream: Stream, data: bytes) -> None:
        self.heard += data

    def run(self, client: Client, story: Callable[[TlsStream], Awaitable[None]], received: Received) -> None:
        """Play a story with the stream, and see that nothing of it is watched afterwards."""

        def there(plain: socket.socket) -> None:
            plain.settimeout(PATIENCE)
            client(plain)

        async def play(ends: Ends) -> None:
            loop, fd = asyncio.get_running_loop(), ends.server.fileno()
            away = loop.run_in_executor(None, there, ends.client)
            session = await handshake(loop, ends.server, self._context, 20)
            stream = TlsStream(loop, session, received, hung_up=self._end)
            try:
                async with asyncio.timeout(20):
                    await story(stream)
            finally:
                stream.leave()
                if stream.over.done():
                    ends.server.close()
                await away
            assert not any((loop.remove_reader(fd), loop.remove_writer(fd)))

        with connected() as ends, closing(new_loop()) as loop:
            loop.run_until_complete(play(ends))

    def _end(self, _stream: Stream) -> None:
        self.ended = True


async def _serve(stream: TlsStream) -> None:
    stream.begin()
    await stream.over


def test_question_and_answer_until_the_last_word(authority: Authority, context: ssl.SSLContext) -> None:
    """After it comes close_notify: an end without one would be an error to this client."""
    said = []

    def client(plain: socket.socket) -> None:
        with shake_hands(trusting(authority.ca_file), plain.dup()) as secured:
            for word in (b"rcpt", b"rcpt", b"quit"):
                secured.sendall(word)
                said.append(secured.recv(100))
            said.append(secured.recv(100))

    Meeting(context).run(client, _serve, answer)
    assert said == [NO, NO, BYE, b""]


def test_what_comes_with_the_last_of_the_handshake_is_heard(authority: Authority, context: ssl.SSLContext) -> None:
    meeting = Meeting(context)

    def early(plain: socket.socket) -> None:
        slow = Slowly(trusting(authority.ca_file), plain, "mx.example")
        flights = slow.flights()
        plain.sendall(next(flights))
        plain.sendall(next(flights) + slow.said(b"early"))

    async def story(stream: TlsStream) -> None:
        await some_turns()
        assert not meeting.heard
        stream.begin()
        await eventually(lambda: meeting.heard == b"early")

    meeting.run(early, story, meeting.take)


def test_what_has_come_already_can_be_had_at_once(authority: Authority, context: ssl.SSLContext) -> None:
    """As a gate does before it greets; the end behind it is found afterwards."""
    meeting = Meeting(context)

    def client(plain: socket.socket) -> None:
        with shake_hands(trusting(authority.ca_file), plain.dup()) as secured:
            secured.sendall(b"early")
            with suppress(OSError):  # Python 3.11.2 says nothing of an end without close_notify
                secured.unwrap()

    async def story(stream: TlsStream) -> None:
        had = b""

        def has_come() -> bool:
            nonlocal had
            had += stream.waiting()
            return had == b"early"

        await eventually(has_come)
        stream.begin()
        await eventually(lambda: meeting.ended)
        stream.end()

    meeting.run(client, story, meeting.take)
    assert meeting.heard == b""


@pytest.mark.parametrize("in_bulk", [False, True])
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_client_that_says_all_and_leaves_unread_is_heard(
    authority: Authority, context: ssl.SSLContext, version: ssl.TLSVersion, in_bulk: bool
) -> None:
    """Without close_notify, too, which is usual in SMTP."""
    meeting = Meeting(context)

    def client(plain: socket.socket) -> None:
        secured = shake_hands(trusting(authority.ca_file, maximum_version=version), plain.dup())
        secured.sendall(MUCH)
        secured.close()
        plain.close()

    async def story(stream: TlsStream) -> None:
        stream.read_in_bulk(in_bulk)
        stream.begin()
        await eventually(lambda: meeting.ended)

    meeting.run(client, story, meeting.take)
    assert meeting.heard == MUCH


class Pouring:
    """A client that has said all of it before anybody reads.

    pieces: how many bytes were handed on at once. each: what is done with its stream at each of them.
    """

    def __init__(self, authority: Authority, context: ssl.SSLContext) -> None:
        self._ca_file = authority.ca_file
        self._has_said = False
        self._meeting = Meeting(context)
        self.pieces: list[int] = []
        self.each: Callable[[TlsStream], object] = bool

    def pour(self, began: Callable[[TlsStream], object]) -> None:
        """Read of it what it says. began: what is done with its stream before."""

        async def story(stream: TlsStream) -> None:
            await eventually(lambda: self._has_said)
            began(stream)
            stream.begin()
            await eventually(lambda: self._meeting.ended)

        self._meeting.run(self._say, story, self._take)
        assert self._meeting.heard == MUCH[:150_000]

    def _say(self, plain: socket.socket) -> None:
        with shake_hands(trusting(self._ca_file), plain.dup()) as secured:
            secured.sendall(MUCH[:150_000])
            self._has_said = True
        plain.close()

    def _take(self, stream: Stream, data: bytes) -> None:
        self.pieces.append(len(data))
        self._meeting.take(stream, data)
        if isinstance(stream, TlsStream):
            self.each(stream)


@pytest.fixture
def pouring(authority: Authority, context: ssl.SSLContext) -> Pouring:
    return Pouring(authority, context)


def test_bulk_is_handed_on_in_large_pieces(pouring: Pouring, monkeypatch: pytest.MonkeyPatch) -> None:
    """Though it is received and deciphered in small ones."""
    monkeypatch.setattr(bulk, "_TURN", PATIENCE)
    pouring.pour(lambda stream: stream.read_in_bulk(True))
    assert bulk.MOST < max(pouring.pieces) <= bulk.BULK


def test_what_takes_too_long_in_bulk_is_for_another_turn(pouring: Pouring, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk, "_TURN", 0.0)
    pouring.pour(lambda stream: stream.read_in_bulk(True))
    assert max(pouring.pieces) <= bulk.MOST


@pytest.mark.parametrize(("seconds", "is_costly"), [(0.0, False), (0.002, True)])
def test_whoever_has_us_work_for_long_is_read_in_bulk(
    pouring: Pouring, monkeypatch: pytest.MonkeyPatch, seconds: float, is_costly: bool
) -> None:
    """And so behind all others, for good, as a client may make new keys (KeyUpdate) for as long as it likes."""
    read = TlsSession.read

    def slow(session: TlsSession, limit: int) -> bytes | None:
        begun = time.thread_time()
        while time.thread_time() - begun < seconds:
            pass
        return read(session, limit)

    monkeypatch.setattr(TlsSession, "read", slow)
    monkeypatch.setattr(tls_stream, "_TOO_LONG", 0.001 if is_costly else PATIENCE)
    pouring.each = lambda stream: stream.read_in_bulk(False)
    pouring.pour(bool)
    assert (max(pouring.pieces) > PIECE) is is_costly


def test_whoever_pauses_hears_no_more_until_it_begins_again(authority: Authority, context: ssl.SSLContext) -> None:
    """Also of what was in the same record."""
    meeting = Meeting(context)
    pieces = []

    def one(stream: Stream, data: bytes) -> None:
        pieces.append(data)
        stream.pause()

    def client(plain: socket.socket) -> None:
        with shake_hands(trusting(authority.ca_file), plain.dup()) as secured:
            secured.sendall(b"a" * 3 * PIECE)
            secured.recv(1)

    async def story(stream: TlsStream) -> None:
        for number in range(1, 4):
            stream.begin()
            await eventually(lambda number=number: len(pieces) == number)  # type: ignore[misc]
            await some_turns()
        stream.send(b"", last=True)
        await stream.over

    meeting.run(client, story, one)
    assert pieces == [b"a" * PIECE] * 3


def test_a_client_that_does_not_read_is_not_read(authority: Authority, context: ssl.SSLContext) -> None:
    """And gets everything, in order, when it does."""
    meeting = Meeting(context)
    read = b""

    def client(plain: socket.socket) -> None:
        nonlocal read
        with shake_hands(trusting(authority.ca_file), plain.dup()) as secured:
            secured.sendall(b"flood")
            secured.sendall(b"heard?")
            while len(read) < len(MUCH):
                read += secured.recv(65536)
            secured.sendall(b"quit")
            assert secured.recv(1) == b""

    def flood(stream: Stream, data: bytes) -> None:
        meeting.take(stream, data)
        if data.startswith(b"flood"):
            stream.send(MUCH)
            stream.send(b"")
        if data.endswith(b"quit"):
            stream.send(b"", last=True)

    meeting.run(client, _serve, flood)
    assert read == MUCH
    assert meeting.heard == b"floodheard?quit"


def test_bytes_that_are_no_tls_end_it_and_nothing_is_left_of_it(authority: Authority, context: ssl.SSLContext) -> None:
    meeting = Meeting(context)

    def client(plain: socket.socket) -> None:
        for flight in Slowly(trusting(authority.ca_file), plain, "mx.example").flights():
            plain.sendall(flight)
        plain.sendall(b"EHLO x\r\n")
        plain.recv(100)

    gc.collect()
    gc.disable()
    try:
        meeting.run(client, _serve, meeting.take)
        assert meeting.heard == b""
        # The collector knows nothing of the memory that OpenSSL has of it, and comes too late.
        assert not [one for one in gc.get_objects() if isinstance(one, TlsSession)]
    finally:
        gc.enable()


def test_a_client_that_is_gone_is_not_sent_anything(authority: Authority, context: ssl.SSLContext) -> None:
    meeting = Meeting(context)

    def client(plain: socket.socket) -> None:
        shake_hands(trusting(authority.ca_file), plain.dup()).close()
        plain.close()

    async def story(stream: TlsStream) -> None:
        stream.begin()
        await eventually(lambda: meeting.ended)
        stream.send(MUCH)
        await stream.over

    meeting.run(client, story, meeting.take)


def test_after_it_is_left_nobody_hears_anything(authority: Authority, context: ssl.SSLContext) -> None:
    meeting = Meeting(context)

    def client(plain: socket.socket) -> None:
        with shake_hands(trusting(authority.ca_file), plain.dup()) as secured:
            secured.sendall(b"heard?")

    async def story(stream: TlsStream) -> None:
        stream.begin()
        stream.leave()
        await some_turns()

    meeting.run(client, story, meeting.take)
    assert meeting.heard == b""
