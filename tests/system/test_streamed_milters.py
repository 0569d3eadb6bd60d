"""Messages that no milter may change: streamed to the backend while milters hear of them, and never ended in vain."""

import asyncio
import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.gate_room import BEGIN, MAIL, OBLIGING, RCPT, Guest, Room, eventually
from tests.support.milter import CLOSES, CONTINUE, SILENT, ScriptedMilter, optneg, scripted_milter
from tests.support.milters.scenes import message, play, sent, ways
from tests.support.waiting import until
from tests.system.test_gate_milters import SPAM
from ucspi_py.core.gate.content.settings import ContentSettings
from ucspi_py.core.gate.maps.names import MapName
from ucspi_py.core.gate.milter.service import parse_milter
from ucspi_py.core.gate.milter.settings import GateMilters
from ucspi_py.core.milter.packet import CHUNK, packed
from ucspi_py.core.milter.words import Actions, Protocol

LOOKS = optneg(actions=0)
HEADERS, BODY, DOT = b"From: a@b\r\nSubject: x\r\n\r\n", b"body\r\n", b".\r\n"
#: Reads a large message in no time.
QUICK = "until_dot() { sed '/^\\.\\r*$/q' >>\"$OUT\"; }\n" + OBLIGING
#: Reads on, and ends in the midst of it.
DYING = """s '220 here'
while h; do case $line in
    DATA*) s '354 go'; cat <&0 >/dev/null & while ! [ -e "$OUT.dies" ]; do sleep 0.01; done; kill $!; exit;;
    *) s '250 ok';;
esac; done
"""
#: More than waits anywhere between a client and its backend.
LARGE = (b"x" * 998 + b"\r\n") * 8000
DEFERRED = b"451 4.7.1 Service unavailable - try again later"


@pytest.fixture
def milters() -> Iterator[tuple[ScriptedMilter, ScriptedMilter]]:
    """Two milters that only look."""
    with contextlib.ExitStack() as stack:
        found = stack.enter_context(scripted_milter()), stack.enter_context(scripted_milter())
        for milter in found:
            milter.says[b"O"] = LOOKS
        yield found


def room(
    folder: Path,
    *milters: ScriptedMilter,
    content: ContentSettings | None = None,
    dry_run: bool = False,
    content_limit: int | None = None,
    script: str = OBLIGING,
) -> Room:
    """A gate with milters."""
    asked = GateMilters(tuple(parse_milter(milter.service) for milter in milters))
    return Room(folder, script, milters=asked, ways=ways, content=content, dry_run=dry_run, content_limit=content_limit)


async def begun(at: Room) -> Guest:
    """A client behind its 354."""
    guest = await at.guest()
    assert (await guest.ask(*BEGIN)).startswith(b"250")
    assert (await guest.ask(b"DATA")).startswith(b"354 ")
    return guest


async def left(guest: Guest) -> None:
    """Its client says goodbye."""
    await guest.ask(b"QUIT")
    await guest.gone()


@pytest.mark.parametrize("silent", [0, 1, 2])
def test_a_message_is_streamed(tmp_path: Path, milters: tuple[ScriptedMilter, ScriptedMilter], silent: int) -> None:
    """Backend and milters have what came while the client still thinks about the rest; also who answers no header."""
    for milter in milters[:silent]:
        milter.says[b"O"] = optneg(actions=0, protocol=Protocol.NR_HDR)
        milter.unanswered = {b"L"}
    at = room(tmp_path, *milters)

    async def scene(at: Room) -> None:
        guest = await begun(at)
        await guest.say(HEADERS + BODY)
        await eventually(lambda: b"body" in at.heard and all(one.commands.endswith(b"LDN") for one in milters))
        await guest.say(BODY + DOT)
        assert await guest.line() == b"250 queued"
        await left(guest)

    play(at, scene)
    for milter in milters:
        assert milter.commands.replace(b"D", b"").rstrip(b"Q") == b"OCHMRTLLNBE"
        assert [one.data for one in milter.heard if one.command == b"B"] == [BODY * 2]
    assert sent(at) == (HEADERS + BODY * 2).split(b"\r\n")[:-1]


