"""A Redis server that a file of tests shares, as fixtures: conftest.py of a folder has them."""

from collections.abc import Iterator

import pytest

from .redisserver import RedisServer


@pytest.fixture(scope="module")
def shared_redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """A server that is well again behind each test."""
    with RedisServer(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture
def redis(shared_redis: RedisServer) -> RedisServer:
    """The same with nothing in it, and a clock that is right."""
    shared_redis.empty()
    return shared_redis
