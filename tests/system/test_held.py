"""The refused clients of one worker over socketpairs: whose time is over, and who goes first."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack, closing

import pytest

from tests.support.held import Ends, clog, connected, heard, some_turns
from ucspi_py.core.verdict import Refuse
from ucspi_py.system import held
from ucspi_py.system.held import Held
from ucspi_py.system.loop import new_loop
from ucspi_py.system.scoreboard import Scoreboard

GREETING = b"220 rblsmtpd.local\r\n"
NO = b"451 no\r\n"
GOODBYE = b"421 4.3.2 too many clients like you, try again later\r\n"


class Clock:
    """A clock that goes on when it is told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now

    def monotonic_ns(self) -> int:
        return int(self.now * 1e9)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The clock of everybody who is held; it is looked at all the time."""
    clock = Clock()
    monkeypatch.setattr(held, "time", clock)
    monkeypatch.setattr(held, "_LOOKS", 0.001)
    return clock


@pytest.fixture
def three() -> Iterator[list[Ends]]:
    """Three connections."""
    with ExitStack() as stack:
        yield [stack.enter_context(connected()) for _ in range(3)]


def run(story: Callable[[Held], Awaitable[None]]) -> None:
    """Play a story; nobody is held afterwards."""

    async def play() -> None:
        everybody = Held(Scoreboard(1, 3), lambda: None)
        async with asyncio.timeout(20):
            await story(everybody)
        assert not everybody.dismiss_oldest()

    with closing(new_loop()) as loop:
        loop.run_until_complete(play())


async def take(everybody: Held, ends: Ends, seconds: int = 60, *, row: int = 1) -> asyncio.Task[object]:
    """Have a client held in a row; it has heard the greeting."""
    task = asyncio.create_task(everybody.talk(row, ends.server, Refuse(451, b"no"), seconds))
    if seconds:
        assert await heard(ends.client, len(GREETING)) == GREETING
    return task


@pytest.mark.usefixtures("clock")
def test_a_client_that_is_held_until_it_quits(three: list[Ends]) -> None:
    """What it has said of itself is given back."""

    async def story(everybody: Held) -> None:
        task = asyncio.create_task(everybody.talk(1, three[0].server, Refuse(451, b"no"), 60))
        assert await heard(three[0].client, len(GREETING)) == GREETING
        three[0].client.send(b"helo x\r\nrcpt\r\nquit\r\n")
        told = await heard(three[0].client, 1000)
        assert told == b"250 rblsmtpd.local\r\n" + NO + b"221 rblsmtpd.local\r\n"
        assert (await task).said == {b"helo": b"x", b"rcpt": b""}
        assert not asyncio.get_running_loop().remove_reader(three[0].server)

    run(story)


def test_without_time_there_is_only_the_refusal(clock: Clock, three: list[Ends]) -> None:
    """-t 0; who does not take it has a second."""

    async def story(everybody: Held) -> None:
        await take(everybody, three[0], 0)
        assert await heard(three[0].client, 100) == NO
        clog(three[1])
        task = await take(everybody, three[1], 0, row=2)
        await some_turns()
        clock.now += 0.9
        await asyncio.sleep(0.005)
        assert not task.done()
        clock.now += 0.1
        await task

    run(story)


@pytest.mark.parametrize("reads", [True, False])
def test_time_is_over(reads: bool, clock: Clock, three: list[Ends]) -> None:
    """For who is silent, and for who does not read; not for who came later."""

    async def story(everybody: Held) -> None:
        first = await take(everybody, three[0], 10)
        if not reads:
            clog(three[0])
            three[0].client.send(b"noop\r\n")
        clock.now += 5
        second = await take(everybody, three[1], 10, row=2)
        clock.now += 4.9
        await asyncio.sleep(0.005)
        assert not first.done()
        clock.now += 0.1
        await first
        assert not second.done()
        clock.now += 5
        await second

    run(story)


@pytest.mark.usefixtures("clock")
def test_who_was_held_longest_goes_first(three: list[Ends]) -> None:
    """With a word; one who has left already is not in the way; with nobody left there is nobody to dismiss."""

    async def story(everybody: Held) -> None:
        tasks = [await take(everybody, ends, row=row) for row, ends in enumerate(three, 1)]
        three[0].client.send(b"quit\r\n")
        await tasks[0]
        for number in (1, 2):
            assert everybody.dismiss_oldest()
            await tasks[number]
            assert [task.done() for task in tasks] == [n <= number for n in range(3)]
            three[number].server.close()
            assert await heard(three[number].client, 100) == GOODBYE
        assert not everybody.dismiss_oldest()

    run(story)


@pytest.mark.usefixtures("clock")
def test_who_resets_is_held_no_longer(three: list[Ends]) -> None:
    """However the client leaves."""

    async def story(everybody: Held) -> None:
        task = await take(everybody, three[0])
        three[0].client.send(b"noop\r\n")
        await some_turns()
        three[0].client.close()  # with something unread: that resets
        await task

    run(story)
