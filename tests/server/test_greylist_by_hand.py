"""What an operator lets in or has forgotten holds at once for whoever serves meanwhile."""

import asyncio
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.greylist import GREYLIST, LONG, REFUSED, answer, made, serving
from tests.support.redisserver import store_of
from ucspi_py.core.greylist.attempt import Attempt, Deferred, Passed, Verdict
from ucspi_py.core.greylist.triplet.settings import TripletSettings
from ucspi_py.system.greylist.greylister import Greylister


@pytest.fixture(params=["sqlite", "redis"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A store of each kind that nobody has used."""
    with store_of(request.param, Path(made(tmp_path / "db"))) as kept:
        yield kept


def pygreylist(command: str, store: str, *words: str) -> bytes:
    """What a command says."""
    return subprocess.run([GREYLIST, command, "-s", store, *words], capture_output=True, check=True).stdout


def test_a_service_hears_of_it(store: str, tmp_path: Path) -> None:
    """A network that waits is let in, and has to wait once more."""
    with serving(tmp_path, "-s", store, *LONG) as server:
        assert answer(server) == REFUSED
        assert b" waiting " in pygreylist("show", store, "127.0.0.1")

        assert pygreylist("allow", store, "127.0.0.0/24") == b"allowed 127.0.0.0/24\n"
        assert answer(server) == b"welcome\n"

        assert pygreylist("forget", store, "127.0.0.1") == b"forgot 2\n"
        assert answer(server) == REFUSED


@pytest.mark.parametrize(
    "settings",
    [
        TripletSettings(""),
        TripletSettings("", auto_whitelist_clients=0),
        TripletSettings("", auto_whitelist_clients=12),
        TripletSettings("", counts_networks=False),
    ],
    ids=["gate", "counts none", "counts more", "pypostgrey"],
)
def test_triplets_of_a_network_hear_of_it(settings: TripletSettings, tmp_path: Path) -> None:
    """They are let in, however passes are counted, and wait once more; a greylist that has the next network does so."""
    store = made(tmp_path / "db")
    at = Attempt(b"192.0.2.7", b"", b"", b"joe@example.org", b"ann@example.net")

    def judged() -> tuple[Verdict, Verdict]:
        return asyncio.run(_judged(settings, store, at, at._replace(ip=b"192.0.3.7")))

    assert judged() == (Deferred(300, True), Deferred(300, True))
    pygreylist("allow", store, "192.0.2.7")
    here, there = judged()
    assert (isinstance(here, Passed), isinstance(there, Deferred)) == (True, True)

    pygreylist("forget", store, "192.0.2.7")
    assert judged()[0] == Deferred(300, True)
    pygreylist("allow", store, "192.0.2.7", "joe@example.org", "ann@example.net")
    assert judged()[0] == Passed(b"triplet found")


async def _judged(settings: TripletSettings, store: str, *attempts: Attempt) -> tuple[Verdict, Verdict]:
    greylister = Greylister(replace(settings, store=store), pytest.fail)
    await greylister.open()
    try:
        first, second = [await greylister.judge(one) for one in attempts]
        return first, second
    finally:
        await greylister.close()
