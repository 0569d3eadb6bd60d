"""A milter told of clients over real sockets: deadlines, the breaker, and connections that are kept."""

import asyncio
import contextlib
import socket
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from unittest.mock import patch

import pytest

from tests.support import answering
from tests.support.clock_ahead import ClockAhead
from tests.support.milter import CLOSES, CONTINUE, SILENT, ScriptedMilter, optneg, scripted_milter
from tests.support.milters.dkim import Key, opendkim
from tests.support.milters.scenes import absent
from tests.support.ports import free_port
from tests.support.waiting import until
from ucspi_py.core.gate.milter.service import parse_milter
from ucspi_py.core.gate.milter.settings import MilterSettings
from ucspi_py.core.milter import events
from ucspi_py.core.milter.dialogue import Passed
from ucspi_py.core.milter.failure import MilterFailed
from ucspi_py.core.milter.packet import packed
from ucspi_py.core.milter.words import Event
from ucspi_py.core.smtp.reply import reply
from ucspi_py.system.gate.milter import client as clients
from ucspi_py.system.gate.milter.client import MilterClient
from ucspi_py.system.gate.milter.connection import MilterConnection
from ucspi_py.system.stream import stream

PATIENT = 30.0
#: Seconds that are over at once.
IMPATIENT = 0.05
CLIENT = events.connect(b"client.example", b"192.0.2.1", 4711)


@pytest.fixture(params=["inet", "unix"])
def milter(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[ScriptedMilter]:
    """A milter."""
    with scripted_milter(tmp_path / "socket" if request.param == "unix" else None) as found:
        yield found


@pytest.fixture
def over_inet() -> Iterator[ScriptedMilter]:
    """One over TCP alone, where the kind of socket makes no difference."""
    with scripted_milter() as found:
        yield found


def run(
    service: str, scene: Callable[[MilterClient], Awaitable[None]], settings: MilterSettings | None = None
) -> list[str]:
    """Play a scene with a client of a milter -> what it has said of failures."""
    said: list[str] = []

    async def play() -> None:
        client = MilterClient(parse_milter(service), settings or MilterSettings(), absent, said.append)
        try:
            await scene(client)
        finally:
            client.close()

    answering.run(play())
    return said


async def told(connection: MilterConnection, event: Event, data: bytes = b"", seconds: float = PATIENT) -> object:
    """Tell an event -> the answer."""
    return connection.tell(event, data, b"j\0mx.example\0") or await connection.answer(seconds)


async def greeted(client: MilterClient) -> MilterConnection:
    """A connection of which the client is known."""
    connection = await client.begin()
    assert await told(connection, Event.CONNECT, CLIENT) is Passed.ON
    return connection


async def left(client: MilterClient) -> MilterConnection:
    """A connection of which the client has left within a message."""
    connection = await greeted(client)
    assert await told(connection, Event.MAIL, b"<a@b>\0") is Passed.ON
    connection.dialogue.abort()
    client.end(connection)
    return connection


def test_a_refused_client(milter: ScriptedMilter) -> None:
    """What is told arrives, with its macros before it; the answer is had."""
    milter.says[b"C"] = packed(b"y", b"550 5.7.1 Go away\0")

    async def scene(client: MilterClient) -> None:
        connection = await client.begin()
        assert await told(connection, Event.CONNECT, CLIENT) == reply(550, b"5.7.1 Go away")
        client.end(connection)

    assert run(milter.service, scene) == []
    until(lambda: milter.commands == b"ODCQ")
    assert milter.heard[1].data == b"Cj\0mx.example\0"
    assert milter.heard[2].data == CLIENT


def test_connections_are_kept(over_inet: ScriptedMilter) -> None:
    """Behind a message that came to nothing the next client has the same, with QUIT_NC and without another offer."""

    async def scene(client: MilterClient) -> None:
        for _ in range(3):
            await left(client)

    run(over_inet.service, scene)
    until(lambda: over_inet.commands.endswith(b"K"))

    assert over_inet.commands == b"O" + b"DCDMAK" * 3
    assert over_inet.connections == 1


def test_a_connection_that_nobody_wants(over_inet: ScriptedMilter, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is kept for a while; the next client has another one."""
    monkeypatch.setattr(clients, "_KEPT_SECONDS", IMPATIENT)

    async def scene(client: MilterClient) -> None:
        connection = await left(client)
        while connection.is_open:
            await asyncio.sleep(0.001)
        client.end(await greeted(client))

    assert run(over_inet.service, scene) == []
    assert over_inet.connections == 2


def test_all_connections_have_one_timer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever comes behind the first has none of its own, and leaves none behind."""
    monkeypatch.setattr(stream, "_LOOKS", PATIENT)
    with scripted_milter(tmp_path / "socket") as milter:

        async def scene(client: MilterClient) -> None:
            first = await greeted(client)
            with patch.object(asyncio.get_running_loop(), "call_at", side_effect=AssertionError):
                for connection in [await greeted(client) for _ in range(5)]:
                    client.end(connection)
            client.end(first)

        assert run(milter.service, scene) == []


def test_an_old_milter_is_not_kept(over_inet: ScriptedMilter) -> None:
    """Version 2 knows no QUIT_NC."""
    over_inet.says[b"O"] = optneg(2)

    async def scene(client: MilterClient) -> None:
        for _ in range(2):
            await left(client)

    run(over_inet.service, scene)
    until(lambda: over_inet.commands.count(b"Q") == 2)

    assert over_inet.connections == 2


def test_a_milter_that_was_started_anew(over_inet: ScriptedMilter) -> None:
    """A kept connection that it has closed meanwhile is no failure."""

    async def scene(client: MilterClient) -> None:
        connection = await left(client)
        over_inet.drop()
        while connection.is_open:
            await asyncio.sleep(0.001)
        client.end(await greeted(client))

    assert run(over_inet.service, scene) == []
    assert over_inet.connections == 2


def test_a_client_that_is_left_before_the_answer(over_inet: ScriptedMilter) -> None:
    """Whoever is cancelled takes the connection with it: the answer would be that of another client."""
    over_inet.says[b"H"] = SILENT

    async def scene(client: MilterClient) -> None:
        connection = await greeted(client)
        waiting = asyncio.ensure_future(told(connection, Event.HELO, b"x\0"))
        while b"H" not in over_inet.commands:
            await asyncio.sleep(0.001)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        client.end(connection)
        assert not connection.is_open
        client.end(await greeted(client))

    run(over_inet.service, scene)
    assert over_inet.connections == 2


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        (SILENT, "it said nothing for 0 seconds"),
        (CLOSES, "it has closed the connection"),
        (b"?" * 8, "it sent a packet"),
    ],
)
def test_a_milter_that_fails(over_inet: ScriptedMilter, said: bytes, sentence: str) -> None:
    """The dialogue says why, and the connection is closed."""
    over_inet.says[b"H"] = said

    async def scene(client: MilterClient) -> None:
        connection = await greeted(client)
        assert await told(connection, Event.HELO, b"x\0", IMPATIENT if said == SILENT else PATIENT) is Passed.ON
        assert connection.dialogue.failure
        assert connection.dialogue.failure.sentence.startswith(sentence)
        assert not connection.is_open

    run(over_inet.service, scene)


