"""The refused clients of one worker over socketpairs: whose time is over, and who goes first."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack, closing
from functools import partial

import pytest

from tests.support.held import Ends, clog, connected, eventually, heard, some_turns
from ucspi_py.core.smtp.refusal import RefusalDialogue
from ucspi_py.core.smtp.verdict import Refuse
from ucspi_py.system.accept.scoreboard import Scoreboard
from ucspi_py.system.process.loop import new_loop
from ucspi_py.system.refuse import held
from ucspi_py.system.refuse.held import Held
from ucspi_py.system.stream import stream as streams
from ucspi_py.system.stream.stream import Stream

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
    monkeypatch.setattr(streams, "time", clock)
    monkeypatch.setattr(streams, "_LOOKS", 0.001)
    return clock


@pytest.fixture
def three() -> Iterator[list[Ends]]:
    """Three connections."""
    with ExitStack() as stack:
        yield [stack.enter_context(connected()) for _ in range(3)]


class Room:
    """A worker's held clients, and the rows of the scoreboard that they have."""

    def __init__(self) -> None:
        self.board = Scoreboard(0, 3)
        self.changes: list[None] = []
        self.held = Held(self.board, lambda: self.changes.append(None))

    async def talk(self, ends: Ends, seconds: int) -> RefusalDialogue:
        """Hold a client in a row of its own; its dialogue afterwards."""
        row = self.board.claim(self.board.pending)
        assert row is not None
        try:
            return await self.held.talk(
                row, partial(Stream, asyncio.get_running_loop(), ends.server), Refuse(451, b"no"), seconds
            )
        finally:
            self.board.give_back(row)

    async def take(self, ends: Ends, seconds: int = 60) -> asyncio.Task[RefusalDialogue]:
        """Have a client held; it has heard the greeting."""
        task = asyncio.create_task(self.talk(ends, seconds))
        if seconds:
            assert await heard(ends.client, len(GREETING)) == GREETING
        return task


def run(story: Callable[[Room], Awaitable[None]]) -> None:
    """Play a story; nobody is held afterwards."""

    async def play() -> None:
        room = Room()
        async with asyncio.timeout(20):
            await story(room)
        assert not room.board.anybody_held()
        assert not room.held.dismiss_oldest()

    with closing(new_loop()) as loop:
        loop.run_until_complete(play())


@pytest.mark.usefixtures("clock")
def test_a_client_that_is_held_until_it_quits(three: list[Ends]) -> None:
    """What it has said of itself is given back."""

    async def story(room: Room) -> None:
        task = asyncio.create_task(room.talk(three[0], 60))
        assert await heard(three[0].client, len(GREETING)) == GREETING
        assert room.board.anybody_held()
        three[0].client.send(b"helo x\r\nrcpt\r\nquit\r\n")
        told = await heard(three[0].client, 1000)
        assert told == b"250 rblsmtpd.local\r\n" + NO + b"221 rblsmtpd.local\r\n"
        assert (await task).said == {b"helo": b"x", b"rcpt": b""}
        assert not asyncio.get_running_loop().remove_reader(three[0].server)

    run(story)


def test_without_time_there_is_only_the_refusal(clock: Clock, three: list[Ends]) -> None:
    """-t 0; who does not take it has a second."""

    async def story(room: Room) -> None:
        await room.take(three[0], 0)
        assert await heard(three[0].client, 100) == NO
        clog(three[1])
        task = await room.take(three[1], 0)
        await eventually(room.board.anybody_held)
        clock.now += 0.9
        await asyncio.sleep(0.005)
        assert not task.done()
        clock.now += 0.1
        await task

    run(story)


@pytest.mark.parametrize("reads", [True, False])
def test_time_is_over(reads: bool, clock: Clock, three: list[Ends]) -> None:
    """For who is silent, and for who does not read; not for who came later."""

    async def story(room: Room) -> None:
        first = await room.take(three[0], 10)
        if not reads:
            clog(three[0])
            three[0].client.send(b"noop\r\n")
        clock.now += 5
        second = await room.take(three[1], 10)
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

    async def story(room: Room) -> None:
        tasks = [await room.take(ends) for ends in three]
        assert len(room.changes) == 3
        three[0].client.send(b"quit\r\n")
        await tasks[0]
        for number in (1, 2):
            assert room.held.dismiss_oldest()
            await tasks[number]
            assert [task.done() for task in tasks] == [n <= number for n in range(3)]
            three[number].server.close()
            assert await heard(three[number].client, 100) == GOODBYE

    run(story)


@pytest.mark.usefixtures("clock")
def test_who_is_asked_to_leave_by_another_worker(three: list[Ends]) -> None:
    """The one that the scoreboard says, with the same word, and nobody else."""

    async def story(room: Room) -> None:
        tasks = [await room.take(ends) for ends in three]
        room.board.dismiss_oldest()
        room.held.dismiss_asked()
        await some_turns()
        assert [task.done() for task in tasks].count(True) == 1
        left = [task.done() for task in tasks].index(True)
        three[left].server.close()
        assert await heard(three[left].client, 100) == GOODBYE
        while room.held.dismiss_oldest():
            await some_turns()
        await asyncio.wait(tasks)

    run(story)


@pytest.mark.usefixtures("clock")
def test_who_resets_is_held_no_longer(three: list[Ends]) -> None:
    """However the client leaves."""

    async def story(room: Room) -> None:
        task = await room.take(three[0])
        three[0].client.send(b"noop\r\n")
        await some_turns()
        three[0].client.close()  # with something unread: that resets
        await task

    run(story)


def test_whoever_is_protected_is_asked_to_leave_no_more(three: list[Ends]) -> None:
    """Neither here nor by another worker; one that has been asked already cannot be protected."""
    left: list[int] = []

    async def story(room: Room) -> None:
        rows = [claimed for _ in three if (claimed := room.board.claim(room.board.pending)) is not None]
        for row in rows:
            room.held.hold(row, partial(left.append, row))
        assert room.held.protect(rows[0])
        assert room.board.dismiss_oldest()
        assert not room.held.protect(rows[1])
        assert room.board.dismiss_oldest()
        assert not room.board.dismiss_oldest()
        room.held.dismiss_asked()
        assert left == [rows[2]]
        room.held.hold(rows[0], partial(left.append, rows[0]))
        assert room.held.dismiss_oldest()
        assert left == [rows[2], rows[0]]
        for row in rows:
            room.board.give_back(row)

    run(story)
