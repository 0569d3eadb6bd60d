"""What tests of parts share that have a store."""

from collections.abc import Sequence

import pytest

from tests.support.shared_redis import redis, shared_redis
from tests.support.waiting import PATIENCE
from ucspi_py.core.store.change import Tenant
from ucspi_py.system.store import attempts
from ucspi_py.system.store import redis as module

__all__ = ["redis", "shared_redis"]


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Clients wait for a server as long as a busy machine makes them: what it answers is heard."""
    monkeypatch.setattr(attempts, "_FOR_A_SERVER", PATIENCE)


@pytest.fixture
def own_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Changes in a server are made at the time that a test gives them."""
    kept = module.RedisStore

    def store(url: str, tenants: Sequence[Tenant], **_clock: bool) -> module.RedisStore:
        return kept(url, tenants)

    monkeypatch.setattr(module, "RedisStore", store)
