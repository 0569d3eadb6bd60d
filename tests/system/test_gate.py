"""All sessions of one process at the gate: whose time is over, and who is left when the process ends."""

from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.support.admission import Lines
from tests.support.gate import controls
from tests.support.gate_room import (
    BEGIN,
    MAIL,
    OBLIGING,
    RCPT,
    RELAY,
    WHO,
    Clock,
    Guest,
    Room,
    eventually,
    looked_at,
    play,
    set_by_test,
)
from ucspi_py.core.errors import AskedWrongly, Failure
from ucspi_py.core.gate.settings import GateSettings
from ucspi_py.system.gate import client_end
from ucspi_py.system.gate.gate import check

TIMED_OUT = b"421 4.4.2 mx.example.org Error: timeout exceeded"
LEAVING = b"421 4.3.2 mx.example.org Service not available, try again later"


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The gate's clock."""
    return set_by_test(monkeypatch)


def _has_heard(room: Room, line: bytes) -> bool:
    return line in room.heard


async def stays(guest: Guest) -> None:
    """It is looked at, and has its time still."""
    await looked_at()
    assert not guest.task.done()


async def goes(guest: Guest, last: bytes) -> None:
    """It hears why it has to leave, and is left."""
    assert await guest.line() == last
    assert await guest.line() == b""
    await guest.gone()


# A client's time


def test_a_silent_client_is_left_with_a_word(clock: Clock, tmp_path: Path) -> None:
    """After smtpd_timeout from its last whole command on; half a command is silence."""

    async def story(room: Room) -> None:
        guest = await room.guest()
        clock.now += 299
        await stays(guest)
        await guest.ask(b"HELO c.example")
        clock.now += 299
        await stays(guest)
        await guest.say(b"MAIL FROM:<s@exam")
        await looked_at()
        clock.now += 2
        await goes(guest, TIMED_OUT)

    assert play(Room(tmp_path), story).told == [b"timeout after HELO from " + WHO]


def test_each_client_has_its_own_time(clock: Clock, tmp_path: Path) -> None:
    """One that came later goes later; a new one is looked at when all others are gone."""

    async def story(room: Room) -> None:
        first = await room.guest()
        clock.now += 200
        second = await room.guest()
        clock.now += 100
        await goes(first, TIMED_OUT)
        await stays(second)
        clock.now += 200
        await goes(second, TIMED_OUT)
        await looked_at()
        third = await room.guest()
        clock.now += 300
        await goes(third, TIMED_OUT)

    play(Room(tmp_path), story)


def test_silence_within_content_costs_the_message(clock: Clock, tmp_path: Path) -> None:
    """The backend gets no dot."""

    async def story(room: Room) -> None:
        guest = await room.guest()
        await guest.begin_content()
        clock.now += 299
        await guest.say(b"half\r\n")
        await eventually(lambda: b"half" in room.heard)
        clock.now += 299
        await stays(guest)
        clock.now += 2
        await goes(guest, TIMED_OUT)
        await eventually(lambda: guest.backends.statuses)
        assert guest.backends.statuses == [54 << 8]

    assert play(Room(tmp_path, min_data_rate=0), story).told == [b"timeout after DATA (6 bytes) from " + WHO]


def test_content_that_drips_is_not_waited_for(clock: Clock, tmp_path: Path) -> None:
    """smtpd_min_data_rate: each byte is a sign of life, and buys too little."""

    async def story(room: Room) -> None:
        guest = await room.guest()
        await guest.begin_content()
        for number in range(4):
            await guest.say(b"%d\r\n" % number)
            await eventually(partial(_has_heard, room, b"%d" % number))
            clock.now += 99
            await looked_at()
        await goes(guest, TIMED_OUT)

    assert play(Room(tmp_path), story).told == [b"timeout after DATA (12 bytes) from " + WHO]


def test_content_that_nobody_keeps_is_a_sign_of_life_too(clock: Clock, tmp_path: Path) -> None:
    """A message that is too large is read to its end, and then refused."""

    async def story(room: Room) -> None:
        guest = await room.guest()
        await guest.begin_content()
        dialogue = next(iter(room.gate._conversations))._dialogue
        for number in range(1, 5):
            await guest.say(b"0123456789\r\n")
            while dialogue.content_size < 12 * number:
                await looked_at()
            clock.now += 200
            await stays(guest)
        assert (await guest.ask(b".")).startswith(b"552 5.3.4")

    play(Room(tmp_path, content_limit=10, min_data_rate=0), story)


