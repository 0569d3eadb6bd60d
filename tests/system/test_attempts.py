"""How long a client waits for a store, in a time that goes on by itself."""

import asyncio
import socket
from collections.abc import Awaitable
from contextlib import closing
from pathlib import Path

import pytest

from tests.support.virtual_time import VirtualLoop, run
from ucspi_py.core.metrics.asked import Went
from ucspi_py.system.store import attempts as module
from ucspi_py.system.store.attempts import Attempts
from ucspi_py.system.store.server.redis_server import RedisServer

SERVER, FILE = "redis://192.0.2.1/0", "/var/lib/greylist/db"


@pytest.fixture(autouse=True)
def _nothing_has_failed() -> None:
    module._place.cache_clear()


def loop() -> VirtualLoop:
    """Whose time it is."""
    running = asyncio.get_running_loop()
    assert isinstance(running, VirtualLoop)
    return running


async def nothing_comes() -> str:
    """Hang."""
    answer: asyncio.Future[str] = loop().create_future()
    return await answer


async def well() -> str:
    """Answer."""
    return "well"


async def waited(asked: Awaitable[object]) -> float:
    """How many seconds that took."""
    since = loop().time()
    await asked
    return loop().time() - since


@pytest.mark.parametrize(
    ("place", "seconds"),
    [(SERVER, 0.25), ("unix:///run/redis.sock", 0.25), ("redis+sentinel://a,b/mx/0", 0.25), (FILE, 1.0)],
)
def test_a_client_waits_for_so_long(place: str, seconds: float) -> None:
    """A server that is well answers in milliseconds; a file may have to wait for its disk."""
    told = list[str]()

    async def ask() -> float:
        return await waited(Attempts(place, told.append).ask(nothing_comes, None))

    assert run(ask()) == pytest.approx(seconds)
    assert told == ["timed out"]


@pytest.mark.parametrize("place", [SERVER, FILE])
def test_what_no_client_waits_for_has_a_second(place: str) -> None:
    """As to open a store, before the first client comes, over TLS or from a disk that sleeps."""

    async def insist() -> float:
        return await waited(Attempts(place, lambda _why: None).insist(nothing_comes, None))

    assert run(insist()) == pytest.approx(1.0)


def test_who_comes_behind_a_failure_does_not_wait() -> None:
    """Also a hundred at once; those who came before it have waited together."""
    went = list[Went]()

    async def come() -> tuple[float, float]:
        attempts = Attempts("redis://192.0.2.1/0", lambda _why: None, lambda how, _seconds: went.append(how))
        first = await waited(asyncio.gather(*(attempts.ask(nothing_comes, None) for _ in range(100))))
        return first, await waited(asyncio.gather(*(attempts.ask(nothing_comes, None) for _ in range(100))))

    first, next_ones = run(come())

    assert first == pytest.approx(0.25)
    assert next_ones == 0
    assert went == [Went.FAILED] * 100 + [Went.SKIPPED] * 100


def test_no_more_than_a_thousand_wait_together_for_a_server() -> None:
    """Whatever they ask it; who comes then does not wait, and may again once one has gone; each trouble has a line."""
    told, went = list[str](), list[Went]()

    async def come() -> tuple[float, float, str]:
        one, other = (
            Attempts(f"{SERVER[:-1]}{number}", told.append, lambda how, _seconds: went.append(how)) for number in (0, 1)
        )
        asked = [asyncio.ensure_future(one.ask(nothing_comes, "late")) for _ in range(1000)]
        await asyncio.sleep(0)
        too_many = await waited(asyncio.gather(*(other.ask(well, "late") for _ in range(3))))
        asked.pop().cancel()
        await asyncio.sleep(0)
        in_place = await other.ask(well, "late")
        return too_many, await waited(asyncio.gather(*asked)), in_place

    too_many, waited_for, in_place = run(come())

    assert (too_many, waited_for) == pytest.approx((0, 0.25))
    assert in_place == "well"
    assert went == [Went.SKIPPED] * 3 + [Went.ANSWERED] + [Went.FAILED] * 999
    assert told == ["1000 clients wait for it already", "timed out"]


