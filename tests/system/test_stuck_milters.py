"""A milter that is stuck: whom it keeps waiting, for how long, and how such a session ends."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.gate_room import (
    BANNER,
    BEGIN,
    MAIL,
    RCPT,
    RELAY,
    STRANGER,
    Clock,
    Guest,
    Room,
    eventually,
    set_by_test,
)
from tests.support.milter import CONTINUE, SILENT, ScriptedMilter, optneg, scripted_milter
from tests.support.milters.scenes import message, play, ways
from ucspi_py.core.gate.maps.names import MapName
from ucspi_py.core.gate.milter.service import parse_milter
from ucspi_py.core.gate.milter.settings import GateMilters

DEFERRED = b"451 4.7.1 Service unavailable - try again later"
LEAVING = b"421 4.3.2 mx.example.org Service not available, try again later"
CONTENT = b"Subject: x\r\n\r\nbody\r\n"
#: A client that smtpd_milter_maps spares.
SPARED = {b"TCPREMOTEIP": b"192.0.2.99"}


@pytest.fixture
def milter() -> Iterator[ScriptedMilter]:
    """A milter."""
    with scripted_milter() as found:
        yield found


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The clock of the gate."""
    return set_by_test(monkeypatch)


def room(folder: Path, milter: ScriptedMilter, own: str = "") -> Room:
    """A gate with a milter; one client has none."""
    (folder / "maps").write_text("192.0.2.99/32 DISABLE\n")
    word = f"{{ {milter.service}, {own} }}" if own else milter.service
    milters = GateMilters((parse_milter(word),), maps=(MapName("cidr", str(folder / "maps")),))
    return Room(folder, milters=milters, ways=ways)


def test_many_wait_and_others_do_not(tmp_path: Path, milter: ScriptedMilter) -> None:
    """Those that a stuck milter is to hear wait as long as it may take; who has none is served meanwhile.

    Those that come behind its failure do not wait for it.
    """
    milter.says[b"O"] = SILENT
    at = room(tmp_path, milter, "command_timeout=1")

    async def scene(at: Room) -> None:
        many = [await at.silent(STRANGER) for _ in range(5)]
        await eventually(lambda: milter.commands.count(b"O") == len(many))
        other = await at.guest(SPARED)
        assert (await other.ask(*BEGIN)).startswith(b"250")
        assert await message(other, CONTENT + b".\r\n") == b"250 queued"
        assert not any(guest.task.done() for guest in many)
        for guest in many:
            assert await guest.line() == BANNER
            assert await guest.ask(b"HELO c", MAIL) == DEFERRED
        asked = milter.connections
        assert await (await at.guest()).ask(b"HELO c", MAIL) == DEFERRED
        assert milter.connections == asked

    play(at, scene)


def test_a_stop_waits_for_the_milter(tmp_path: Path, milter: ScriptedMilter, clock: Clock) -> None:
    """A client that a milter keeps waiting is answered when the process is to end, and then left."""
    milter.says[b"M"] = SILENT
    at = room(tmp_path, milter)

    async def scene(at: Room) -> None:
        guest = await at.guest()
        await guest.ask(b"HELO c")
        await guest.say(MAIL + b"\r\n")
        await eventually(lambda: b"M" in milter.commands)
        at.gate.drain()
        clock.now += 11
        milter.say(CONTINUE)
        assert await guest.line() == b"250 2.1.0 Ok"
        assert await guest.line() == LEAVING
        await guest.gone()

    play(at, scene)


@pytest.mark.parametrize("actions", [0, 0x1FF])
def test_a_stop_in_a_message(tmp_path: Path, milter: ScriptedMilter, clock: Clock, actions: int) -> None:
    """One whose end a milter has not answered comes to its end."""
    milter.says |= {b"O": optneg(actions=actions), b"E": SILENT}
    at = room(tmp_path, milter)

    async def scene(at: Room) -> None:
        guest = await at.guest()
        await guest.ask(*BEGIN)
        assert (await guest.ask(b"DATA")).startswith(b"354 ")
        await guest.say(CONTENT + b".\r\n")
        await eventually(lambda: b"E" in milter.commands)
        at.gate.drain()
        clock.now += 11
        milter.say(CONTINUE)
        assert await guest.line() == b"250 queued"
        assert await guest.line() == LEAVING
        await guest.gone()

    play(at, scene)


