"""One session at the gate, its client at one end and real backends at the other: who waits for whom, and every way to
leave.
"""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from tests.support.gate_room import (
    BEGIN,
    MAIL,
    OBLIGING,
    RCPT,
    RELAY,
    WHO,
    Guest,
    Room,
    eventually,
    play,
)
from ucspi_py.core.gate import relay
from ucspi_py.core.smtp import events
from ucspi_py.core.smtp.dialogue import Dialogue
from ucspi_py.core.smtp.reply import Reply
from ucspi_py.core.smtp.verdict import Refuse
from ucspi_py.system.gate.conversation import Conversation

CROWDED = b"421 4.3.2 too many clients, try again later"
ENVELOPE = b"from=<s@example.net> nrcpt=1 "
FIELDS = b"proto=SMTP helo=<c.example> relay=no"
TAKEN = b"message from %b: 250 queued; %bsize=%%d %b" % (WHO, ENVELOPE, FIELDS)
TO_RCPT = b"s@example.net> to=<r@example.org> proto=SMTP helo=<c.example>"


def lost(after: bytes) -> bytes:
    """The line about a client that is gone."""
    return b"lost connection after %b from %b" % (after, WHO)


async def waits_for_slot(room: Room) -> Guest:
    """A client whose recipient waits for a slot."""
    guest = await room.guest()
    guest.backends.slot.clear()
    await guest.ask(*BEGIN[:-1])
    await guest.say(RCPT + b"\r\n")
    await eventually(lambda: guest.backends.waiting)
    return guest


# What goes well


def test_a_message_goes_through_and_is_told_of_once(tmp_path: Path) -> None:
    """The backend starts with the recipient, hears all anew, and is told QUIT."""

    async def story(room: Room) -> None:
        guest = await room.guest()
        await guest.ask(*BEGIN[:-1])
        assert not guest.backends.started
        assert await guest.ask(RCPT, b"DATA") == b"354 go"
        assert await guest.ask(b"one\r\n..\r\n.") == b"250 queued"
        assert await guest.ask(b"QUIT") == b"221 2.0.0 Bye"
        assert await guest.line() == b""

    room = play(Room(tmp_path), story)

    assert room.heard == [b"HELO c.example", MAIL, RCPT, b"DATA", b"one", b"..", b".", b"QUIT"]
    assert room.told == [TAKEN % 8]


def test_a_second_message_goes_to_the_same_backend(tmp_path: Path) -> None:
    """Also one behind RSET, of which it hears."""

    async def story(room: Room) -> None:
        guest = await room.guest()
        await guest.begin_content()
        await guest.ask(b".", MAIL, RCPT, b"RSET", MAIL, RCPT, b"DATA", b".")
        assert guest.backends.started == 1

    room = play(Room(tmp_path), story)

    message = [MAIL, RCPT, b"DATA", b"."]
    assert room.heard == [b"HELO c.example", *message, MAIL, RCPT, b"RSET", *message]
    assert room.told == [TAKEN % 0] * 2


def test_the_backend_is_asked_for_what_it_alone_knows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A recipient, DATA and a message; not for content, a dropped transaction, a pause or what we refuse."""
    asked: list[events.Event] = []
    carry_out = Conversation._carry_out

    async def noted(self: Conversation, event: events.Event) -> Reply | None:
        asked.append(event)
        return await carry_out(self, event)

    monkeypatch.setattr(Conversation, "_carry_out", noted)
    pause: Any = 0.001

    async def story(room: Room) -> None:
        guest = await room.guest()
        await guest.ask(b"WRONG", b"WRONG", *BEGIN, b"RCPT TO:<x@elsewhere.example>", b"RSET", MAIL, RCPT, b"DATA")
        await guest.ask(b"one\r\n.", MAIL, RCPT, b"DATA", b"bare\nLF\r\n.", b"QUIT")

    play(Room(tmp_path, soft_error_limit=1, error_sleep_time=pause), story)

    names = "RecipientGiven RecipientGiven DataAsked MessageEnded RecipientGiven DataAsked"
    assert [type(event).__name__ for event in asked] == names.split()


def test_replies_come_in_the_order_of_commands(tmp_path: Path) -> None:
    """Ours and the backend's, to what came at once; each refusal has its line."""

    async def story(room: Room) -> None:
        guest = await room.guest()
        await guest.ask(b"HELO c.example")
        await guest.say(b"EHLO c.example\r\n")
        while not (await guest.line()).startswith(b"250 "):
            pass
        recipients = (b"a@example.org", b"b@example.net", b"no@example.org", b"c@example.org")
        commands = [MAIL, *(b"RCPT TO:<%b>" % recipient for recipient in recipients), b"DATA"]
        await guest.say(b"".join(command + b"\r\n" for command in commands))
        replies = [(await guest.line())[:9] for _ in commands]
        assert replies == [b"250 2.1.0", b"250 ok", b"554 5.7.1", b"550 not h", b"250 ok", b"354 go"]
        await guest.ask(b".", b"QUIT")

    told = play(Room(tmp_path), story).told

    assert [line.split(b"; ")[0] for line in told] == [
        b"NOQUEUE: reject: RCPT from %b: 554 5.7.1 <b@example.net>: Relay access denied" % WHO,
        b"NOQUEUE: reject: RCPT from %b: 550 not him" % WHO,
        b"message from %b: 250 queued" % WHO,
    ]


