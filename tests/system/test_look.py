"""One record of a store, read and left as it is."""

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.redisserver import RedisServer
from ucspi_py.core.client.limits import NETWORK
from ucspi_py.core.errors import Failure
from ucspi_py.core.greylist.settings import GreylistSettings
from ucspi_py.core.greylist.visit import TENANT, Visit
from ucspi_py.core.store.change import Row
from ucspi_py.system.store import look
from ucspi_py.system.store.records import keeper

SETTINGS = GreylistSettings("", 300, 172800, 3024000, NETWORK, 60)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """A Valkey or Redis server."""
    with RedisServer(tmp_path_factory.mktemp("redis")) as running:
        yield running


def found(place: str, network: str) -> Row | None:
    """What is remembered of a network."""
    return asyncio.run(look.record(place, TENANT, network))


async def _visit(place: str, network: str, *seconds: int) -> None:
    store = keeper(place)(place, (TENANT,))
    for second in seconds:
        await store.update(network, Visit(second, SETTINGS))
    await store.close()


@pytest.mark.parametrize("kind", ["file", "server"])
def test_what_is_remembered_is_found(kind: str, server: RedisServer, tmp_path: Path) -> None:
    """First contact and acceptance, as the greylist has written them; who is not there stays away."""
    place = server.url if kind == "server" else str(tmp_path / "a db?#%")
    now = int(time.time())
    asyncio.run(_visit(place, "192.0.2.0/24", now - 1000))
    asyncio.run(_visit(place, "198.51.100.0/24", now - 1000, now - 100))

    for _ in range(2):
        assert found(place, "192.0.2.0/24") == (now - 1000, None)
        assert found(place, "198.51.100.0/24") == (now - 1000, now - 100)
        assert found(place, "203.0.113.0/24") is None


def test_a_file_that_is_missing_is_not_made(tmp_path: Path) -> None:
    """There is no record, as the server will find."""
    assert found(str(tmp_path / "db"), "192.0.2.0/24") is None
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("place", ["FOLDER", "FOLDER/text", "FOLDER/text/db", "redis://127.0.0.1:1/0"])
def test_what_cannot_be_read_is_said(place: str, tmp_path: Path) -> None:
    """With the store as the log names it."""
    (tmp_path / "text").write_text("no database, whatever it is called, of any kind" * 100)
    place = place.replace("FOLDER", str(tmp_path))

    with pytest.raises(Failure) as failure:
        found(place, "192.0.2.0/24")

    assert failure.value.sentence.startswith(f"unable to read {place}: ")
    assert failure.value.exit_code == 111