def test_pieces_are_no_sign_of_life(over_inet: ScriptedMilter) -> None:
    """A packet that is not whole does not begin the time anew."""
    over_inet.says[b"H"] = CONTINUE[:3]

    async def scene(client: MilterClient) -> None:
        connection = await greeted(client)
        await told(connection, Event.HELO, b"x\0", IMPATIENT)
        assert connection.dialogue.failure

    run(over_inet.service, scene)


def test_a_slow_reader(over_inet: ScriptedMilter) -> None:
    """A milter that does not answer pieces of a message is waited for until it has read them."""
    over_inet.says[b"O"] = optneg(protocol=1 << 19)
    over_inet.unanswered = {b"B"}

    async def scene(client: MilterClient) -> None:
        connection = await greeted(client)
        for _ in range(100):
            assert await told(connection, Event.BODY, b"x" * 65535) is Passed.ON
        assert await told(connection, Event.END) is Passed.ON
        client.end(connection)

    run(over_inet.service, scene)
    assert sum(len(heard.data) for heard in over_inet.heard if heard.command == b"B") == 6553500


def test_nobody_listens(monkeypatch: pytest.MonkeyPatch) -> None:
    """A milter that is away is asked again after two seconds, and there is a line a minute."""
    clock = ClockAhead(monkeypatch, clients)

    async def scene(client: MilterClient) -> None:
        for sentence, seconds in (
            ("connection refused", 1.0),
            ("it has just failed", 1.0),
            ("connection refused", 0.0),
        ):
            with pytest.raises(MilterFailed, match=sentence):
                await client.begin()
            clock.go_on(seconds)

    service = f"inet:127.0.0.1:{free_port()}"
    assert run(service, scene) == [f"milter {service}: connection refused; its default action is done, tempfail"]


def test_one_client_finds_out_whether_it_is_well(over_inet: ScriptedMilter, monkeypatch: pytest.MonkeyPatch) -> None:
    """Behind a failure the others do not wait for a milter that is stuck; when it is well, all have it again."""
    clock = ClockAhead(monkeypatch, clients)
    over_inet.says[b"O"] = packed(b"?")

    async def scene(client: MilterClient) -> None:
        with pytest.raises(MilterFailed, match="it answered the offer with"):
            await client.begin()
        over_inet.says[b"O"] = SILENT
        clock.go_on(2.0)
        tries = asyncio.ensure_future(client.begin())
        while over_inet.commands != b"OO":
            await asyncio.sleep(0.001)
        for _ in range(3):
            with pytest.raises(MilterFailed, match="it has just failed"):
                await client.begin()
        over_inet.says[b"O"] = optneg()
        over_inet.say(optneg())
        client.end(await tries)
        client.end(await client.begin())

    assert len(run(over_inet.service, scene)) == 1
    assert over_inet.connections == 3