def test_a_backend_that_takes_no_data_is_told_of(tmp_path: Path) -> None:
    """The client hears its words, and so does the log."""
    script = "s '220 here'; while h; do case $line in DATA*) s '451 disk full';; *) s '250 ok';; esac; done"

    async def story(room: Room) -> None:
        guest = await room.guest()
        assert await guest.ask(*BEGIN, b"DATA") == b"451 disk full"
        await guest.ask(b"QUIT")

    told = play(Room(tmp_path, script), story).told

    assert told == [
        b"NOQUEUE: reject: DATA from %b: 451 disk full; from=<s@example.net> proto=SMTP helo=<c.example>" % WHO
    ]


def test_a_message_that_must_not_pass_never_gets_its_dot(tmp_path: Path) -> None:
    """Its backend is left; the next message has a new one."""

    async def story(room: Room) -> None:
        guest = await room.guest()
        await guest.begin_content()
        await guest.say(b"one\r\n")
        await eventually(lambda: b"one" in room.heard)
        assert (await guest.ask(b"two\nthree\r\n.")).startswith(b"550 5.5.2")
        await eventually(lambda: guest.backends.statuses)
        await guest.ask(MAIL, RCPT, b"DATA", b".", b"QUIT")
        assert guest.backends.started == 2

    room = play(Room(tmp_path), story)

    assert room.heard[:6] == [*BEGIN, b"DATA", b"one", b"HELO c.example"]
    refused = b"message from %b: 550 5.5.2 mx.example.org Error: bare <LF> received; %bsize=16 %b"
    assert room.told == [refused % (WHO, ENVELOPE, FIELDS), TAKEN % 0]


# Clients that leave


@pytest.mark.parametrize("resets", [True, False], ids=["reset", "closed"])
def test_who_leaves_while_it_waits_for_a_slot_waits_no_more(resets: bool, tmp_path: Path) -> None:
    """Neither a slot nor a process is had for nobody."""

    async def story(room: Room) -> None:
        guest = await waits_for_slot(room)
        if resets:
            guest.reset()
        else:
            guest.hang_up()
            assert (await guest.rest())[0].startswith(b"451 4.3.2")
        await guest.gone()
        assert not guest.backends.waiting
        assert not guest.backends.started

    told = play(Room(tmp_path), story).told

    assert told[-1] == lost(b"RCPT")
    assert len(told) == (1 if resets else 2)


def test_who_has_said_its_last_is_answered_where_a_slot_is_free(tmp_path: Path) -> None:
    """As by nc behind a pipe."""

    async def story(room: Room) -> None:
        guest = await room.guest()
        await guest.ask(*BEGIN[:-1])
        await guest.say(RCPT + b"\r\n")
        guest.hang_up()
        assert await guest.rest() == [b"250 ok"]

    assert play(Room(tmp_path), story).told == [lost(b"RCPT")]


def test_who_has_more_to_be_carried_out_still_waits_for_its_slot(tmp_path: Path) -> None:
    """What it said before it hung up is carried out."""

    async def story(room: Room) -> None:
        guest = await waits_for_slot(room)
        await guest.say(b"QUIT\r\n")
        guest.hang_up()
        for _ in range(20):
            await asyncio.sleep(0)
        assert guest.backends.waiting
        guest.backends.slot.set()
        assert await guest.rest() == [b"250 ok", b"221 2.0.0 Bye"]

    assert play(Room(tmp_path), story).told == []