def test_what_its_backend_takes_is_not_the_clients_time(clock: Clock, tmp_path: Path) -> None:
    """Neither while the backend reads no content nor while it thinks about an answer."""
    content = b"a line of content\r\n" * 40_000

    async def story(room: Room) -> None:
        guest = await room.guest()
        room.hold()
        await guest.begin_content()
        backend = next(iter(room.gate._conversations))._backend
        sent = 0
        while not backend.is_full:
            sent += guest.socket.send(content[sent : sent + 10_000])
            await looked_at()
        clock.now += 5000
        await stays(guest)
        room.go_on()
        await guest.say(content[sent:])
        await looked_at()
        clock.now += 299
        await stays(guest)
        room.hold()
        await guest.say(b".\r\n")
        await eventually(lambda: b"40001" in room.heard)
        clock.now += 5000
        await stays(guest)
        room.go_on()
        assert await guest.line() == b"250 queued"
        await stays(guest)

    counting = OBLIGING.replace("until_dot;", "sed -u '/^\\.\\r$/q' | wc -l >>\"$OUT\";")
    play(Room(tmp_path, counting), story)


def test_whose_backend_was_slow_once_has_no_more_time_than_others(clock: Clock, tmp_path: Path) -> None:
    """Once there is room again it is the client's turn."""

    async def story(room: Room) -> None:
        guest = await room.guest()
        room.hold()
        await guest.begin_content()
        backend = next(iter(room.gate._conversations))._backend
        while not backend.is_full:
            guest.socket.send(b"a line of content\r\n" * 500)
            await looked_at()
        room.go_on()
        await eventually(lambda: not backend.is_full)
        clock.now += 301
        await goes(guest, TIMED_OUT)

    play(Room(tmp_path, OBLIGING.replace("until_dot;", "cat >/dev/null;"), min_data_rate=0), story)


def test_who_does_not_read_its_replies_is_left(clock: Clock, tmp_path: Path) -> None:
    """smtpd_timeout, and ten seconds for the last reply."""

    async def story(room: Room) -> None:
        guest = await room.guest(RELAY)
        try:
            while True:
                guest.socket.send(b"NOOP\r\n" * 1000)
                await looked_at()
        except BlockingIOError:
            pass
        clock.now += 300
        await stays(guest)
        clock.now += 9
        await stays(guest)
        clock.now += 1
        await guest.gone()

    told = play(Room(tmp_path, junk_command_limit=10**9), story).told

    assert told == [b"timeout after NOOP from unknown[192.0.2.8]"]


def test_without_a_message_nobody_stays_longer_than_an_hour(clock: Clock, tmp_path: Path) -> None:
    """However much it says; with one it has another hour."""

    async def story(room: Room) -> None:
        guest, other = await room.guest(), await room.guest()
        for hour in range(2):
            for _ in range(12):
                clock.now += 299
                for each in (guest, other):
                    if not each.task.done():
                        await each.ask(b"RSET")
                await looked_at()
            if not hour:
                await guest.begin_content()
                await guest.ask(b".")
            clock.now += 12
            await looked_at()
            assert other.task.done()
            assert guest.task.done() == bool(hour)

    assert play(Room(tmp_path, junk_command_limit=999), story).told[1:] == [b"timeout after RSET from " + WHO] * 2


def test_when_places_are_scarce_silence_is_shorter(clock: Clock, tmp_path: Path) -> None:
    """Ten seconds (Postfix's stress); a shorter smtpd_timeout stays as it is."""

    async def story(room: Room) -> None:
        guest = await room.guest()
        clock.now += 11
        await stays(guest)
        await guest.ask(b"RSET")
        room.is_crowded = True
        clock.now += 9
        await stays(guest)
        clock.now += 1
        await goes(guest, TIMED_OUT)

    play(Room(tmp_path), story)

    async def shorter(room: Room) -> None:
        room.is_crowded = True
        guest = await room.guest()
        clock.now += 5
        await goes(guest, TIMED_OUT)

    play(Room(tmp_path, timeout=5), shorter)


