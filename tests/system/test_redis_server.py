"""The way to a server, and who gives up on it: in this process, before a server that accepts and never answers."""

import asyncio
import socket
from collections.abc import Iterator

import pytest
from redis.asyncio import ConnectionPool

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
        await asyncio.wait(asked)
        assert len(left) == 8
        await way.close()

    asyncio.run(give_up())
