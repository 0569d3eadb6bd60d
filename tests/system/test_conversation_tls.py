"""STARTTLS in a conversation: the same gate within TLS, and nothing in the clear behind it."""

import asyncio
import gc
from pathlib import Path

import pytest

from tests.support.gate_room import (
    BEGIN,
    MAIL,
    RCPT,
    STRANGER,
    WHO,
    Room,
    eventually,
    looked_at,
    play,
    set_by_test,
)
from tests.support.gate_tls import Keys, secured
from tests.system.test_conversation_login import FOREIGN, IN, RIGHT, TELLS, Passwords, offered
from ucspi_py.system.gate.client_end import ClientEnd
from ucspi_py.system.gate.trust import Trust
from ucspi_py.system.tls.session import TlsSession

OUT_OF_SYNC = b"554 5.5.0 Error: SMTP protocol synchronization"
#: A backend that says what it was told of TLS.
KNOWS = r"""
s "220 here"
while h; do case $line in
    RCPT*) s "250 $SSL_PROTOCOL ${SSL_CLIENT_S_DN-unset}";;
    DATA*) s '354 go'; until_dot; s '250 queued';;
    QUIT*) s '221 bye'; exit;;
    *) s '250 ok';;
esac; done
"""


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Keys:
    """Those of one gate."""
    return Keys(tmp_path_factory.mktemp("keys"))


def test_a_message_goes_through_within_tls(tmp_path: Path, keys: Keys) -> None:
    """Its backend is told what TLS it was, in whatever the server or a rule had said of it before."""
    here = Room(tmp_path, KNOWS, trust=Trust(tls=keys.starttls()))
    forged = {b"SSL_PROTOCOL": b"SSLv3", b"SSL_CLIENT_S_DN": b"CN=root"}

    async def story(room: Room) -> None:
        guest = await room.guest(STRANGER | forged)
        assert b"STARTTLS" in await offered(guest)
        within = await secured(guest, keys)
        assert await within.ask(b"EHLO c.example", MAIL, RCPT) == b"250 TLSv1.3 unset"
        assert await within.ask(b"DATA", b"x\r\n.") == b"250 queued"
        assert await within.ask(b"QUIT") == b"221 2.0.0 Bye"
        assert await within.line() == b""

    play(here, story)

    assert here.heard[-5:] == [RCPT, b"DATA", b"x", b".", b"QUIT"]


def test_nobody_but_us_speaks_of_tls(tmp_path: Path, keys: Keys) -> None:
    """A client in the clear has none, whatever a rule says."""

    async def story(room: Room) -> None:
        guest = await room.guest(STRANGER | {b"SSL_PROTOCOL": b"SSLv3"})
        assert await guest.ask(*BEGIN) == b"250  unset"

    play(Room(tmp_path, KNOWS, trust=Trust(tls=keys.starttls())), story)


def test_tls_begins_a_session_anew(tmp_path: Path, keys: Keys) -> None:
    """Name, transaction and backend of before are gone; it is not begun twice."""
    here = Room(tmp_path, TELLS, trust=Trust(tls=keys.starttls()), helo_required=True)

    async def story(room: Room) -> None:
        guest = await room.guest()
        await guest.ask(*BEGIN)
        within = await secured(guest, keys)
        await eventually(lambda: guest.backends.statuses)
        assert await within.ask(RCPT) == b"503 5.5.1 Error: need MAIL command"
        assert await within.ask(MAIL) == b"503 5.5.1 Error: send HELO/EHLO first"
        assert await within.ask(b"EHLO c.example", b"STARTTLS") == b"554 5.5.1 Error: TLS already active"
        assert await within.ask(MAIL, RCPT) == b"250 RELAYCLIENT=unset"
        assert guest.backends.started == 2

    play(here, story)


