"""What pypostgrey loads: what it needs before root is given up, and nothing that it does not need."""

from pathlib import Path

import pytest

from tests.support.late_imports import loaded, noting
from tests.support.nameserver import Records, healthy, lists, running
from tests.support.pypostgrey import Postgrey
from tests.support.redisserver import RedisServer
from tests.support.waiting import until

_ZONES: Records = {**healthy("bl.example.net"), **lists("bl.example.net", "192.0.2.66", text="spam")}


@pytest.mark.parametrize("store", ["sqlite", "redis"])
def test_nothing_is_loaded_once_root_is_given_up(store: str, tmp_path: Path) -> None:
    """Whoever it then is need not be able to read it: ``umask 077; pip install``."""
    program = (*noting("postgrey.commands", tmp_path / "notes"), "pypostgrey")
    with (
        running(_ZONES, tmp_path) as dns,
        RedisServer(tmp_path) as redis,
        Postgrey(
            "--delay=1",
            *("-r", "bl.example.net"),
            store=redis.url if store == "redis" else None,
            variables={"DNSCACHEIP": dns},
            program=program,
        ) as server,
    ):
        assert server.ask(client_address="192.0.2.66") == b"451 4.7.1 spam"
        until(lambda: server.ask().startswith(b"PREPEND"), "the delay")
        (server.folder / "clients").write_text("/^mail\\d+$/\n192.0.2.0/24\n")
        server.hup()
        until(lambda: b"client whitelist" in server.log() or not server.ask(), "the whitelist")
    before, afterwards = loaded(tmp_path / "notes")
    assert {"dns", "redis" if store == "redis" else "sqlite3"} <= before
    assert afterwards == []


def test_without_zones_and_redis_neither_is_loaded(tmp_path: Path) -> None:
    """A process of it is small."""
    program = (*noting("postgrey.commands", tmp_path / "notes"), "pypostgrey")
    with Postgrey(program=program) as server:
        server.ask()
    before, _ = loaded(tmp_path / "notes")
    assert "asyncio" in before
    assert not before & {"dns", "redis", "cdblib"}
