"""Logins in a conversation: whoever checks them decides, and a backend never outlives whom it was started for."""

import asyncio
from base64 import b64encode
from pathlib import Path

from tests.support.gate_room import BEGIN, MAIL, RCPT, STRANGER, WHO, Guest, Room, eventually, play
from ucspi_py.core.auth.credentials import Credentials
from ucspi_py.core.gate.visitor import Visitor
from ucspi_py.core.smtp.reply import reply
from ucspi_py.core.smtp.settings import NOTHING, Offers
from ucspi_py.system.gate.session import Answered, CheckLogin, Session
from ucspi_py.system.gate.trust import Trust

IN = b"235 2.7.0 Authentication successful"
WRONG = b"535 5.7.8 Error: authentication failed"
FOREIGN = b"RCPT TO:<far@elsewhere.example>"
RIGHT, FALSE = (b"AUTH PLAIN " + b64encode(b"\0u\0" + word) for word in (b"right", b"false"))
_BOTH = (b"PLAIN", b"LOGIN")
#: A backend that says for whom it was started.
TELLS = r"""
s "220 here"
while h; do case $line in
    RCPT*) s "250 RELAYCLIENT=${RELAYCLIENT-unset}";;
    QUIT*) s '221 bye'; exit;;
    *) s '250 ok';;
esac; done
"""


class Passwords:
    """Takes one password, of anybody. held: set = answers at once. asked: what it was asked, of whom."""

    def __init__(self) -> None:
        self.held = asyncio.Event()
        self.held.set()
        self.asked: list[tuple[Credentials, bytes]] = []
        self.given_up = 0

    def offers(self, client: Visitor) -> Offers:
        """PLAIN and LOGIN, but not for those who relay anyhow."""
        return NOTHING if client.relays else Offers(mechanisms=_BOTH, secured_mechanisms=_BOTH)

    def begin(self, session: Session) -> CheckLogin:
        """Count the failures of a session: the second is the last but one command."""
        failures = 0

        async def check(credentials: Credentials, client: Visitor) -> Answered:
            nonlocal failures
            self.asked.append((credentials, client.ip))
            try:
                await self.held.wait()
            except asyncio.CancelledError:
                self.given_up += 1
                raise
            if credentials.secret == b"right":
                changes = (*client.changes, (b"RELAYCLIENT", b""))
                known = client._replace(relays=True, changes=changes)
                return Answered(reply(235, IN[4:]), credentials.login, known)
            failures += 1
            later = reply(421, b"4.7.0 %b Error: too many errors" % session.name) if failures > 1 else None
            return Answered(reply(535, WRONG[4:]), later=later)

        return check


def room(folder: Path, script: str = TELLS) -> tuple[Room, Passwords]:
    """A gate with logins, and who checks them."""
    passwords = Passwords()
    return Room(folder, script, trust=Trust(passwords)), passwords


async def offered(guest: Guest) -> list[bytes]:
    """What EHLO is told."""
    await guest.say(b"EHLO c.example\r\n")
    lines = [await guest.line()]
    while lines[-1][3:4] == b"-":
        lines.append(await guest.line())
    return [line[4:] for line in lines]


def test_who_logs_in_relays(tmp_path: Path) -> None:
    """Also with a backend that knows nothing of logins: it is in its environment."""
    here, passwords = room(tmp_path)

    async def story(room: Room) -> None:
        guest = await room.guest()
        assert b"AUTH PLAIN LOGIN" in await offered(guest)
        assert await guest.ask(MAIL, FOREIGN) == b"554 5.7.1 <far@elsewhere.example>: Relay access denied"
        assert await guest.ask(b"RSET", RIGHT) == IN
        assert await guest.ask(MAIL, FOREIGN) == b"250 RELAYCLIENT="

    play(here, story)

    assert passwords.asked == [(Credentials(b"PLAIN", b"u", b"right"), STRANGER[b"TCPREMOTEIP"])]


def test_a_backend_of_a_stranger_is_not_one_of_whom_it_becomes(tmp_path: Path) -> None:
    """It is left, and another one is started at the next recipient; RSET keeps the login, and the backend."""
    here, _ = room(tmp_path)

    async def story(room: Room) -> None:
        guest = await room.guest()
        assert await guest.ask(*BEGIN) == b"250 RELAYCLIENT=unset"
        assert await guest.ask(b"RSET", RIGHT) == IN
        await eventually(lambda: len(guest.backends.statuses) == 1)
        assert await guest.ask(MAIL, RCPT) == b"250 RELAYCLIENT="
        assert await guest.ask(b"RSET", MAIL, RCPT) == b"250 RELAYCLIENT="
        assert guest.backends.started == 2

    play(here, story)

    assert here.heard.count(b"QUIT") == 1


def test_a_wrong_password_changes_nothing(tmp_path: Path) -> None:
    """What was sent behind it is answered in its turn; who fails too often is left at the next command."""
    here, _ = room(tmp_path)

    async def story(room: Room) -> None:
        guest = await room.guest()
        await offered(guest)
        await guest.say(FALSE + b"\r\n" + MAIL + b"\r\n" + FOREIGN + b"\r\n")
        assert await guest.line() == WRONG
        assert await guest.line() == b"250 2.1.0 Ok"
        assert await guest.line() == b"554 5.7.1 <far@elsewhere.example>: Relay access denied"
        assert await guest.ask(b"RSET", FALSE) == WRONG
        await guest.say(b"NOOP\r\n")
        assert await guest.rest() == [b"421 4.7.0 mx.example.org Error: too many errors"]

    play(here, story)


def test_who_leaves_waits_for_no_checker(tmp_path: Path) -> None:
    """It is told that nobody is here any more."""
    here, passwords = room(tmp_path)

    async def story(room: Room) -> None:
        passwords.held.clear()
        guest = await room.guest()
        await guest.say(RIGHT + b"\r\n")
        await eventually(lambda: passwords.asked)
        guest.reset()
        await guest.gone()

    play(here, story)

    assert passwords.given_up == 1


def test_a_checker_that_breaks_ends_one_session(tmp_path: Path) -> None:
    """And lets nobody in."""
    here, passwords = room(tmp_path)

    async def story(room: Room) -> None:
        del passwords.held
        guest = await room.guest()
        await guest.say(RIGHT + b"\r\n")
        assert await guest.rest() == []
        assert guest.task.exception() is not None

    play(here, story)


def test_who_is_offered_nothing_is_not_asked(tmp_path: Path) -> None:
    """Each client has its own offers."""
    here, passwords = room(tmp_path)

    async def story(room: Room) -> None:
        guest = await room.guest({b"TCPREMOTEIP": b"192.0.2.8", b"RELAYCLIENT": b""})
        assert b"AUTH PLAIN LOGIN" not in await offered(guest)
        assert await guest.ask(RIGHT) == b"503 5.5.1 Error: authentication not enabled"

    play(here, story)

    assert not passwords.asked


def test_what_comes_to_no_credentials_is_logged_and_not_shown(tmp_path: Path) -> None:
    """In words that filters know."""
    here, _ = room(tmp_path)

    async def story(room: Room) -> None:
        guest = await room.guest()
        await guest.ask(b"AUTH PLAIN aHVza", b"AUTH ntlm<x>", b"AUTH LOGIN", b"*", b"QUIT")

    play(here, story)

    assert here.told == [
        b"warning: %b: SASL PLAIN authentication failed: Invalid base64 data" % WHO,
        b"warning: %b: SASL ntlm?x? authentication failed: Invalid authentication mechanism" % WHO,
        b"warning: %b: SASL LOGIN authentication aborted" % WHO,
    ]