def test_who_has_logged_in_in_the_clear_is_nobody_within_tls(tmp_path: Path, keys: Keys) -> None:
    """Nor is the backend that relays for it there any more."""
    here = Room(tmp_path, TELLS, trust=Trust(Passwords(), keys.starttls()))

    async def story(room: Room) -> None:
        guest = await room.guest()
        assert await guest.ask(RIGHT, MAIL, FOREIGN) == b"250 RELAYCLIENT="
        within = await secured(guest, keys)
        assert await within.ask(MAIL, FOREIGN) == b"554 5.7.1 <far@elsewhere.example>: Relay access denied"
        assert await within.ask(RCPT) == b"250 RELAYCLIENT=unset"

    play(here, story)


def test_no_byte_behind_starttls_is_obeyed(tmp_path: Path, keys: Keys) -> None:
    """No handshake, no command; the log has it (CVE-2011-0411)."""
    here = Room(tmp_path, trust=Trust(tls=keys.starttls()))

    async def story(room: Room) -> None:
        guest = await room.guest()
        await offered(guest)
        await guest.say(b"STARTTLS\r\nMAIL FROM:<evil@example.net>\r\n")
        assert await guest.rest() == [OUT_OF_SYNC]

    play(here, story)

    assert here.told == [
        b"improper command pipelining after STARTTLS from %b: MAIL FROM:<evil@example.net>\\r\\n" % WHO
    ]


@pytest.mark.parametrize(
    "said", [b"EHLO c.example\r\n", b"GET / HTTP/1.0\r\n\r\n", bytes(600)], ids=["SMTP", "HTTP", "NUL"]
)
def test_what_is_no_handshake_ends_the_session(tmp_path: Path, keys: Keys, said: bytes) -> None:
    """Not a byte in the clear is said behind the 220, and the log says why."""
    here = Room(tmp_path, trust=Trust(tls=keys.starttls()))

    async def story(room: Room) -> None:
        guest = await room.guest()
        assert (await guest.ask(b"STARTTLS"))[:3] == b"220"
        await guest.say(said)
        assert not any(line[:3].isdigit() for line in await guest.rest())

    play(here, story)

    assert len(here.told) == 1
    assert here.told[0].startswith(b"SSL_accept error from %b: " % WHO)


def test_who_goes_away_in_its_handshake_is_missed_by_nobody(tmp_path: Path, keys: Keys) -> None:
    """A line says that it was there, and others go on meanwhile."""
    here = Room(tmp_path, trust=Trust(tls=keys.starttls()))

    async def story(room: Room) -> None:
        gone, other = await room.guest(), await room.guest()
        await gone.ask(b"STARTTLS")
        assert await other.ask(*BEGIN) == b"250 ok"
        gone.hang_up()
        await gone.gone()
        assert await other.ask(b"NOOP") == b"250 2.0.0 Ok"

    play(here, story)

    assert b"SSL_accept error from %b: hung up" % WHO in here.told


def test_a_handshake_has_its_time(tmp_path: Path, keys: Keys) -> None:
    """Whoever does not go on with it is left, with a line; nobody waits for that."""
    here = Room(tmp_path, trust=Trust(tls=keys.starttls(seconds=1)))

    async def story(room: Room) -> None:
        guest, other = await room.guest(), await room.guest()
        await guest.ask(b"STARTTLS")
        assert await other.ask(*BEGIN) == b"250 ok"
        assert await guest.rest() == []

    play(here, story)

    assert b"SSL_accept error from %b: timed out" % WHO in here.told


def test_who_is_sent_away_in_its_handshake_hears_nothing_in_the_clear(tmp_path: Path, keys: Keys) -> None:
    """A newcomer needs its place."""
    here = Room(tmp_path, trust=Trust(tls=keys.starttls()))

    async def story(room: Room) -> None:
        guest = await room.guest()
        await guest.ask(b"STARTTLS")
        assert room.held.dismiss_oldest()
        assert await guest.rest() == []

    play(here, story)