def test_who_wants_no_content(tmp_path: Path, milters: tuple[ScriptedMilter, ScriptedMilter]) -> None:
    """It is told none, and asked at the end."""
    milters[0].says[b"O"] = optneg(actions=0, protocol=Protocol.NOHDRS | Protocol.NOEOH | Protocol.NOBODY)
    at = room(tmp_path, milters[0])

    async def scene(at: Room) -> None:
        guest = await begun(at)
        await guest.say(HEADERS + BODY + DOT)
        assert await guest.line() == b"250 queued"
        await left(guest)

    play(at, scene)
    assert milters[0].commands.replace(b"D", b"").rstrip(b"Q") == b"OCHMRTE"


@pytest.mark.parametrize("command", [b"L", b"N", b"B", b"E"])
@pytest.mark.parametrize(
    ("said", "heard"), [(SPAM, b"554 5.7.1 Spam"), (packed(b"d"), b"250 2.0.0 Ok: discarded"), (CLOSES, DEFERRED)]
)
def test_a_refused_message(
    tmp_path: Path, milters: tuple[ScriptedMilter, ScriptedMilter], command: bytes, said: bytes, heard: bytes
) -> None:
    """The backend never hears its end; the next message of the session has another backend."""
    milters[0].says[command] = said
    at = room(tmp_path, *milters)

    async def scene(at: Room) -> None:
        guest = await begun(at)
        await guest.say(HEADERS)
        await guest.say(BODY + DOT)
        assert await guest.line() == heard
        assert b"." not in at.heard
        del milters[0].says[command]
        if said != CLOSES:
            await guest.ask(MAIL, RCPT)
            assert await message(guest, HEADERS + BODY + DOT) == b"250 queued"
        await left(guest)

    play(at, scene)
    assert at.heard.count(b".") == (said != CLOSES)
    assert at.heard.count(b"DATA") == 1 + (said != CLOSES)


def test_a_refusal_in_the_midst(tmp_path: Path, milters: tuple[ScriptedMilter, ScriptedMilter]) -> None:
    """The backend is left at once, and the rest of the message goes nowhere."""
    milters[0].says[b"L"] = SPAM
    at = room(tmp_path, *milters)

    async def scene(at: Room) -> None:
        guest = await begun(at)
        await guest.say(HEADERS)
        await eventually(lambda: at.guests[0].backends.statuses)
        await guest.say(LARGE + DOT)
        assert await guest.line() == b"554 5.7.1 Spam"
        await left(guest)

    play(at, scene)
    until(lambda: milters[0].commands.replace(b"D", b"").startswith(b"OCHMRTLA"))
    assert b"L" not in milters[1].commands


def test_the_first_milter_decides(tmp_path: Path, milters: tuple[ScriptedMilter, ScriptedMilter]) -> None:
    """What it says at the end comes before what the second says at a header, which is heard no further."""
    milters[0].says[b"E"] = SPAM
    milters[1].says[b"L"] = packed(b"t")
    at = room(tmp_path, *milters)

    async def scene(at: Room) -> None:
        guest = await begun(at)
        await guest.say(HEADERS + BODY + DOT)
        assert await guest.line() == b"554 5.7.1 Spam"
        await left(guest)

    play(at, scene)
    assert milters[0].commands.replace(b"D", b"").rstrip(b"Q") == b"OCHMRTLLNBE"
    until(lambda: milters[1].commands.replace(b"D", b"").startswith(b"OCHMRTLA"))


def test_the_second_milter_is_heard(tmp_path: Path, milters: tuple[ScriptedMilter, ScriptedMilter]) -> None:
    """What it has said of a header is the answer where the first lets the message go on."""
    milters[1].says[b"L"] = packed(b"t")
    at = room(tmp_path, *milters)

    async def scene(at: Room) -> None:
        guest = await begun(at)
        await guest.say(HEADERS + BODY + DOT)
        assert await guest.line() == DEFERRED
        await left(guest)

    play(at, scene)
    assert b"." not in at.heard


@pytest.mark.parametrize("command", [b"M", b"R", b"T"])
def test_a_message_that_is_discarded_early(
    tmp_path: Path, milters: tuple[ScriptedMilter, ScriptedMilter], command: bytes
) -> None:
    """No backend hears of its content, and no milter."""
    milters[0].says[command] = packed(b"d")
    at = room(tmp_path, milters[0])

    async def scene(at: Room) -> None:
        guest = await begun(at)
        await guest.say(HEADERS + LARGE + DOT)
        assert await guest.line() == b"250 2.0.0 Ok: discarded"
        await left(guest)

    play(at, scene)
    assert b"DATA" not in at.heard
    assert b"E" not in milters[0].commands