def test_as_many_wait_for_a_file_as_come() -> None:
    """It takes them one after the other, and each has a second."""

    async def come() -> float:
        attempts = Attempts(FILE, lambda _why: None)
        return await waited(asyncio.gather(*(attempts.ask(nothing_comes, None) for _ in range(2000))))

    assert run(come()) == pytest.approx(1.0)


def test_a_library_is_no_time_of_the_store_s() -> None:
    """What is loaded or made ready before the store hears of anything does not count."""

    async def ask() -> str:
        async def answer() -> str:
            await asyncio.sleep(0.2)
            return "well"

        def load() -> Awaitable[str]:
            loop().hold_up(10.0)
            return answer()

        return await Attempts(SERVER, pytest.fail).ask(load, "late")

    assert run(ask()) == "well"


@pytest.mark.parametrize("held_up", [0.1, 10.0])
def test_an_answer_that_is_there_is_heard(held_up: float) -> None:
    """Also by a process that had no turn when it came, nor until long behind the deadline: its store is well."""

    async def ask() -> bytes:
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        with ours, theirs:
            loop().call_later(0.2, theirs.sendall, b"well")
            loop().call_later(0.2, loop().hold_up, held_up)
            return await Attempts(SERVER, pytest.fail).ask(lambda: loop().sock_recv(ours, 9), b"late")

    assert run(ask()) == b"well"


@pytest.mark.parametrize("held_up", [0.1, 10.0])
def test_an_answer_of_a_server_that_is_there_is_heard(held_up: float, tmp_path: Path) -> None:
    """As above, through the library, which takes some turns of the loop."""
    delay = 0.0

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with closing(writer):
            while await reader.read(1000):
                loop().call_later(delay, writer.write, b":1\r\n")
                loop().call_later(delay, loop().hold_up, held_up if delay else 0.0)

    async def ask() -> object:
        nonlocal delay
        async with await asyncio.start_unix_server(answer, tmp_path / "redis"):
            way, attempts = RedisServer(f"unix://{tmp_path}/redis", None), Attempts(SERVER, pytest.fail)
            await attempts.insist(lambda: way.run("return 1", (), ()), None)
            delay = 0.2
            heard = await attempts.ask(lambda: way.run("return 1", (), ()), "late")
            await way.close()
            return heard

    assert run(ask()) == 1


def test_a_client_waits_for_one_of_the_stores_of_a_server_alone() -> None:
    """Whatever they keep, in whichever database: the others are left alone with it, until one has an answer."""
    went, told = list[tuple[str, Went]](), list[tuple[str, str]]()

    def attempts(name: str, place: str) -> Attempts:
        return Attempts(place, lambda why: told.append((name, why)), lambda how, _seconds: went.append((name, how)))

    async def come() -> float:
        fleet, grants = attempts("fleet", "redis://192.0.2.2/2"), attempts("grants", "redis://joe:s3cret@192.0.2.2/0")
        other = attempts("other", "redis://192.0.2.3/0")
        seconds = await waited(fleet.ask(nothing_comes, None)) + await waited(grants.ask(nothing_comes, None))
        await other.ask(well, None)
        await grants.insist(well, None)
        await grants.ask(well, None)
        return seconds

    assert run(come()) == pytest.approx(0.25)
    assert went == [
        ("fleet", Went.FAILED),
        ("grants", Went.SKIPPED),
        ("other", Went.ANSWERED),
        ("grants", Went.ANSWERED),
    ]
    assert told == [("fleet", "timed out"), ("grants", "timed out")]


def test_what_a_server_refuses_one_store_it_refuses_no_other() -> None:
    """As where a user may do less: nobody has waited for that, also behind a time in which it hung."""
    went = list[tuple[str, Went]]()

    async def refused() -> None:
        raise ConnectionError("NOPERM")

    async def come() -> None:
        one = Attempts("redis://192.0.2.1/2", lambda _why: None, lambda how, _seconds: went.append(("one", how)))
        other = Attempts("redis://192.0.2.1/0", pytest.fail, lambda how, _seconds: went.append(("other", how)))
        await one.ask(nothing_comes, None)
        await one.insist(refused, None)
        await other.ask(well, None)

    run(come())

    assert went == [("one", Went.FAILED), ("other", Went.ANSWERED)]