def test_time_is_counted_within_tls_too(tmp_path: Path, keys: Keys, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who is silent there hears so there."""
    clock = set_by_test(monkeypatch)
    here = Room(tmp_path, trust=Trust(tls=keys.starttls()))

    async def story(room: Room) -> None:
        within = await secured(await room.guest(), keys)
        clock.now += 299
        await looked_at()
        assert await within.ask(b"NOOP") == b"250 2.0.0 Ok"
        clock.now += 301
        assert await within.line() == b"421 4.4.2 mx.example.org Error: timeout exceeded"
        assert await within.line() == b""

    play(here, story)

    assert here.told == [b"timeout after NOOP from %b" % WHO]


def test_without_keys_tls_is_not_offered_and_refused_for_now(tmp_path: Path, keys: Keys) -> None:
    """The session goes on in the clear."""

    async def story(room: Room) -> None:
        guest = await room.guest()
        assert b"STARTTLS" not in await offered(guest)
        assert await guest.ask(b"STARTTLS") == b"454 4.7.0 TLS not available due to local problem"
        assert await guest.ask(MAIL, RCPT) == b"250 ok"

    play(Room(tmp_path, trust=Trust(tls=keys.starttls(has_keys=False))), story)


def test_where_tls_is_required_nothing_else_goes_before_it(tmp_path: Path, keys: Keys) -> None:
    """No mail, and no password."""

    async def story(room: Room) -> None:
        guest = await room.guest()
        assert b"AUTH PLAIN LOGIN" not in await offered(guest)
        for command in (MAIL, RIGHT):
            assert await guest.ask(command) == b"530 5.7.0 Must issue a STARTTLS command first"
        within = await secured(guest, keys)
        assert await within.ask(RIGHT) == IN
        assert await within.ask(MAIL, FOREIGN) == b"250 RELAYCLIENT="

    play(Room(tmp_path, TELLS, trust=Trust(Passwords(), keys.starttls(is_required=True))), story)


@pytest.mark.parametrize("is_slow", [False, True], ids=["at once", "byte by byte"])
def test_a_large_message_goes_through_within_tls(tmp_path: Path, keys: Keys, is_slow: bool) -> None:
    """However it is cut."""
    here = Room(tmp_path, trust=Trust(tls=keys.starttls()))
    content = b"".join(b"line %099d\r\n" % number for number in range(2 if is_slow else 4000))

    async def story(room: Room) -> None:
        within = await secured(await room.guest(), keys)
        assert await within.ask(*BEGIN, b"DATA") == b"354 go"
        for piece in [bytes([byte]) for byte in content] if is_slow else [content]:
            await within.say(piece)
        assert await within.ask(b".") == b"250 queued"

    play(here, story)

    assert here.heard[here.heard.index(b"DATA") + 1 :] == [*content.split(b"\r\n")[:-1], b"."]


def test_commands_in_one_record_are_answered_in_order(tmp_path: Path, keys: Keys) -> None:
    """Pipelining is within TLS what it is in the clear; what came together waits for no more bytes."""

    async def story(room: Room) -> None:
        within = await secured(await room.guest(), keys)
        await within.ask(b"EHLO c.example")
        await within.say(MAIL + b"\r\n" + RCPT + b"\r\nRSET\r\nNOOP\r\n")
        async with asyncio.timeout(10):
            assert [await within.line() for _ in range(4)] == [
                b"250 2.1.0 Ok",
                b"250 ok",
                b"250 2.0.0 Ok",
                b"250 2.0.0 Ok",
            ]

    play(Room(tmp_path, trust=Trust(tls=keys.starttls())), story)


def test_a_session_leaves_nothing_to_the_garbage_collector(tmp_path: Path, keys: Keys) -> None:
    """Its memory is free for the next client at once: OpenSSL's is 30 KB."""

    async def visit(room: Room, *, is_secured: bool) -> None:
        guest = await room.guest()
        speaks = await secured(guest, keys) if is_secured else guest
        assert await speaks.ask(*BEGIN, b"QUIT") == b"221 2.0.0 Bye"
        await guest.gone()

    async def story(room: Room) -> None:
        gc.collect()
        gc.disable()
        try:
            for is_secured in (True, False):
                await visit(room, is_secured=is_secured)
                await asyncio.sleep(0)  # until the loop has forgotten who it was
                assert not [one for one in gc.get_objects() if isinstance(one, TlsSession | ClientEnd)]
        finally:
            gc.enable()

    play(Room(tmp_path, trust=Trust(tls=keys.starttls())), story)