def test_who_has_accepted_changes_nothing(tmp_path: Path, milters: tuple[ScriptedMilter, ScriptedMilter]) -> None:
    """A message is not held for a milter that wants to hear no more of it."""
    milters[0].says |= {b"O": optneg(actions=Actions.CHGBODY), b"R": packed(b"a")}
    at = room(tmp_path, milters[0])

    async def scene(at: Room) -> None:
        guest = await begun(at)
        await guest.say(HEADERS + BODY)
        await eventually(lambda: b"body" in at.heard)
        await guest.say(DOT)
        assert await guest.line() == b"250 queued"
        await left(guest)

    play(at, scene)


def test_one_that_may_change_has_it_held(tmp_path: Path, milters: tuple[ScriptedMilter, ScriptedMilter]) -> None:
    """The backend hears DATA when all milters have let the message go on."""
    milters[1].says |= {b"O": optneg(actions=Actions.ADDHDRS), b"E": SPAM}
    at = room(tmp_path, *milters)

    async def scene(at: Room) -> None:
        guest = await begun(at)
        await guest.say(HEADERS + BODY + DOT)
        assert await guest.line() == b"554 5.7.1 Spam"
        await left(guest)

    play(at, scene)
    assert b"DATA" not in at.heard


def test_a_stuck_milter_holds_its_client_back(tmp_path: Path, milters: tuple[ScriptedMilter, ScriptedMilter]) -> None:
    """No more is read than fits; when it answers, all goes on, and other clients were served meanwhile."""
    milters[0].unanswered = {b"B"}
    at = room(tmp_path, milters[0], script=QUICK)

    async def scene(at: Room) -> None:
        guest, other = await begun(at), await at.guest()
        pushing = asyncio.ensure_future(guest.say(HEADERS + LARGE + DOT))
        await eventually(lambda: b"B" in milters[0].commands)
        assert (await other.ask(*BEGIN)).startswith(b"250")
        assert await message(other, HEADERS + DOT) == b"250 queued"
        assert not pushing.done()
        assert milters[0].commands.count(b"B") == 1
        assert at.out.stat().st_size < len(LARGE) / 10
        milters[0].unanswered = set()
        milters[0].say(CONTINUE)
        await pushing
        assert await guest.line() == b"250 queued"
        await left(guest)
        await left(other)

    play(at, scene)
    bodies = [one.data for one in milters[0].heard if one.command == b"B"]
    assert b"".join(bodies) == LARGE
    assert {len(body) for body in bodies[:-1]} == {CHUNK}


def test_a_skipped_body(tmp_path: Path, milters: tuple[ScriptedMilter, ScriptedMilter]) -> None:
    """The rest of it is told to nobody, and streamed."""
    milters[0].says[b"B"] = packed(b"s")
    at = room(tmp_path, milters[0], script=QUICK)

    async def scene(at: Room) -> None:
        guest = await begun(at)
        await guest.say(HEADERS + LARGE + DOT)
        assert await guest.line() == b"250 queued"
        await left(guest)

    play(at, scene)
    assert milters[0].commands.count(b"B") == 1
    assert len(sent(at)) == 3 + LARGE.count(b"\n")


def test_a_client_that_leaves(tmp_path: Path, milters: tuple[ScriptedMilter, ScriptedMilter]) -> None:
    """In the midst of a message that a milter has not answered: nothing is queued, and nobody waits."""
    milters[0].says[b"L"] = SILENT
    at = room(tmp_path, milters[0])

    async def scene(at: Room) -> None:
        guest = await begun(at)
        await guest.say(HEADERS + BODY)
        await eventually(lambda: b"L" in milters[0].commands)
        guest.reset()
        await guest.gone()

    play(at, scene)
    assert b"." not in at.heard


def test_a_message_that_is_too_large(tmp_path: Path, milters: tuple[ScriptedMilter, ScriptedMilter]) -> None:
    """The size limit refuses it in the midst; the milter hears of the next one when it has answered."""
    at = room(tmp_path, milters[0], content_limit=5000)

    async def scene(at: Room) -> None:
        guest = await begun(at)
        await guest.say(HEADERS + LARGE[:9000] + DOT)
        assert (await guest.line()).startswith(b"552 ")
        await guest.ask(MAIL, RCPT)
        assert await message(guest, HEADERS + BODY + DOT) == b"250 queued"
        await left(guest)

    play(at, scene)
    assert at.heard.count(b".") == 1
    assert milters[0].connections == 1