def test_a_client_that_is_gone(tmp_path: Path, milter: ScriptedMilter) -> None:
    """Nobody waits for a milter any more."""
    milter.says[b"R"] = SILENT
    at = room(tmp_path, milter)

    async def scene(at: Room) -> None:
        guest = await at.guest()
        await guest.ask(b"HELO c", MAIL)
        await guest.say(RCPT + b"\r\n")
        await eventually(lambda: b"R" in milter.commands)
        guest.reset()
        await guest.gone()

    play(at, scene)


@pytest.mark.parametrize("command", [b"O", b"C"])
def test_a_client_before_its_banner(tmp_path: Path, milter: ScriptedMilter, command: bytes) -> None:
    """One that is left for a newcomer gives its place back at once, however long the milter would still be waited for.

    The next one has the milter, if that is well.
    """
    milter.says[command] = SILENT
    at = room(tmp_path, milter)

    async def scene(at: Room) -> None:
        guest = await at.silent(STRANGER)
        await eventually(lambda: command in milter.commands)
        assert at.held.dismiss_oldest()
        await guest.gone()
        assert await guest.line() == b"421 4.3.2 too many clients, try again later"
        milter.says |= {b"O": optneg(), b"C": CONTINUE}
        assert (await (await at.guest()).ask(*BEGIN)).startswith(b"250")

    play(at, scene)


@pytest.mark.parametrize("command", [b"O", b"C"])
@pytest.mark.parametrize("leave", [Guest.hang_up, Guest.reset])
def test_a_client_that_is_gone_before_its_banner(
    tmp_path: Path, milter: ScriptedMilter, command: bytes, leave: Callable[[Guest], None]
) -> None:
    """Nobody waits for a milter any more; who has only said its last is greeted."""
    milter.says[command] = SILENT
    at = room(tmp_path, milter, "command_timeout=600")

    async def scene(at: Room) -> None:
        guest = await at.silent(STRANGER)
        await eventually(lambda: command in milter.commands)
        leave(guest)
        if leave is Guest.hang_up:
            assert await guest.rest() == [BANNER]
        await guest.gone()

    play(at, scene)


def test_a_client_that_speaks_before_its_banner(tmp_path: Path, milter: ScriptedMilter) -> None:
    """It waits for the milter, and for its refusal, as it may still hear that."""
    milter.says[b"C"] = SILENT
    at = room(tmp_path, milter)

    async def scene(at: Room) -> None:
        stranger, friend = await at.silent(STRANGER), await at.silent(RELAY)
        for guest in (stranger, friend):
            await guest.say(b"HELO c\r\nQUIT\r\n")
            guest.hang_up()
        await eventually(lambda: milter.commands.count(b"C") == 2)
        milter.say(CONTINUE)
        assert await stranger.rest() == [b"554 5.5.0 Error: SMTP protocol synchronization"]
        assert [line[:4] for line in await friend.rest()] == [b"220 ", b"250 ", b"221 "]
        for guest in (stranger, friend):
            await guest.gone()

    play(at, scene)


@pytest.mark.parametrize("actions", [0, 0x1FF])
def test_a_message_whose_client_is_gone(tmp_path: Path, milter: ScriptedMilter, actions: int) -> None:
    """One that is complete is delivered, also where nobody hears of it any more."""
    milter.says |= {b"O": optneg(actions=actions), b"E": SILENT}
    at = room(tmp_path, milter)

    async def scene(at: Room) -> None:
        guest = await at.guest()
        await guest.ask(*BEGIN)
        await guest.ask(b"DATA")
        await guest.say(CONTENT + b".\r\n")
        await eventually(lambda: b"E" in milter.commands)
        guest.reset()
        milter.say(CONTINUE)
        await guest.gone()

    play(at, scene)
    assert b"." in at.heard