def test_a_backend_that_waits_for_nothing_is_left(clock: Clock, tmp_path: Path) -> None:
    """After 60 seconds between messages; not within a transaction. The next message has a new one."""

    async def story(room: Room) -> None:
        guest = await room.guest()
        await guest.ask(*BEGIN)
        clock.now += 100
        await stays(guest)
        assert not guest.backends.statuses
        await guest.ask(b"RSET")
        clock.now += 50
        await looked_at()
        assert not guest.backends.statuses
        clock.now += 200
        await eventually(lambda: guest.backends.statuses == [0])
        assert await guest.ask(MAIL, RCPT) == b"250 ok"
        assert guest.backends.started == 2

    # Its clock is the loop's, which goes on meanwhile.
    clock.now -= 100
    assert play(Room(tmp_path), story).heard.count(b"QUIT") == 1


def test_trouble_with_one_client_keeps_nobody_from_being_looked_at(
    clock: Clock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whose session fails is left."""
    real, broken = client_end.ClientEnd.is_late, []

    def fails(client: Any, *arguments: Any) -> bool:
        if client in broken:
            raise MemoryError
        return real(client, *arguments)

    monkeypatch.setattr(client_end.ClientEnd, "is_late", fails)

    async def story(room: Room) -> None:
        guests = [await room.guest() for _ in range(3)]
        broken.append(next(iter(room.gate._conversations))._client)
        await eventually(lambda: any(guest.task.done() for guest in guests))
        others = [guest for guest in guests if not guest.task.done()]
        assert len(others) == 2
        clock.now += 300
        for guest in others:
            await goes(guest, TIMED_OUT)

    told = play(Room(tmp_path), story).told

    assert told == [b"timeout after CONNECT from " + WHO] * 2


# The end of a process


def test_when_the_process_is_to_end_idle_clients_have_a_moment(clock: Clock, tmp_path: Path) -> None:
    """Ten seconds, in which a transaction may still begin; a running one comes to its end."""

    async def story(room: Room) -> None:
        idle, busy = await room.guest(), await room.guest()
        room.gate.drain()
        clock.now += 9
        await stays(idle)
        await busy.ask(*BEGIN)
        clock.now += 1
        await goes(idle, LEAVING)
        assert await busy.ask(b"DATA") == b"354 go"
        await busy.ask(b".")
        await goes(busy, LEAVING)

    told = play(Room(tmp_path), story).told

    assert [line.split(b" ")[0] for line in told] == [b"message"]


def test_a_client_in_a_hurry_does_not_keep_a_process_from_ending(clock: Clock, tmp_path: Path) -> None:
    """Its next transaction does not begin, even where it is told at once behind the last one."""

    async def story(room: Room) -> None:
        busy = await room.guest()
        await busy.begin_content()
        room.gate.drain()
        clock.now += 10
        room.gate._timer._seconds = 1000.0
        await looked_at()
        await busy.say(b".\r\n" + MAIL + b"\r\n")
        assert (await busy.line(), await busy.line()) == (b"250 queued", b"250 2.1.0 Ok")
        assert await busy.ask(RCPT) == LEAVING
        await busy.gone()

    told = play(Room(tmp_path), story).told

    assert [line.split(b" ")[0] for line in told] == [b"message", b"NOQUEUE:"]


# Control files


def test_control_files_are_looked_at_before_the_first_client(tmp_path: Path) -> None:
    """Without a name there is no gate; without rcpthosts there is a warning."""
    log = Lines()

    def look(**files: str | None) -> None:
        check(GateSettings(qmail_control=str(controls(tmp_path, **files))), log)

    look()
    assert log.lines == []
    look(rcpthosts=None)
    assert len(log.lines) == 1
    assert log.lines[0].startswith(b"smtpgate: warning: unable to read ")
    with pytest.raises(AskedWrongly, match="does not say our name"):
        look(me=None)


def test_a_client_that_comes_while_a_control_file_cannot_be_read(tmp_path: Path) -> None:
    """Is told to come again, and there is a sentence for the log."""

    async def story(room: Room) -> None:
        (tmp_path / "control" / "databytes").mkdir()
        guest = await room.silent()
        assert await guest.rest() == [b"421 4.3.0 unable to read controls"]
        with pytest.raises(Failure, match=r"unable to read .*/databytes"):
            guest.task.result()
        assert not room.gate._conversations

    assert play(Room(tmp_path), story).told == []