def test_checks_refuse_what_is_streamed(tmp_path: Path, milters: tuple[ScriptedMilter, ScriptedMilter]) -> None:
    """A body check that does not like a line: the milter hears no end, and of the next message."""
    (tmp_path / "body").write_text("/bad/ REJECT\n")
    checks = ContentSettings(body_checks=(MapName("pcre", str(tmp_path / "body")),))
    at = room(tmp_path, milters[0], content=checks)

    async def scene(at: Room) -> None:
        guest = await begun(at)
        await guest.say(HEADERS + b"bad\r\n" + BODY + DOT)
        assert (await guest.line()).startswith(b"550 5.7.1")
        await guest.ask(MAIL, RCPT)
        assert await message(guest, HEADERS + BODY + DOT) == b"250 queued"
        await left(guest)

    play(at, scene)
    assert milters[0].commands.count(b"E") == 1
    assert at.heard.count(b".") == 1


@pytest.mark.parametrize(
    ("said", "script", "heard"),
    [
        (packed(b"a"), QUICK, b"250 queued"),
        (packed(b"s"), QUICK, b"250 queued"),
        (packed(b"r"), QUICK, b"550 5.7.1 Command rejected"),
        (CONTINUE, DYING, b"451 4.3.0 The mail system is not available, try again later"),
    ],
)
def test_nobody_wants_what_waits(
    tmp_path: Path, milters: tuple[ScriptedMilter, ScriptedMilter], said: bytes, script: str, heard: bytes
) -> None:
    """What waits for a milter that wants no more, or for nobody any more, is thrown away; the rest still comes."""
    milters[0].says |= {b"O": optneg(actions=0, protocol=Protocol.SKIP), b"B": SILENT}
    at = room(tmp_path, milters[0], script=script)

    async def scene(at: Room) -> None:
        guest = await begun(at)
        sending = asyncio.ensure_future(guest.say(HEADERS + LARGE + DOT))
        [conversation] = at.gate._conversations
        end = conversation._client
        await eventually(lambda: b"B" in milters[0].commands and end._time.waits_since is not None)
        (tmp_path / "out.dies").touch()
        if script is DYING:
            await eventually(lambda: guest.backends.statuses)
        milters[0].say(said)
        await sending
        assert await guest.line() == heard
        await left(guest)

    play(at, scene)


def test_a_dry_run(tmp_path: Path, milters: tuple[ScriptedMilter, ScriptedMilter]) -> None:
    """A refusal in the midst stops nothing."""
    milters[0].says[b"L"] = SPAM
    at = room(tmp_path, milters[0], dry_run=True)

    async def scene(at: Room) -> None:
        guest = await begun(at)
        await guest.say(HEADERS)
        await guest.say(BODY + DOT)
        assert await guest.line() == b"250 queued"
        await left(guest)

    play(at, scene)
    assert sent(at) == (HEADERS + BODY).split(b"\r\n")[:-1]


@pytest.mark.parametrize(
    "change",
    [
        packed(b"-", b"<r@example.org>\0"),
        packed(b"+", b"<no@example.org>\0"),
        packed(b"+", b"nobody at all\0"),
        packed(b"q", b"why\0"),
    ],
)
def test_a_dry_run_of_changes(tmp_path: Path, milters: tuple[ScriptedMilter, ScriptedMilter], change: bytes) -> None:
    """Headers that a milter adds stay, as with PREPEND; nobody is refused or forgotten because of another envelope."""
    milters[0].says |= {b"O": optneg(), b"E": packed(b"h", b"X-Seen\0yes\0") + change + CONTINUE}
    at = room(tmp_path, milters[0], dry_run=True)

    async def scene(at: Room) -> None:
        guest = await begun(at)
        await guest.say(HEADERS + BODY + DOT)
        assert await guest.line() == b"250 queued"
        await left(guest)

    play(at, scene)
    assert b"X-Seen: yes" in sent(at)
    assert [line for line in at.heard if line.startswith(b"RCPT")] == [RCPT]