def test_who_leaves_while_the_backend_starts_leaves_no_backend(tmp_path: Path) -> None:
    """One that never says its banner is closed at once."""

    async def story(room: Room) -> None:
        guest = await waits_for_slot(room)
        guest.backends.slot.set()
        await eventually(lambda: guest.backends.started)
        guest.reset()
        await guest.gone()
        await eventually(lambda: guest.backends.statuses)

    assert play(Room(tmp_path, "h"), story).told == [lost(b"RCPT")]


def test_who_leaves_within_content_has_sent_no_message(tmp_path: Path) -> None:
    """The backend reads the end before a dot, and the log has the bytes."""

    async def story(room: Room) -> None:
        guest = await room.guest()
        await guest.begin_content()
        await guest.say(b"half a message\r\n")
        await eventually(lambda: b"half a message" in room.heard)
        guest.reset()
        await eventually(lambda: guest.backends.statuses)
        assert guest.backends.statuses == [54 << 8]

    room = play(Room(tmp_path), story)

    assert room.heard[-1] == b"half a message"
    assert room.told == [lost(b"DATA (16 bytes)")]


@pytest.mark.parametrize("resets", [True, False], ids=["reset", "closed"])
def test_what_became_of_a_complete_message_is_waited_for(resets: bool, tmp_path: Path) -> None:
    """Nobody hears it but the log; that its client went is no news then."""

    async def story(room: Room) -> None:
        guest = await room.guest()
        await guest.begin_content()
        room.hold()
        await guest.say(b"all of it\r\n.\r\n")
        await eventually(lambda: b"." in room.heard)
        if resets:
            guest.reset()
        else:
            guest.hang_up()
        for _ in range(20):
            await asyncio.sleep(0)
        assert not guest.task.done()
        room.go_on()
        if not resets:
            assert await guest.rest() == [b"250 queued"]
        await guest.gone()

    def room_with_slow_answer() -> Room:
        return Room(tmp_path, OBLIGING.replace("'354 go'; held;", "'354 go';"))

    assert play(room_with_slow_answer(), story).told == [TAKEN % 11]


def test_who_hangs_up_behind_its_message_and_quit_hears_both_replies(tmp_path: Path) -> None:
    """Case 43."""

    async def story(room: Room) -> None:
        guest = await room.guest()
        await guest.begin_content()
        await guest.say(b".\r\nQUIT\r\n")
        guest.hang_up()
        assert await guest.rest() == [b"250 queued", b"221 2.0.0 Bye"]

    assert play(Room(tmp_path), story).told == [TAKEN % 0]


def test_who_leaves_without_a_word_is_told_of_once(tmp_path: Path) -> None:
    """Before it has said anything."""

    async def story(room: Room) -> None:
        await room.guest()

    assert play(Room(tmp_path), story).told == [lost(b"CONNECT")]


