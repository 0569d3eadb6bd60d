"""A stream over a socketpair: who reads, who does not, who hangs up, who resets, and whose time is over."""

import asyncio
import socket
import time
import weakref
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing

import pytest

from tests.support.held import Ends, clog, connected, eventually, heard, some_turns
from ucspi_py.system.process.loop import new_loop
from ucspi_py.system.stream import stream as streams
from ucspi_py.system.stream.stream import Deadlines, Stream

GREETING = b"220 here\r\n"
NO = b"451 no\r\n"
BYE = b"221 bye\r\n"


@pytest.fixture
def ends() -> Iterator[Ends]:
    """A connection."""
    with connected() as both:
        yield both


def answer(stream: Stream, data: bytes) -> None:
    """Say no to whatever comes, and bye to quit."""
    if data == b"quit":
        stream.send(BYE, last=True)
    else:
        stream.send(NO)


def run(ends: Ends, story: Callable[[Stream], Awaitable[None]]) -> None:
    """Play a story with one stream, and see that nothing of it is watched afterwards."""

    async def play() -> None:
        loop = asyncio.get_running_loop()
        stream = Stream(loop, ends.server, answer, 0.0)
        try:
            async with asyncio.timeout(20):
                await story(stream)
        finally:
            stream.leave()
        assert not loop.remove_reader(ends.server)
        assert not loop.remove_writer(ends.server)

    with closing(new_loop()) as loop:
        loop.run_until_complete(play())


def test_what_comes_is_handed_on_and_what_is_sent_is_sent(ends: Ends) -> None:
    """By turns, until the last word; after it comes the end, which the other side sees."""

    async def story(stream: Stream) -> None:
        stream.begin()
        stream.send(GREETING)
        assert await heard(ends.client, len(GREETING)) == GREETING
        for _ in range(3):
            ends.client.send(b"rcpt")
            assert await heard(ends.client, len(NO)) == NO
        assert not stream.over.done()
        ends.client.send(b"quit")
        assert await heard(ends.client, 100) == BYE
        await stream.over

    run(ends, story)


def test_nothing_is_read_before_it_begins(ends: Ends) -> None:
    """What was sent early is there when it does."""

    async def story(stream: Stream) -> None:
        ends.client.send(b"rcpt")
        await some_turns()
        assert ends.server.recv(100, socket.MSG_PEEK) == b"rcpt"
        stream.begin()
        assert await heard(ends.client, len(NO)) == NO

    run(ends, story)


def test_a_last_word_that_is_empty(ends: Ends) -> None:
    """Only the end."""

    async def story(stream: Stream) -> None:
        stream.begin()
        stream.send(b"", last=True)
        assert await heard(ends.client, 100) == b""
        await stream.over

    run(ends, story)


def test_the_other_side_hangs_up(ends: Ends) -> None:
    """It is over."""

    async def story(stream: Stream) -> None:
        stream.begin()
        ends.client.shutdown(socket.SHUT_WR)
        await stream.over

    run(ends, story)


def test_who_has_said_its_last_may_still_be_answered() -> None:
    """Where the owner wants to know of a half-close, it is told once, and the stream goes on in the other direction."""
    told: list[str] = []

    async def play(ends: Ends) -> None:
        stream = Stream(asyncio.get_running_loop(), ends.server, answer, 0.0, lambda _stream: told.append("end"))
        stream.begin()
        ends.client.shutdown(socket.SHUT_WR)
        await eventually(lambda: bool(told))
        stream.begin()
        await some_turns()
        assert not stream.over.done()
        stream.send(BYE, last=True)
        assert await heard(ends.client, 100) == BYE
        await stream.over
        stream.leave()

    with connected() as ends, closing(new_loop()) as loop:
        loop.run_until_complete(play(ends))
    assert told == ["end"]


def test_a_stream_that_was_left_keeps_nobody() -> None:
    """Whoever is called has the stream: both are gone at once, not when the garbage collector comes."""

    class Client:
        def __init__(self, loop: asyncio.AbstractEventLoop, connected: socket.socket) -> None:
            self.stream = Stream(loop, connected, self.hear, 0.0, self.hung_up)

        def hear(self, _stream: Stream, _data: bytes) -> None: ...

        def hung_up(self, _stream: Stream) -> None: ...

    with connected() as ends, closing(new_loop()) as loop:
        client = Client(loop, ends.server)
        gone = weakref.ref(client)
        client.stream.leave()

        del client

        assert gone() is None


def test_a_stream_that_pauses_reads_nothing(ends: Ends) -> None:
    """Until it goes on."""

    async def story(stream: Stream) -> None:
        stream.begin()
        stream.pause()
        ends.client.send(b"hello")
        await some_turns()
        assert ends.server.recv(10, socket.MSG_PEEK | socket.MSG_DONTWAIT) == b"hello"
        stream.begin()
        assert await heard(ends.client, len(NO)) == NO

    run(ends, story)


