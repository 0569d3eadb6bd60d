"""A real server over TLS: what the library does anew for each connection, and waits for, is no client's time."""

import asyncio
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.redisserver import RedisServer, over_tls
from tests.support.waiting import PATIENCE
from ucspi_py.system.store.server.redis_server import RedisServer as Way


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[RedisServer, str]]:
    """A real one, and its URL."""
    with over_tls(tmp_path_factory.mktemp("redis")) as both:
        yield both


def test_authorities_are_read_once(server: tuple[RedisServer, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """However many connections there are, and before the first of them."""
    made, make = list[ssl.SSLContext](), ssl.create_default_context

    def counted() -> ssl.SSLContext:
        made.append(make())
        return made[-1]

    monkeypatch.setattr(ssl, "create_default_context", counted)

    async def ask() -> None:
        way = Way(server[1])
        assert len(made) == 1
        answers = await asyncio.gather(*(way.run("return redis.call('PING')", (), ()) for _ in range(5)))
        assert answers == [b"PONG"] * 5
        await way.close()

    asyncio.run(ask())

    assert len(made) == 1


def test_a_server_that_hangs_is_left_without_a_farewell(server: tuple[RedisServer, str]) -> None:
    """Nobody waits for one on each connection that is open, for as long as a new one may take."""
    redis, url = server

    async def leave() -> None:
        way = Way(f"{url}&socket_connect_timeout={PATIENCE}")
        await asyncio.gather(*(way.run("return 1", (), ()) for _ in range(3)))
        redis.stop()
        async with asyncio.timeout(PATIENCE / 2):
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.01):
                    await way.run("return 1", (), ())
            await way.close()

    try:
        asyncio.run(leave())
    finally:
        redis.go_on()


def test_files_that_are_missing_are_named(tmp_path: Path) -> None:
    """As soon as somebody wants to use them."""
    with pytest.raises(FileNotFoundError):
        Way(f"rediss://localhost:1/0?ssl_ca_certs={tmp_path}/missing")
