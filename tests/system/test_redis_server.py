"""The way to a server, and who gives up on it: in this process, before a server that accepts and never answers."""

import asyncio
import socket
from collections.abc import Iterator
from contextlib import closing

import pytest
from redis.asyncio import ConnectionPool

from tests.support.waiting import PATIENCE
from ucspi_py.system.store.server import redis_server
from ucspi_py.system.store.server.redis_server import RedisServer


@pytest.fixture
def deaf() -> Iterator[str]:
    """The URL of a server that hangs: its kernel alone says anything."""
    with socket.create_server(("127.0.0.1", 0), backlog=100) as listener:
        yield f"redis://127.0.0.1:{listener.getsockname()[1]}/0"


async def turns(number: int) -> None:
    """Let the loop go round so many times."""
    for _ in range(number):
        await asyncio.sleep(0)


def ask(way: RedisServer) -> "asyncio.Task[object]":
    """Have a question asked."""
    return asyncio.ensure_future(way.run("return 1", (), ()))


def test_who_gives_up_before_its_turn_has_nothing_to_leave(deaf: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Thousands may, when a server begins to hang: the connections are left by those that have one."""
    left, disconnect = list[ConnectionPool](), ConnectionPool.disconnect

    async def counted(pool: ConnectionPool, **more: bool) -> None:
        left.append(pool)
        await disconnect(pool, **more)

    monkeypatch.setattr(ConnectionPool, "disconnect", counted)

    async def give_up() -> None:
        way = RedisServer(deaf)
        asked = [ask(way) for _ in range(100)]
        await turns(30)
        for one in reversed(asked):
            one.cancel()
        async with asyncio.timeout(PATIENCE):
            await asyncio.wait(asked)
            while len(left) < 8:
                await asyncio.sleep(0)
        await turns(10)
        assert len(left) == 8
        await way.close()

    asyncio.run(give_up())


@pytest.mark.parametrize("patience", [None, 3600.0])
def test_who_is_cancelled_has_gone_whatever_the_library_is_about(deaf: str, patience: float | None) -> None:
    """Some releases of redis lose a cancellation just behind a connection is made, and wait on."""

    async def give_up() -> None:
        for turn in range(20):
            way = RedisServer(deaf, patience)
            asked = ask(way)
            await turns(turn)
            asked.cancel()
            await asyncio.wait((asked,), timeout=PATIENCE)
            assert asked.cancelled(), turn
            await way.close()

    asyncio.run(give_up())


def test_questions_that_go_on_by_themselves_keep_nobody_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those whose cancellation was lost: their connections are closed, and others have their turn."""
    monkeypatch.setattr(redis_server, "_LOST", 0.01)
    is_well = False

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with closing(writer):
            while await reader.read(1000):
                if is_well:
                    writer.write(b":1\r\n")

    async def give_up() -> None:
        nonlocal is_well
        async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
            way = RedisServer(f"redis://127.0.0.1:{server.sockets[0].getsockname()[1]}/0", None)
            for turn in range(20):
                is_well = False
                asked = [ask(way) for _ in range(8)]
                await turns(turn)
                for one in asked:
                    one.cancel()
                async with asyncio.timeout(PATIENCE):
                    await asyncio.wait(asked)
                    is_well = True
                    assert await ask(way) == 1
            await way.close()

    asyncio.run(give_up())
