"""Milters of one session over real sockets: their order, what each hears, and what becomes of a message."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterator

import pytest

from tests.support.answering import run
from tests.support.milter import CLOSES, CONTINUE, ScriptedMilter, optneg, scripted_milter
from tests.support.milters.scenes import absent
from tests.support.ports import free_port
from tests.support.waiting import until
from tests.system.test_milted_backend import full_disk
from tests.system.test_milter_client import CLIENT
from ucspi_py.core.gate.milter.content import BODY_LIMIT
from ucspi_py.core.gate.milter.macros import ClientFacts, MacroFacts
from ucspi_py.core.gate.milter.service import parse_milter
from ucspi_py.core.gate.milter.settings import MilterSettings
from ucspi_py.core.milter import events
from ucspi_py.core.milter.changes import RecipientAdded
from ucspi_py.core.milter.dialogue import Answer, Passed
from ucspi_py.core.milter.packet import CHUNK, number, packed
from ucspi_py.core.milter.words import Event, Protocol
from ucspi_py.core.smtp.path import Path
from ucspi_py.core.smtp.reply import reply
from ucspi_py.system.gate.milter.client import MilterClient
from ucspi_py.system.gate.milter.held import HeldMessage
from ucspi_py.system.gate.milter.session_milter import Heard
from ucspi_py.system.gate.milter.session_milters import SessionMilters

FACTS = MacroFacts(
    ClientFacts(hostname=b"mx.example.org", ip=b"192.0.2.1"), queue_id=b"id.1", recipient=Path(b"r", b"example.org")
)
CONTENT = b"From: a@b\r\nSubject: x\r\n\r\n..dot\r\nbody\r\n"
TEMPFAIL = reply(451, b"4.7.1 Service unavailable - try again later")
ADD = packed(b"h", b"X-Spam\0no\0")
Scene = Callable[[SessionMilters], Awaitable[None]]


@pytest.fixture
def milters() -> Iterator[tuple[ScriptedMilter, ScriptedMilter]]:
    """Two milters."""
    with contextlib.ExitStack() as stack:
        yield stack.enter_context(scripted_milter()), stack.enter_context(scripted_milter())


def play(scene: Scene, *words: str) -> list[str]:
    """Play a scene with the milters of a session -> what was said of failures. words: of smtpd_milters."""
    said: list[str] = []
    milters = [parse_milter(word) for word in words]
    clients = [MilterClient(one, one.settings(MilterSettings()), absent, said.append) for one in milters]

    async def session() -> None:
        found = SessionMilters(clients)
        try:
            await scene(found)
        finally:
            found.end()
            for client in clients:
                client.close()
            await asyncio.sleep(0)

    run(session())
    return said


async def until_data(session: SessionMilters) -> None:
    """A client, and its envelope."""
    steps: tuple[tuple[Event, bytes], ...] = (
        (Event.HELO, events.helo(b"client.example")),
        (Event.MAIL, events.address(b"<a@b>")),
        (Event.RCPT, events.address(b"<r@example.org>")),
        (Event.DATA, b""),
    )
    assert await session.connect(CLIENT, FACTS) is Passed.ON
    for event, data in steps:
        assert await tell(session, event, data) is Passed.ON


async def tell(session: SessionMilters, event: Event, data: bytes = b"") -> Answer:
    """Tell an event."""
    return await session.tell(event, data, FACTS)


def passed(
    *words: str, content: bytes = CONTENT, size: int = 1000, limit: int = BODY_LIMIT
) -> tuple[Heard, bytes, list[str]]:
    """A message past milters -> what they say, what is left of it, and what was said of failures."""
    found: list[Heard] = []
    message = HeldMessage()
    for at in range(0, len(content), size):
        message.feed(content[at : at + size])
    message.end()

    async def scene(session: SessionMilters) -> None:
        await until_data(session)
        found.append(await session.hear(message, FACTS, limit, None))

    said = play(scene, *words)
    try:
        return found[0], b"".join(message.content()), said
    finally:
        message.close()


def heard(milter: ScriptedMilter, command: bytes) -> list[bytes]:
    """The data of one kind of packets that a milter has heard."""
    return [one.data for one in milter.heard if one.command == command]


@pytest.mark.parametrize("silent", [0, 1, 2])
def test_a_message_that_nobody_changes(milters: tuple[ScriptedMilter, ScriptedMilter], silent: int) -> None:
    """Each hears all of it, with macros before each event, and it stays as it was; also who says nothing to headers."""
    for milter in milters[:silent]:
        milter.says[b"O"] = optneg(protocol=Protocol.NR_HDR)
        milter.unanswered = {b"L"}
    answer, content, said = passed(*(milter.service for milter in milters))

    assert (answer, content, said) == (Heard(Passed.ON), CONTENT, [])
    for milter in milters:
        assert milter.commands.replace(b"D", b"").rstrip(b"Q") == b"OCHMRTLLNBE"
        assert heard(milter, b"L") == [b"From\0a@b\0", b"Subject\0x\0"]
        assert heard(milter, b"B") == [b".dot\r\nbody\r\n"]
        assert heard(milter, b"D")[-5:] == [kind + b"i\0id.1\0" for kind in (b"L", b"L", b"N", b"B", b"E")]


def test_the_first_refusal_decides(milters: tuple[ScriptedMilter, ScriptedMilter]) -> None:
    """Those behind are not asked; at CONNECT it holds for all that follows."""
    first, second = milters
    first.says[b"C"] = packed(b"y", b"550 5.7.1 Not you\0")

    async def scene(session: SessionMilters) -> None:
        assert await session.connect(CLIENT, FACTS) == reply(550, b"5.7.1 Not you")
        assert await tell(session, Event.HELO) == reply(550, b"5.7.1 Not you")
        assert await tell(session, Event.MAIL) == reply(550, b"5.7.1 Not you")

    assert play(scene, first.service, second.service) == []
    assert second.connections == 0


def test_each_hears_what_the_one_before_has_left(milters: tuple[ScriptedMilter, ScriptedMilter]) -> None:
    """A header of the first is told to the second, and so is its body."""
    first, second = milters
    first.says[b"E"] = ADD + packed(b"b", b".new\n") + packed(b"b", b"body") + packed(b"a")
    second.says[b"E"] = packed(b"m", number(1) + b"Subject\0[spam] x\0") + packed(b"+", b"<copy@b>\0") + CONTINUE

    answer, content, _ = passed(first.service, second.service)

    assert answer == Heard(Passed.ON, (RecipientAdded(b"<copy@b>", b""),))
    assert heard(second, b"L") == [b"From\0a@b\0", b"Subject\0x\0", b"X-Spam\0no\0"]
    assert heard(second, b"B") == [b".new\r\nbody\r\n"]
    assert content == b"From: a@b\r\nSubject: [spam] x\r\nX-Spam: no\r\n\r\n..new\r\nbody\r\n"


@pytest.mark.parametrize("default_action", ["accept", "tempfail"])
def test_a_refusal_before_a_failure(milters: tuple[ScriptedMilter, ScriptedMilter], default_action: str) -> None:
    """What a milter has refused is not let pass because it fails right behind that."""
    first, _ = milters
    first.says[b"C"] = packed(b"r") + CONTINUE

    async def scene(session: SessionMilters) -> None:
        refusal = reply(550, b"5.7.1 Command rejected")
        assert await session.connect(CLIENT, FACTS) == refusal
        for event in (Event.HELO, Event.MAIL):
            assert await tell(session, event) == session.lasting == refusal

    [said] = play(scene, f"{{ {first.service}, default_action={default_action} }}")
    assert "it speaks without being asked" in said


@pytest.mark.parametrize(("action", "answer"), [("tempfail", TEMPFAIL), ("accept", Passed.ON)])
@pytest.mark.parametrize("last", [CLOSES, packed(b"?")])
def test_a_milter_that_dies_at_the_end(
    milters: tuple[ScriptedMilter, ScriptedMilter], action: str, answer: Answer, last: bytes
) -> None:
    """What it has asked for is not done, and its default action is; the next one hears the message as it came."""
    first, second = milters
    first.says[b"E"] = last if last == CLOSES else ADD + packed(b"b", b"half") + last

    found, content, said = passed(f"{{ {first.service}, default_action={action} }}", second.service)

    assert (found, content) == (Heard(answer), CONTENT)
    assert heard(second, b"L") == ([b"From\0a@b\0", b"Subject\0x\0"] if answer is Passed.ON else [])
    assert len(said) == 1


def test_a_milter_that_is_away(milters: tuple[ScriptedMilter, ScriptedMilter]) -> None:
    """Its default action is that of each command; with accept it is as if it were not there."""
    away = f"inet:127.0.0.1:{free_port()}"

    async def scene(session: SessionMilters) -> None:
        assert await session.connect(CLIENT, FACTS) == TEMPFAIL
        assert await tell(session, Event.RCPT) == TEMPFAIL

    assert len(play(scene, away)) == 1
    found, content, said = passed(f"{{ {away}, default_action=accept }}", milters[0].service)
    assert (found, content, len(said)) == (Heard(Passed.ON), CONTENT, 1)


@pytest.mark.parametrize(
    ("command", "said", "answer"),
    [
        (b"L", packed(b"r"), reply(550, b"5.7.1 Command rejected")),
        (b"N", packed(b"t"), TEMPFAIL),
        (b"B", packed(b"d"), Passed.DISCARDED),
        (b"E", ADD + packed(b"y", b"554 5.7.1 Spam\0"), reply(554, b"5.7.1 Spam")),
    ],
)
def test_a_message_that_is_refused(
    milters: tuple[ScriptedMilter, ScriptedMilter], command: bytes, said: bytes, answer: Answer
) -> None:
    """The rest of it is told to nobody, and it stays as it came."""
    first, second = milters
    first.says[command] = said

    assert passed(first.service, second.service)[:2] == (Heard(answer), CONTENT)
    assert first.commands.rstrip(b"Q").endswith(command)
    assert b"L" not in second.commands


def test_what_a_milter_does_not_want(milters: tuple[ScriptedMilter, ScriptedMilter]) -> None:
    """One wants no headers and no body; the other skips the rest of the body."""
    first, second = milters
    first.says[b"O"] = optneg(protocol=Protocol.NOHDRS | Protocol.NOBODY | Protocol.NOEOH | Protocol.NR_MAIL)
    first.unanswered = {b"M"}
    second.says[b"B"] = packed(b"s")

    found, _, said = passed(first.service, second.service, content=CONTENT + b"x" * 69 + b"\r\n" + b"line\r\n" * 50_000)

    assert (found, said) == (Heard(Passed.ON), [])
    assert first.commands.replace(b"D", b"").rstrip(b"Q") == b"OCHMRTE"
    assert [len(data) for data in heard(second, b"B")] == [65535]


def test_macros_that_a_milter_has_chosen(milters: tuple[ScriptedMilter, ScriptedMilter]) -> None:
    """They are sent instead of those of the configuration."""
    first, _ = milters
    first.says[b"O"] = optneg(more=number(3) + b"{client_addr} {nobody_knows}\0")
    passed(first.service)

    assert [data for data in heard(first, b"D") if data.startswith(b"R")] == [b"R{client_addr}\x00192.0.2.1\0"]


def test_refused_recipients(milters: tuple[ScriptedMilter, ScriptedMilter]) -> None:
    """Those are told of them who want to be."""
    first, second = milters
    second.says[b"O"] = optneg(protocol=Protocol.RCPT_REJ)
    refusal = reply(554, b"5.7.1 <r@example.org>: Relay access denied")

    async def scene(session: SessionMilters) -> None:
        await session.connect(CLIENT, FACTS)
        await session.tell_refused(b"<r@example.org>\0", FACTS._replace(refusal=refusal))

    play(scene, first.service, second.service)
    assert b"R" not in first.commands
    assert b"{rcpt_mailer}\0error\0" in heard(second, b"D")[-1]


@pytest.mark.parametrize("size", [1000, 65536])
def test_a_large_message(milters: tuple[ScriptedMilter, ScriptedMilter], size: int) -> None:
    """It is told in pieces of 65,535 bytes, and comes out as it came in."""
    content = CONTENT + b".." + b"x" * 76 + b"\r\n" + (b"..\r\n" + b"y" * 997 + b"\r\n") * 500

    found, left, _ = passed(milters[0].service, content=content, size=size)

    assert found == Heard(Passed.ON)
    assert left == content
    chunks = heard(milters[0], b"B")
    assert {len(chunk) for chunk in chunks[:-1]} == {65535}
    assert b"".join(chunks) == content.partition(b"\r\n\r\n")[2].replace(b"\n..", b"\n.")[1:]


def test_a_large_body_of_a_milter(milters: tuple[ScriptedMilter, ScriptedMilter]) -> None:
    """It goes to a file as it comes; beyond the limit the milter has failed, and the message is as it came."""
    first, second = milters
    first.says[b"E"] = packed(b"b", b"z" * 998 + b"\n") * 500 + CONTINUE

    assert passed(first.service)[1].endswith(b"\r\n\r\n" + (b"z" * 998 + b"\r\n") * 500)
    found, content, said = passed(first.service, second.service, limit=400_000)
    assert (found, content) == (Heard(TEMPFAIL), CONTENT)
    assert "it wants another body of more than 400000 bytes" in said[0]


def test_a_body_for_which_there_is_no_room(milters: tuple[ScriptedMilter, ScriptedMilter]) -> None:
    """The message is given up, and not half of it goes on."""
    milters[0].says[b"E"] = packed(b"b", b"z" * 998 + b"\n") * 500 + CONTINUE

    with full_disk(200_000), pytest.raises(OSError, match="File too large"):
        passed(milters[0].service)


def test_many_headers_that_are_deleted(milters: tuple[ScriptedMilter, ScriptedMilter]) -> None:
    """Others are served meanwhile: signers delete each header of results that a client has forged."""
    first, _ = milters
    first.says[b"E"] = b"".join(packed(b"m", number(nth) + b"a\0\0") for nth in range(1999, 0, -1)) + CONTINUE
    message = HeldMessage()
    message.feed(b"A: x\r\n" * 1999 + b"B: y\r\n\r\n")
    message.end()
    turns = 0

    async def others() -> None:
        nonlocal turns
        while b"E" not in first.commands:
            await asyncio.sleep(0.001)
        while message.headers[:2] == message.headers[1:3]:
            await asyncio.sleep(0)
            turns += 1

    async def scene(session: SessionMilters) -> None:
        await until_data(session)
        served = asyncio.ensure_future(others())
        await session.hear(message, FACTS, BODY_LIMIT, None)
        await served

    play(scene, first.service)
    assert [header.name for header in message.headers] == [b"B"]
    assert turns >= 1990


def test_a_full_disk_is_no_failure_of_a_milter(milters: tuple[ScriptedMilter, ScriptedMilter]) -> None:
    """It is asked about the next message, which a default action of accept would let pass."""
    first, _ = milters
    first.says[b"E"] = packed(b"b", b"z" * 998 + b"\n") * 500 + CONTINUE

    async def scene(session: SessionMilters) -> None:
        await until_data(session)
        message = HeldMessage()
        with full_disk(200_000), pytest.raises(OSError, match="File too large"):
            await session.hear(message, FACTS, BODY_LIMIT, None)
        session.abort()
        first.says[b"M"] = packed(b"r")
        assert await tell(session, Event.MAIL) == reply(550, b"5.7.1 Command rejected")

    assert play(scene, f"{{ {first.service}, default_action=accept }}") == []
    assert first.connections == 1


def test_a_body_without_headers(milters: tuple[ScriptedMilter, ScriptedMilter]) -> None:
    """Where a header is added, the first line of the body is none."""
    milters[0].says[b"E"] = ADD + CONTINUE

    assert passed(milters[0].service, content=b"no header\r\n")[1] == b"X-Spam: no\r\n\r\nno header\r\n"
    assert passed(milters[1].service, content=b"no header\r\n")[1] == b"no header\r\n"


def test_two_messages(milters: tuple[ScriptedMilter, ScriptedMilter]) -> None:
    """What is accepted is one message; a second is told again."""
    first, _ = milters
    first.says[b"M"] = packed(b"a")

    async def scene(session: SessionMilters) -> None:
        for _ in range(2):
            await session.connect(CLIENT, FACTS) if not first.heard else None
            await tell(session, Event.MAIL)
            await tell(session, Event.RCPT)
            session.abort()

    play(scene, first.service)
    until(lambda: first.commands.replace(b"D", b"").rstrip(b"Q") == b"OCMAMA")


def test_room_while_a_milter_thinks(milters: tuple[ScriptedMilter, ScriptedMilter]) -> None:
    """More may come as soon as a piece of the message is told: its answer may take as long as it likes."""
    first, _ = milters
    first.unanswered = {b"B"}
    rooms: list[bool] = []

    async def scene(session: SessionMilters) -> None:
        await until_data(session)
        hearing = session.hearing(FACTS, lambda: rooms.append(True), lambda: None)
        hearing.feed(b"\r\n" + b"x" * 2 * CHUNK)
        assert hearing.is_full
        hearing.go_on()
        async with asyncio.timeout(10):
            while b"B" not in first.commands:
                await asyncio.sleep(0.001)
        assert rooms == [True]
        assert not hearing.is_full
        first.unanswered = set()
        first.say(CONTINUE)
        assert await hearing.end() == Heard(Passed.ON)

    play(scene, first.service)
    assert [len(data) for data in heard(first, b"B")] == [CHUNK, CHUNK]