@pytest.mark.parametrize(("is_bulk", "pieces"), [(False, [4096, 4096, 1]), (True, [122_880, 7_120])])
def test_bulk_is_read_in_large_pieces(ends: Ends, is_bulk: bool, pieces: list[int]) -> None:
    """As much as has come, 120 KB at most, and in small ones otherwise."""
    heard: list[int] = []

    async def play() -> None:
        stream = Stream(asyncio.get_running_loop(), ends.server, lambda _stream, data: heard.append(len(data)))
        stream.read_in_bulk(is_bulk)
        ends.client.send(b"a" * sum(pieces))
        stream.begin()
        await eventually(lambda: sum(heard) >= sum(pieces))
        stream.leave()

    with closing(new_loop()) as loop:
        loop.run_until_complete(play())
    assert heard == pieces


def test_the_other_side_resets(ends: Ends) -> None:
    """It is over, and no error of ours."""

    async def story(stream: Stream) -> None:
        stream.begin()
        stream.send(GREETING)
        ends.client.close()  # with something unread: that resets
        await stream.over

    run(ends, story)


def test_the_other_side_is_gone_before_the_first_word(ends: Ends) -> None:
    """It is over, too."""

    async def story(stream: Stream) -> None:
        ends.client.close()
        stream.begin()
        stream.send(GREETING)
        await stream.over

    run(ends, story)


def test_who_does_not_read_is_not_heard(ends: Ends) -> None:
    """Until it has read; then it is sent the rest, all of it, and heard again."""

    async def story(stream: Stream) -> None:
        clogged = clog(ends)
        stream.begin()
        stream.send(GREETING)
        ends.client.send(b"rcpt")
        await some_turns()
        assert ends.server.recv(100, socket.MSG_PEEK) == b"rcpt"
        assert await heard(ends.client, clogged + len(GREETING + NO)) == b"." * clogged + GREETING + NO
        ends.client.send(b"rset")
        assert await heard(ends.client, len(NO)) == NO

    run(ends, story)


def test_what_fits_in_part_is_sent_once_and_in_order(ends: Ends) -> None:
    """Also what is sent while something still waits."""
    first, second = bytes(range(256)) * 200, b"and more"

    async def story(stream: Stream) -> None:
        stream.begin()
        stream.send(first)
        stream.send(second)
        assert await heard(ends.client, len(first + second)) == first + second
        ends.client.send(b"noop")
        assert await heard(ends.client, len(NO)) == NO

    run(ends, story)


def test_the_last_word_to_who_does_not_read(ends: Ends) -> None:
    """It is not over before that word is on its way."""

    async def story(stream: Stream) -> None:
        stream.begin()
        clogged = clog(ends)
        ends.client.send(b"quit")
        await some_turns()
        assert not stream.over.done()
        assert (await heard(ends.client, clogged + 100))[clogged:] == BYE
        await stream.over

    run(ends, story)


@pytest.mark.parametrize("leaves", [lambda client: client.close(), lambda client: client.shutdown(socket.SHUT_RDWR)])
def test_who_goes_without_reading(ends: Ends, leaves: Callable[[socket.socket], None]) -> None:
    """What was still to be sent is not sent, and it is over."""

    async def story(stream: Stream) -> None:
        clog(ends)
        stream.begin()
        stream.send(GREETING)
        leaves(ends.client)
        await stream.over

    run(ends, story)


def test_an_end_of_our_own(ends: Ends) -> None:
    """Nothing is watched any more of a side that has not read; a second end is no matter."""

    async def story(stream: Stream) -> None:
        clog(ends)
        stream.begin()
        stream.send(GREETING)
        stream.end()
        stream.end()
        await stream.over

    run(ends, story)


def test_a_poll_that_was_wrong(ends: Ends) -> None:
    """Nothing is there to be read: that is not the end."""

    async def story(stream: Stream) -> None:
        stream.begin()
        stream._read()
        assert not stream.over.done()

    run(ends, story)


def test_the_last_word_and_the_end_leave_in_one_packet() -> None:
    """Over TCP: its receiver finds the end together with the word, and acknowledges both at once."""

    async def story() -> None:
        with socket.create_server(("127.0.0.1", 0)) as server:
            client = socket.create_connection(server.getsockname())
            ours, _ = server.accept()
        with client, ours:
            before = segments(ours)
            stream = Stream(asyncio.get_running_loop(), ours, answer, 0.0)
            stream.begin()
            stream.send(BYE, last=True)
            await stream.over
            stream.leave()
            client.settimeout(10)
            assert client.recv(100) == BYE
            assert client.recv(100) == b""
            assert segments(ours) - before == 1

    with closing(new_loop()) as loop:
        loop.run_until_complete(story())


def segments(connection: socket.socket) -> int:
    """Segments that a connection has sent: linux/tcp.h, tcp_info.tcpi_segs_out."""
    info = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 256)
    return int.from_bytes(info[136:140], "little")


def test_deadlines_end_whose_time_is_over(ends: Ends, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody else; and whoever is given more time, has it."""
    monkeypatch.setattr(streams, "_LOOKS", 0.001)

    async def story(stream: Stream) -> None:
        loop, now = asyncio.get_running_loop(), time.monotonic()
        late, later = (Stream(loop, ends.server, answer, now + 3600) for _ in range(2))
        looked_at = [late, later]
        deadlines = Deadlines(looked_at)
        deadlines.ask(loop)
        await asyncio.sleep(0.005)
        looked_at.append(stream)
        await stream.over
        assert not late.over.done()
        late.deadline = now
        await late.over
        assert not later.over.done()
        looked_at.clear()
        await asyncio.sleep(0.005)
        assert deadlines._timer._timer is None

    run(ends, story)