@pytest.mark.parametrize(("said", "others"), [(CLOSES, "asked"), (packed(b"?"), "asked"), (SILENT, "not asked")])
def test_what_one_client_can_do_to_others(over_inet: ScriptedMilter, said: bytes, others: str) -> None:
    """A message on which a milter hangs up has no other client pass by it; only one that is too slow is left alone."""
    over_inet.says[b"H"] = said

    async def scene(client: MilterClient) -> None:
        connection = await greeted(client)
        await told(connection, Event.HELO, b"x\0", IMPATIENT if said == SILENT else PATIENT)
        assert connection.dialogue.failure
        for _ in range(2):
            client.failed(connection.dialogue.failure)
        if others == "asked":
            client.end(await greeted(client))
        else:
            with pytest.raises(MilterFailed, match="it has just failed"):
                await client.begin()

    assert len(run(over_inet.service, scene)) == 1


def test_a_full_backlog(tmp_path: Path) -> None:
    """A milter that takes nobody on is tried until the time to connect is over; one that does so late is had."""
    with socket.socket(socket.AF_UNIX) as listening, contextlib.ExitStack() as stack:
        listening.bind(str(tmp_path / "socket"))
        listening.listen(0)
        first = stack.enter_context(socket.socket(socket.AF_UNIX))
        first.connect(str(tmp_path / "socket"))

        async def scene(client: MilterClient) -> None:
            waiting = asyncio.ensure_future(client.begin())
            await asyncio.sleep(0)
            assert not waiting.done()
            stack.enter_context(listening.accept()[0])
            milter = stack.enter_context((await asyncio.to_thread(listening.accept))[0])
            milter.sendall(optneg())
            client.end(await waiting)

        assert run(f"unix:{tmp_path}/socket", scene) == []


def test_nobody_is_taken_on(tmp_path: Path) -> None:
    """The time to connect is the limit."""
    with socket.socket(socket.AF_UNIX) as listening, socket.socket(socket.AF_UNIX) as first:
        listening.bind(str(tmp_path / "socket"))
        listening.listen(0)
        first.connect(str(tmp_path / "socket"))

        async def scene(client: MilterClient) -> None:
            with pytest.raises(MilterFailed, match="timed out"):
                await client.begin()

        assert len(run(f"unix:{tmp_path}/socket", scene, MilterSettings(connect_timeout=IMPATIENT))) == 1  # type: ignore[arg-type]


def test_a_milter_that_does_not_agree(over_inet: ScriptedMilter) -> None:
    """What it answers to the offer is no secret."""
    over_inet.says[b"O"] = optneg(9)

    async def scene(client: MilterClient) -> None:
        with pytest.raises(MilterFailed, match="it speaks version 9"):
            await client.begin()

    (line,) = run(over_inet.service, scene)
    assert "it speaks version 9, and was offered 6" in line


def test_a_name_without_an_address() -> None:
    """The name servers are asked."""

    async def scene(client: MilterClient) -> None:
        with pytest.raises(MilterFailed, match="has no address"):
            await client.begin()

    run("inet:milter.example:8891", scene)


@pytest.fixture(scope="module")
def verifier(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Debian's opendkim, which asks no name server for messages without a signature."""
    folder = tmp_path_factory.mktemp("opendkim")
    with opendkim(folder, Key(folder), "AlwaysAddARHeader yes") as service:
        yield service


def test_opendkim(verifier: str) -> None:
    """A milter of the real library takes what it is told, for a second client on a connection of its own.

    With a client opendkim forgets how headers begin.
    """

    async def say(connection: MilterConnection, *steps: tuple[Event, bytes]) -> None:
        for event, data in steps:
            assert await told(connection, event, data) is Passed.ON
            assert connection.dialogue.failure is None, event

    async def scene(client: MilterClient) -> None:
        first = await left(client)
        second = await greeted(client)
        assert second is not first
        agreed = second.dialogue.agreed
        assert agreed
        await say(
            second,
            (Event.HELO, events.helo(b"client.example")),
            (Event.MAIL, events.address(b"<a@client.example>")),
            (Event.RCPT, events.address(b"<r@example.org>")),
            (Event.DATA, b""),
            (Event.HEADER, events.header(b"From", b" a@client.example", has_blank=agreed.has_blank)),
            (Event.EOH, b""),
            (Event.BODY, b"body\r\n"),
            (Event.END, b""),
        )
        (change,) = second.dialogue.take_changes()
        assert b"dkim=none" in change[-1]
        client.end(second)

    assert run(verifier, scene) == []
