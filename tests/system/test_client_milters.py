"""What milters hear of one client's commands, and what the client hears of that."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator

import pytest

from tests.support.answering import run
from tests.support.milter import CLOSES, CONTINUE, ScriptedMilter, optneg, scripted_milter
from tests.support.milters.scenes import absent
from tests.support.waiting import until
from ucspi_py.core.gate.milter.content import BODY_LIMIT
from ucspi_py.core.gate.milter.envelope import QUARANTINED
from ucspi_py.core.gate.milter.macros import client_facts
from ucspi_py.core.gate.milter.service import parse_milter
from ucspi_py.core.gate.milter.settings import DefaultAction, Limits, MacroTexts, MilterSettings
from ucspi_py.core.gate.restrictions.answers import ClientName
from ucspi_py.core.gate.restrictions.facts import NameStatus
from ucspi_py.core.gate.visitor import Visitor
from ucspi_py.core.milter.packet import number, packed
from ucspi_py.core.milter.words import Protocol
from ucspi_py.core.smtp.envelope import Envelope
from ucspi_py.core.smtp.events import HeloGiven, SenderGiven
from ucspi_py.core.smtp.path import Path
from ucspi_py.core.smtp.reply import Reply, reply
from ucspi_py.system.gate.milter.client import MilterClient
from ucspi_py.system.gate.milter.client_milters import ClientMilters
from ucspi_py.system.gate.milter.held import HeldMessage

ENVIRONMENT = {b"TCPREMOTEPORT": b"4711", b"TCPLOCALIP": b"192.0.2.9", b"TCPLOCALPORT": b"25"}
VISITOR = Visitor(b"client.example", b"192.0.2.1", unique_id=b"id", login=b"me", method=b"PLAIN")
ENVELOPE = Envelope(b"client.example", True, Path(b"a", b"b"), ((b"SIZE", b"100"), (b"SMTPUTF8", None)))
BOB = Path(b"bob", b"example.org")
WHOLE = ENVELOPE._replace(recipients=(BOB,))
LATER = b"4.7.1 Service unavailable - try again later"
REJECTED = reply(550, b"5.7.1 Command rejected")
DISCARDED = reply(250, b"2.0.0 Ok: discarded")
Scene = Callable[[ClientMilters], Awaitable[None]]


@pytest.fixture
def milter() -> Iterator[ScriptedMilter]:
    """A milter."""
    with scripted_milter() as found:
        yield found


def play(
    milter: ScriptedMilter,
    scene: Scene,
    body: int = BODY_LIMIT,
    action: DefaultAction = DefaultAction.TEMPFAIL,
) -> list[str]:
    """Play a scene with the milters of a client -> what was said of failures. body: as of Limits. action: default."""
    said: list[str] = []

    async def session() -> None:
        settings = MilterSettings(default_action=action)
        client = MilterClient(parse_milter(milter.service), settings, absent, said.append)
        facts = client_facts(ENVIRONMENT, VISITOR, b"mx.example.org", MacroTexts())
        milters = ClientMilters([client], Limits(2, body), VISITOR, facts, said.append)
        try:
            await scene(milters)
        finally:
            milters.end()
            client.close()
            await asyncio.sleep(0)

    run(session())
    return said


async def up_to_message(milters: ClientMilters) -> None:
    """A client, and its envelope, against which nothing is."""
    assert await milters.connect() is None
    assert await milters.helo(b"client.example") is None
    assert await milters.mail(ENVELOPE) is None
    assert await milters.recipient(ENVELOPE, BOB) is None
    assert await milters.data(WHOLE) is None


async def message(milters: ClientMilters) -> Reply | Envelope | None:
    """What becomes of a message."""
    held = HeldMessage()
    try:
        held.feed(b"Subject: x\r\n\r\nbody\r\n")
        held.end()
        return await milters.hear(held, WHOLE)
    finally:
        held.close()


def test_a_whole_session(milter: ScriptedMilter) -> None:
    """Commands as they were said, and macros by which a signer decides."""

    async def scene(milters: ClientMilters) -> None:
        await up_to_message(milters)
        assert await message(milters) is None

    assert play(milter, scene) == []
    told = {one.command: one.data for one in milter.heard if one.command != b"D"}
    macros = {one.data[:1]: one.data[1:] for one in milter.heard if one.command == b"D"}
    assert told[b"M"] == b"<a@b>\0SIZE=100\0SMTPUTF8\0"
    assert told[b"R"] == b"<bob@example.org>\0"
    assert b"{daemon_addr}\x00192.0.2.9\0" in macros[b"C"]
    assert b"{auth_authen}\0me\0" in macros[b"M"]
    assert macros[b"T"] == macros[b"E"] == b"i\0id.1\0"


GREETS, SENDS = HeloGiven(b"EHLO", b"client.example", None), SenderGiven(ENVELOPE)


def test_commands_to_which_a_milter_says_nothing(milter: ScriptedMilter) -> None:
    """They pass at once, and it hears them with the next one to which it has an answer; a message before is ended."""
    milter.says[b"O"] = optneg(protocol=Protocol.NR_CONN | Protocol.NR_HELO | Protocol.NR_MAIL)
    milter.unanswered = {b"C", b"H", b"M"}

    async def scene(milters: ClientMilters) -> None:
        assert await milters.connect() is None
        for _ in range(2):
            assert milters.passes(GREETS)
            assert milters.passes(SENDS)
            assert await milters.recipient(ENVELOPE, BOB) is None

    assert play(milter, scene) == []
    until(lambda: milter.commands.endswith(b"Q"))
    assert milter.commands.replace(b"D", b"") == b"OCHMRAHMRQ"


@pytest.mark.parametrize("answered", [b"H", b"M"])
def test_commands_to_which_a_milter_says_something(milter: ScriptedMilter, answered: bytes) -> None:
    """They have to be waited for, and it has not heard of them."""
    protocol = {b"H": Protocol.NR_MAIL, b"M": Protocol.NR_HELO}[answered]
    milter.says[b"O"] = optneg(protocol=protocol)
    milter.unanswered = {b"H", b"M"} - {answered}

    async def scene(milters: ClientMilters) -> None:
        assert await milters.connect() is None
        assert milters.passes(GREETS) == (answered != b"H")
        assert milters.passes(SENDS) == (answered != b"M")

    assert play(milter, scene) == []
    assert answered not in milter.commands


@pytest.mark.parametrize("said", [packed(b"a"), packed(b"d")])
def test_the_message_behind_one_that_a_milter_has_enough_of(milter: ScriptedMilter, said: bytes) -> None:
    """It says nothing more to that one, and something to the next."""
    milter.says[b"M"] = said

    async def scene(milters: ClientMilters) -> None:
        assert await milters.connect() is None
        assert await milters.mail(ENVELOPE) is None
        assert not milters.passes(GREETS)
        assert await milters.helo(b"client.example") is None
        assert not milters.passes(SENDS)
        assert await milters.mail(ENVELOPE) is None
        assert not milters.passes(SENDS)

    assert play(milter, scene) == []


def test_a_milter_that_hung_up_lets_nothing_pass(milter: ScriptedMilter) -> None:
    """Its default action is said at the next command, also where it would have said nothing to that."""
    milter.says[b"O"] = optneg(protocol=Protocol.NR_MAIL)
    milter.unanswered = {b"M"}

    async def scene(milters: ClientMilters) -> None:
        assert await milters.connect() is None
        assert milters.passes(SENDS)
        milter.drop()
        async with asyncio.timeout(10):
            while milters.passes(SENDS):
                await asyncio.sleep(0.001)
        assert await milters.mail(ENVELOPE) == reply(451, LATER)

    play(milter, scene)


@pytest.mark.parametrize(
    ("said", "banner"),
    [
        (packed(b"r"), reply(554, b"mx.example.org ESMTP not accepting connections")),
        (packed(b"4"), reply(421, b"mx.example.org Service unavailable - try again later")),
        (packed(b"t"), None),
    ],
)
def test_a_refused_client(milter: ScriptedMilter, said: bytes, banner: Reply | None) -> None:
    """For good before its banner; for now at MAIL, and never at HELO."""
    milter.says[b"C"] = said

    async def scene(milters: ClientMilters) -> None:
        found = await milters.connect()
        assert (found and found[0]) == banner
        assert found is None or milters.lasting()
        if not banner:
            assert await milters.helo(b"x") is None
            assert await milters.mail(ENVELOPE) == reply(451, b"4.7.1 Service unavailable - try again later")

    play(milter, scene)


def test_a_client_refused_for_good_is_answered(milter: ScriptedMilter) -> None:
    """HELO is; MAIL hears what the milter has said."""
    milter.says[b"C"] = packed(b"r")

    async def scene(milters: ClientMilters) -> None:
        assert await milters.connect() == (reply(554, b"mx.example.org ESMTP not accepting connections"), None)
        assert await milters.helo(b"x") is None
        assert await milters.unknown(b"FOO") == REJECTED
        assert await milters.mail(ENVELOPE) == REJECTED

    play(milter, scene)
    assert milter.commands.count(b"H") == milter.commands.count(b"U") == 0


@pytest.mark.parametrize(("said", "found"), [(CONTINUE, None), (packed(b"r"), REJECTED), (packed(b"d"), None)])
def test_an_unknown_command(milter: ScriptedMilter, said: bytes, found: Reply | None) -> None:
    """A milter hears its name, and may refuse it; the next message is told as ever."""
    milter.says[b"U"] = said

    async def scene(milters: ClientMilters) -> None:
        await milters.connect()
        assert await milters.unknown(b"Foo") == found
        assert milters.lasting() is None
        assert await milters.mail(ENVELOPE) is None
        assert await milters.recipient(ENVELOPE, BOB) is None
        assert await message(milters) is None

    play(milter, scene)
    assert [one.data for one in milter.heard if one.command == b"U"] == [b"Foo\0"]
    assert milter.commands.count(b"E") == 1


def test_a_milter_that_has_failed_lasts(milter: ScriptedMilter) -> None:
    """Its default action holds for all that follows."""
    milter.says[b"M"] = CLOSES

    async def scene(milters: ClientMilters) -> None:
        await milters.connect()
        assert milters.lasting() is None
        assert await milters.mail(ENVELOPE) == milters.lasting() == reply(451, LATER)

    play(milter, scene)


def test_a_refused_name(milter: ScriptedMilter) -> None:
    """HELO is answered, and MAIL is refused."""
    milter.says[b"H"] = packed(b"r")

    async def scene(milters: ClientMilters) -> None:
        await milters.connect()
        assert await milters.helo(b"x") is None
        assert await milters.mail(ENVELOPE) == REJECTED

    play(milter, scene)


@pytest.mark.parametrize("command", [b"M", b"R", b"T", b"L", b"E"])
def test_a_discarded_message(milter: ScriptedMilter, command: bytes) -> None:
    """The client hears nothing of it but at the end, and the next message is told again."""
    milter.says[command] = packed(b"d")

    async def scene(milters: ClientMilters) -> None:
        await up_to_message(milters)
        assert await message(milters) == DISCARDED
        assert await milters.mail(ENVELOPE) is None

    play(milter, scene)
    assert milter.commands.count(b"M") == 2


@pytest.mark.parametrize(
    ("said", "found"),
    [
        (packed(b"q", b"virus\0"), QUARANTINED),
        (packed(b"e", b"<>\0"), WHOLE._replace(sender=Path(b"", None))),
        (packed(b"+", b"carol@example.org\0"), WHOLE._replace(recipients=(BOB, Path(b"carol", b"example.org")))),
        (packed(b"-", b"<bob@example.org>\0"), ENVELOPE),
        (packed(b"+", b"<bob@example.org>\0"), None),
        (packed(b"+", b"no address\0"), reply(451, b"4.3.5 Server configuration problem - try again later")),
    ],
)
def test_another_envelope(milter: ScriptedMilter, said: bytes, found: Reply | Envelope | None) -> None:
    """What milters make of it."""
    milter.says[b"E"] = said + CONTINUE

    async def scene(milters: ClientMilters) -> None:
        await up_to_message(milters)
        assert await message(milters) == found

    play(milter, scene)


@pytest.mark.parametrize("end", [packed(b"a"), CLOSES, CONTINUE])
def test_a_message_to_be_held_stays_so(milter: ScriptedMilter, end: bytes) -> None:
    """At whatever event that was said, and whatever the milter does then; the next message is another one."""
    milter.says |= {b"R": packed(b"q", b"virus\0") + CONTINUE, b"L": end}

    async def scene(milters: ClientMilters) -> None:
        await up_to_message(milters)
        assert await message(milters) == QUARANTINED
        milter.says[b"R"] = CONTINUE
        assert await milters.mail(ENVELOPE) is None
        assert await milters.recipient(ENVELOPE, BOB) is None
        assert await message(milters) is None

    play(milter, scene, action=DefaultAction.ACCEPT)


@pytest.mark.parametrize("command", [b"C", b"H"])
def test_a_client_of_whom_all_is_to_be_held(milter: ScriptedMilter, command: bytes) -> None:
    """As Postfix holds each of its messages."""
    milter.says[command] = packed(b"q", b"virus\0") + packed(b"a")

    async def scene(milters: ClientMilters) -> None:
        await up_to_message(milters)
        for _ in range(2):
            assert await message(milters) == QUARANTINED
            assert await milters.mail(ENVELOPE) is None

    play(milter, scene)


def test_a_dropped_message(milter: ScriptedMilter) -> None:
    """ABORT ends it, once."""

    async def scene(milters: ClientMilters) -> None:
        await up_to_message(milters)
        milters.dropped()
        await milters.mail(ENVELOPE)

    play(milter, scene)
    assert milter.commands.replace(b"D", b"").rstrip(b"Q") == b"OCHMRTAM"


@pytest.mark.parametrize(("protocol", "count"), [(0, 0), (Protocol.RCPT_REJ, 1)])
def test_a_refused_recipient(milter: ScriptedMilter, protocol: int, count: int) -> None:
    """A milter hears of it where it wants to, with the reason in macros."""
    milter.says |= {b"O": optneg(protocol=protocol), b"R": packed(b"r")}

    async def scene(milters: ClientMilters) -> None:
        await milters.connect()
        await milters.mail(ENVELOPE)
        await milters.refused(ENVELOPE, BOB, reply(554, b"5.7.1 <bob@example.org>: Relay access denied"))

    play(milter, scene)
    assert milter.commands.count(b"R") == count
    assert count == any(b"{rcpt_mailer}\0error\0" in one.data for one in milter.heard)


def test_a_dry_run(milter: ScriptedMilter) -> None:
    """Nothing is refused, and each refusal is told."""
    milter.says |= {b"M": packed(b"r"), b"R": packed(b"d"), b"E": packed(b"t")}
    spared: list[tuple[bytes, int, Path | None]] = []

    async def scene(milters: ClientMilters) -> None:
        milters.spare = lambda stage, answer, _about, path: spared.append((stage, answer.code, path))
        await up_to_message(milters)
        assert await message(milters) is None

    play(milter, scene)
    assert spared == [(b"MAIL", 550, None), (b"RCPT", 250, BOB)]


def test_a_name_that_leads_nowhere(milter: ScriptedMilter) -> None:
    """A milter hears the address, and of the name in a macro."""
    milter.says[b"O"] = optneg(more=number(0) + b"_ {client_resolve}\0")

    async def find_name() -> ClientName:
        return ClientName(b"unknown", NameStatus.FORGED, b"client.example", NameStatus.OK)

    async def scene(milters: ClientMilters) -> None:
        milters.find_name = find_name
        await milters.connect()

    play(milter, scene)
    told = {one.command: one.data for one in milter.heard}
    assert told[b"C"].startswith(b"[192.0.2.1]\0")
    assert told[b"D"] == b"C_\0client.example [192.0.2.1] (may be forged)\0{client_resolve}\0FORGED\0"


def test_an_old_milter(milter: ScriptedMilter) -> None:
    """It hears no DATA."""
    milter.says[b"O"] = optneg(2, 0x3F)

    async def scene(milters: ClientMilters) -> None:
        await up_to_message(milters)
        assert await message(milters) is None

    play(milter, scene)
    assert milter.commands.replace(b"D", b"").rstrip(b"Q") == b"OCHMRLNBE"
