"""What the tests of the gate share, and what begins before all tests of this folder because it takes its time."""

import contextlib
import signal
from collections.abc import Iterator, Sequence

import pytest

from tests.support import long_waits
from tests.support.backends.known import Scripted
from tests.support.long_waits import Leaving, Queue, Unwell
from tests.support.shared_redis import redis, shared_redis
from tests.support.smtp_client import Client

__all__ = ["redis", "shared_redis"]


@pytest.fixture(scope="module")
def backend(tmp_path_factory: pytest.TempPathFactory) -> Scripted:
    """The backend of all."""
    return Scripted(tmp_path_factory.mktemp("backend"))


@pytest.fixture(scope="package")
def long_wait_for_a_slot(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Queue]:
    """A client that wants the slot of another one."""
    with long_waits.waiting_for_a_slot(tmp_path_factory.mktemp("slot")) as begun:
        yield begun


@pytest.fixture(scope="package")
def long_wait_of_a_crowd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sequence[Client]]:
    """Idle clients in all places of a service."""
    with long_waits.crowded(tmp_path_factory.mktemp("places")) as begun:
        yield begun


@pytest.fixture(scope="package")
def long_wait_at_hup(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Leaving]:
    """A service that is told to read everything anew."""
    with long_waits.leaving(tmp_path_factory.mktemp("hup"), signal.SIGHUP) as begun:
        yield begun


@pytest.fixture(scope="package")
def long_wait_at_term(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Leaving]:
    """A service that is told to end."""
    with long_waits.leaving(tmp_path_factory.mktemp("term"), signal.SIGTERM) as begun:
        yield begun


@pytest.fixture(scope="package")
def long_wait_for_a_complaint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Unwell]:
    """A service that screens by a zone that has begun to fail."""
    with long_waits.unwell(tmp_path_factory.mktemp("unwell")) as begun:
        yield begun


@pytest.fixture(scope="package", autouse=True)
def _begin_long_waits(request: pytest.FixtureRequest) -> None:
    """Begin those that a test of this run looks at."""
    wanted = {name for item in request.session.items for name in getattr(item, "fixturenames", ())}
    for name in sorted(wanted):
        if name.startswith("long_wait_"):
            with contextlib.suppress(Exception):  # its own test hears of it again
                request.getfixturevalue(name)
