"""The logins of one session: how often, how slowly, and what is said of them. Never checks a password itself."""

import asyncio
from typing import NamedTuple

from ....core.auth.answer import Answer, Verdict
from ....core.auth.credentials import Credentials, Peer
from ....core.gate.logins import answers
from ....core.gate.logins.logged_in import is_sound
from ....core.smtp.reply import Reply
from ...auth.checker import Checker
from ..session_log import SessionLog
from .tries_table import LoginTries, TooMany

_UNSOUND = Answer(Verdict.NO, b"", "the user has control characters or is too long")


class Logged(NamedTuple):
    """What became of a login. reply: for the client. login: whom it has logged in as; b"" = it has not."""

    reply: Reply
    login: bytes = b""


class SessionLogin:
    """Lets one client log in.

    checker: asks about passwords. tries: counts wrong ones over the whole service; None = nobody does. peer: between
    whom it is said, without TLS. log: of the session.
    """

    __slots__ = ("_checker", "_log", "_peer", "_tries", "failures")

    def __init__(self, checker: Checker, tries: LoginTries | None, peer: Peer, log: SessionLog) -> None:
        self._checker = checker
        self._tries = tries
        self._peer = peer
        self._log = log
        self.failures = 0

    @property
    def is_over(self) -> bool:
        """Whether the next command is the client's last: it has failed too often."""
        return answers.is_last(self.failures)

    async def __call__(self, credentials: Credentials, *, secured: bool) -> Logged:
        """Check credentials. A wrong password is answered as late as an unknown user. secured: whether there is TLS."""
        loop = asyncio.get_running_loop()
        begun = loop.time()
        found = await self._checked(credentials, secured=secured)
        if found.verdict is Verdict.YES:
            return Logged(answers.ACCEPTED, found.login)
        self.failures += 1
        if found.verdict is Verdict.NO:
            await asyncio.sleep(begun + answers.delay(self.failures) - loop.time())
        return Logged(answers.answer(found.verdict))

    async def _checked(self, credentials: Credentials, *, secured: bool) -> Answer:
        mechanism, login = credentials.mechanism, credentials.login
        trial = self._tries.begin(login, self._peer.remote_ip) if self._tries else None
        if isinstance(trial, TooMany):
            self._log.login_not_tried(mechanism, login, trial.value)
            return Answer(Verdict.LATER)
        found = await self._asked(credentials, secured=secured) if is_sound(login) else _UNSOUND
        if trial and self._tries:
            self._tries.end(trial, found.verdict)
        if found.verdict is not Verdict.YES:
            self._log.login_failed(mechanism, login, found)
        return found

    async def _asked(self, credentials: Credentials, *, secured: bool) -> Answer:
        found = await self._checker.check(credentials, self._peer._replace(secured=secured))
        if found.verdict is Verdict.YES and not is_sound(found.login):
            return Answer(Verdict.LATER, b"", "the name of the user has control characters or is too long")
        return found