def test_who_has_left_within_its_pause_is_not_answered_later(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its place may be another's by then."""
    resumed: list[Dialogue] = []
    resume = Dialogue.resume
    pause: Any = 0.05

    def noted(dialogue: Dialogue) -> None:
        resumed.append(dialogue)
        resume(dialogue)

    monkeypatch.setattr(Dialogue, "resume", noted)

    async def story(room: Room) -> None:
        guest, other = await room.guest(), await room.guest()
        await guest.ask(b"WRONG")
        await guest.say(b"WRONG\r\n")
        guest.reset()
        await guest.gone()
        assert (await other.ask(b"WRONG", b"WRONG")).startswith(b"500 ")
        assert len(resumed) == 1

    told = play(Room(tmp_path, soft_error_limit=1, error_sleep_time=pause), story).told

    assert told == [lost(b"UNKNOWN"), lost(b"UNKNOWN")]


def test_what_comes_within_a_pause_is_answered_behind_it(tmp_path: Path) -> None:
    """In order."""
    pause: Any = 0.01

    async def story(room: Room) -> None:
        guest = await room.guest()
        await guest.ask(b"WRONG")
        await guest.say(b"WRONG\r\n")
        await guest.say(b"HELO c.example\r\n")
        assert (await guest.line()).startswith(b"500 ")
        assert await guest.line() == b"250 mx.example.org"

    play(Room(tmp_path, soft_error_limit=1, error_sleep_time=pause), story)


# Clients that are faster or slower than we are


def test_who_sends_faster_than_it_is_answered_is_read_no_further(tmp_path: Path) -> None:
    """64 KB ahead; what is behind them waits on its way, and comes in order."""
    count = 40_000

    async def story(room: Room) -> None:
        guest = await room.guest(RELAY)
        guest.backends.slot.clear()
        await guest.ask(*BEGIN[:-1])
        flood = asyncio.create_task(guest.say(RCPT + b"\r\n" + b"NOOP\r\n" * count + b"QUIT\r\n"))
        dialogue = next(iter(room.gate._conversations))._dialogue
        await eventually(lambda: dialogue.buffered >= 65536)
        for _ in range(200):
            await asyncio.sleep(0)
        assert dialogue.buffered < 65536 + 4096
        assert not flood.done()
        guest.backends.slot.set()
        replies = await guest.rest()
        assert len(replies) == count + 2
        assert (replies[0], replies[1], replies[-1]) == (b"250 ok", b"250 2.0.0 Ok", b"221 2.0.0 Bye")
        await flood

    assert play(Room(tmp_path, junk_command_limit=10**6), story).told == []


def test_a_backend_that_does_not_read_stops_its_client(tmp_path: Path) -> None:
    """Case of backpressure: not all of a large message is in our memory, and all of it arrives."""
    content = b"a line of content\r\n" * 40_000

    async def story(room: Room) -> None:
        guest = await room.guest()
        room.hold()
        await guest.begin_content()
        sending = asyncio.create_task(guest.say(content + b".\r\n"))
        backend = next(iter(room.gate._conversations))._backend
        await eventually(lambda: backend.is_full)
        for _ in range(200):
            await asyncio.sleep(0)
        assert not sending.done()
        room.go_on()
        assert await guest.line() == b"250 queued"
        await guest.ask(b"QUIT")

    counting = OBLIGING.replace("until_dot;", r"sed -u '/^\.\r$/q' | wc -l >>\"$OUT\";".replace('\\"', '"'))
    room = play(Room(tmp_path, counting), story)

    assert b"40001" in room.heard
    assert room.told == [TAKEN % len(content)]


# Errors


def test_an_error_of_ours_ends_its_session_and_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """At once, and whoever serves it hears of it."""
    judge = relay.judge

    def fails(recipient: Any, *others: Any) -> Any:
        if recipient.local == b"bad":
            raise MemoryError
        return judge(recipient, *others)

    monkeypatch.setattr(relay, "judge", fails)

    async def story(room: Room) -> None:
        guest, other = await room.guest(), await room.guest()
        await guest.ask(*BEGIN[:-1])
        await guest.say(b"RCPT TO:<bad@example.org>\r\n")
        assert await guest.line() == b""
        await guest.gone()
        assert isinstance(guest.task.exception(), MemoryError)
        assert await other.ask(*BEGIN, b"QUIT") == b"221 2.0.0 Bye"

    assert play(Room(tmp_path), story).told == []


def test_an_error_while_a_slot_is_awaited_ends_the_wait(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is the session that is over."""

    async def story(room: Room) -> None:
        guest = await waits_for_slot(room)
        monkeypatch.setattr(Dialogue, "receive", lambda *_arguments: 1 // 0)
        await guest.say(b"NOOP\r\n")
        await guest.gone()
        assert isinstance(guest.task.exception(), ZeroDivisionError)
        assert not guest.backends.waiting

    assert play(Room(tmp_path), story).told == []


def test_an_error_behind_a_complete_message_does_not_hide_what_became_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its line comes first."""

    async def story(room: Room) -> None:
        guest = await room.guest()
        await guest.begin_content()
        room.hold()
        await guest.say(b".\r\n")
        await eventually(lambda: b"." in room.heard)
        monkeypatch.setattr(Dialogue, "receive", lambda *_arguments: 1 // 0)
        await guest.say(b"NOOP\r\n")
        room.go_on()
        await guest.gone()
        assert isinstance(guest.task.exception(), ZeroDivisionError)

    script = OBLIGING.replace("'354 go'; held;", "'354 go';")
    assert play(Room(tmp_path, script), story).told == [TAKEN % 0]


def test_a_session_that_is_cancelled_leaves_nothing(tmp_path: Path) -> None:
    """Neither a backend nor a wait for one."""

    async def story(room: Room) -> None:
        guest, other = await waits_for_slot(room), await room.guest()
        await other.begin_content()
        for each in (guest, other):
            each.task.cancel()
            await each.gone()

    room = play(Room(tmp_path), story)

    assert room.told == []
    assert b"." not in room.heard


# Newcomers


def test_who_has_got_nowhere_goes_for_a_newcomer(tmp_path: Path) -> None:
    """With a word; a recipient that was refused is nowhere."""

    async def story(room: Room) -> None:
        guest = await room.guest()
        assert (await guest.ask(*BEGIN[:-1], b"RCPT TO:<x@elsewhere.example>")).startswith(b"554 ")
        assert room.held.dismiss_oldest()
        assert await guest.rest() == [CROWDED]
        await guest.gone()
        assert not room.held.dismiss_oldest()

    assert len(play(Room(tmp_path), story).told) == 1


def test_who_does_not_read_goes_for_a_newcomer_at_once(tmp_path: Path) -> None:
    """Its last reply is not waited for: the newcomer waits for the place."""

    async def story(room: Room) -> None:
        guest = await room.guest(RELAY)
        try:
            while True:
                guest.socket.send(b"NOOP\r\n" * 1000)
                await asyncio.sleep(0.001)
        except BlockingIOError:
            pass
        assert room.held.dismiss_oldest()
        await guest.gone()

    play(Room(tmp_path, junk_command_limit=10**9), story)


def test_who_is_protected_from_newcomers_and_for_how_long(tmp_path: Path) -> None:
    """From the first recipient that has passed until its transaction is over, however it ends."""

    async def story(room: Room) -> None:
        guest = await room.guest()
        held_now = room.board.anybody_held
        assert held_now()
        for way_out in (b"RSET", b"HELO again", b"DATA"):
            await guest.ask(MAIL)
            assert held_now()
            await guest.ask(RCPT)
            assert not held_now()
            assert not room.held.dismiss_oldest()
            await guest.ask(way_out)
            if way_out == b"DATA":
                assert not held_now()
                await guest.ask(b".")
            assert held_now()
        await guest.ask(MAIL, RCPT, b"DATA", b"bare\nLF\r\n.")
        assert held_now()
        assert await guest.ask(MAIL, b"RCPT TO:<no@example.org>") == b"550 not him"
        assert held_now()

    play(Room(tmp_path), story)


def test_who_waits_for_its_backend_is_protected_already(tmp_path: Path) -> None:
    """It has been told nothing yet, and would have come for nothing."""

    async def story(room: Room) -> None:
        guest = await waits_for_slot(room)
        assert not room.board.anybody_held()
        guest.backends.slot.set()
        assert await guest.line() == b"250 ok"

    play(Room(tmp_path), story)


def test_who_was_chosen_to_leave_starts_no_backend(tmp_path: Path) -> None:
    """Another worker has chosen it, and its recipient comes before that is noticed."""

    async def story(room: Room) -> None:
        guest = await room.guest()
        await guest.ask(*BEGIN[:-1])
        assert room.board.dismiss_oldest()
        assert await guest.ask(RCPT) == CROWDED
        assert await guest.line() == b""
        await guest.gone()
        room.held.dismiss_asked()
        assert not guest.backends.started

    told = play(Room(tmp_path), story).told

    assert told == [b"NOQUEUE: reject: RCPT from %b: %b; from=<%b" % (WHO, CROWDED, TO_RCPT)]


# Before the banner, and refused by a screen


def test_who_speaks_before_the_banner_hears_none(tmp_path: Path) -> None:
    """But for who may relay."""

    async def story(room: Room) -> None:
        guest = await room.silent(first=b"HELO c.example\r\n")
        assert await guest.rest() == [b"554 5.5.0 Error: SMTP protocol synchronization"]
        relays = await room.silent(RELAY, first=b"HELO c.example\r\nQUIT\r\n")
        assert [line[:4] for line in await relays.rest()] == [b"220 ", b"250 ", b"221 "]

    told = play(Room(tmp_path), story).told

    assert told == [b"improper command pipelining after CONNECT from %b: HELO c.example\\r\\n" % WHO]


def test_what_a_screen_has_against_a_client_is_told_at_its_recipients(tmp_path: Path) -> None:
    """Each hears it, postmaster is spared, and the screen's line comes once."""

    async def story(room: Room) -> None:
        guest = await room.guest(refusal=Refuse(451, b"listed"))
        assert await guest.ask(*BEGIN) == b"451 listed"
        assert await guest.ask(RCPT) == b"451 listed"
        assert await guest.ask(b"RCPT TO:<postmaster>", b"DATA", b".", b"QUIT") == b"221 2.0.0 Bye"

    told = play(Room(tmp_path), story).told

    assert [line.split(b" ")[0] for line in told] == [b"screen:", b"NOQUEUE:", b"NOQUEUE:", b"message"]
    assert told[0].endswith(b": 451 listed; from=<" + TO_RCPT)
