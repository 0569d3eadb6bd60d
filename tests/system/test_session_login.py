"""The logins of one session: their order, their delays, their lines, and who is asked."""

import asyncio
from typing import Any

import pytest

from tests.support.admission import Lines
from tests.support.knowing import Knowing
from tests.support.virtual_time import run
from ucspi_py.core.auth.answer import Answer, Verdict
from ucspi_py.core.auth.credentials import Credentials, Peer
from ucspi_py.core.gate.visitor import Visitor
from ucspi_py.system.gate.logins.session_login import Checking, SessionLogin
from ucspi_py.system.gate.logins.trials import Trials
from ucspi_py.system.gate.logins.tries_table import LoginTries
from ucspi_py.system.gate.session import Answered, Session
from ucspi_py.system.gate.session_log import SessionLog

USER, OTHER = b"user@example.org", b"other"
CLIENT = Visitor(b"pc.example.net", b"192.0.2.7", unique_id=b"17")
PEER = Peer(b"192.0.2.7", b"192.0.2.1", b"587", False)
WARNING = b"smtpgate[17]: warning: pc.example.net[192.0.2.7]: SASL PLAIN "
FAILED = WARNING + b"authentication failed: "


class Speaking:
    """What a session's dialogue tells of its client."""

    within_tls = False


class Room:
    """A session, and who checks for it."""

    def __init__(self, checker: Knowing | None = None, tries: LoginTries | None = None) -> None:
        self.checker = checker or Knowing({USER: b"right"})
        self.lines = Lines()
        self.dialogue = Speaking()
        nobody: Any = None
        log, environment = SessionLog(self.lines, CLIENT, b""), {b"TCPREMOTEIP": CLIENT.ip}
        session = Session(b"mx.example.org", nobody, self.dialogue, CLIENT, nobody, nobody, log, environment)  # type: ignore[arg-type]
        self.login = SessionLogin(Checking(self.checker, Trials(tries) if tries else None), session, PEER)

    def tried(self, password: bytes = b"wrong", login: bytes = USER) -> tuple[Answered, float]:
        """What becomes of a login, and in how many seconds."""

        async def timed() -> tuple[Answered, float]:
            loop = asyncio.get_running_loop()
            begun = loop.time()
            found = await self.login(Credentials(b"PLAIN", login, password), CLIENT)
            return found, loop.time() - begun

        return run(timed())


def test_a_right_password_takes_no_time() -> None:
    """Its line names the client as Postfix does."""
    room = Room()

    found, seconds = room.tried(b"right")
    assert (found.reply.code, found.login, found.later, seconds) == (235, USER, None, 0.0)
    assert found.visitor is not None
    assert (found.visitor.login, found.visitor.method) == (USER, b"PLAIN")
    assert room.lines.lines == [
        b"smtpgate[17]: client=pc.example.net[192.0.2.7], sasl_method=PLAIN, sasl_username=user@example.org\n"
    ]


def test_a_wrong_password_takes_longer_each_time() -> None:
    """An unknown user as long, in the same words."""
    room = Room()

    first, second, third = room.tried(), room.tried(login=OTHER), room.tried()
    assert [seconds for _, seconds in (first, second, third)] == [3.0, 4.0, 5.0]
    assert {found.reply for found, _ in (first, second, third)} == {first[0].reply}
    assert (first[0].reply.code, first[0].login, first[0].visitor) == (535, b"", None)


def test_a_session_ends_behind_the_third_failure() -> None:
    """Not before (RFC 4954, 4)."""
    room = Room()
    laters = [room.tried()[0].later for _ in range(3)]

    assert laters[:2] == [None, None]
    assert laters[2] is not None
    assert laters[2].wire == b"421 4.7.0 mx.example.org Error: too many errors\r\n"


def test_a_slow_checker_is_not_waited_for_twice() -> None:
    """The delay is that of the answer, and tells nothing of how it was found."""

    class Slow(Knowing):
        async def check(self, credentials: Credentials, peer: Peer, /) -> Answer:
            await asyncio.sleep(2 if credentials.login == USER else 0)
            return await super().check(credentials, peer)

    assert [Room(Slow({})).tried(login=login)[1] for login in (USER, OTHER)] == [3.0, 3.0]


def test_the_log_has_address_and_user_and_no_password() -> None:
    """The user last."""
    room = Room()
    room.tried(b"secret", b"us er <x>\xe4")

    assert room.lines.lines == [FAILED + b"authentication failure (exits 1), sasl_username=us?er??x??\n"]


@pytest.mark.parametrize("login", [b"a\nb", b"\x01", b"x" * 256, b""])
def test_nobody_is_asked_about_what_is_no_login(login: bytes) -> None:
    """It is wrong, and takes as long."""
    room = Room()

    found, seconds = room.tried(login=login)
    assert (found.reply.code, seconds, room.checker.asked) == (535, 3.0, [])


def test_trouble_is_no_wrong_password() -> None:
    """fail2ban passes over this line, and the client may come again."""
    room = Room(Knowing({}, Answer(Verdict.LATER, b"", "the guard is gone")))

    found, seconds = room.tried()
    assert (found.reply.code, seconds) == (454, 0.0)
    assert room.lines.lines == [
        FAILED + b"Connection lost to authentication server (the guard is gone), sasl_username=user@example.org\n"
    ]


def test_a_checker_cannot_name_a_user_that_is_none() -> None:
    """It would stand in an environment."""
    found, _ = Room(Knowing({}, Answer(Verdict.YES, b"a\nb"))).tried()

    assert (found.reply.code, found.login) == (454, b"")


def test_whoever_checks_is_told_of_tls() -> None:
    """As it is at this login."""
    room = Room()
    room.tried(b"right")
    room.dialogue.within_tls = True
    room.tried(b"right")

    assert [peer.secured for _, peer in room.checker.asked] == [False, True]


def test_over_the_limit_nobody_is_asked() -> None:
    """454 at once, and no word that a filter takes for a wrong password."""
    tries = LoginTries()
    for _ in range(5):
        Room(tries=tries).tried()
    room = Room(tries=tries)

    found, seconds = room.tried(b"right")
    assert (found.reply.code, seconds, room.checker.asked) == (454, 0.0, [])
    assert room.lines.lines == [
        WARNING + b"authentication not tried: too many failures of this user, sasl_username=user@example.org\n"
    ]
