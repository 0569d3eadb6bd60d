"""The logins of one session: how often, how slowly, and what is said of them. Never checks a password itself."""

import asyncio
from typing import NamedTuple

from ....core.auth.answer import Answer, Verdict
from ....core.auth.credentials import Credentials, Peer
from ....core.gate.logins import answers, loglines
from ....core.gate.logins.logged_in import is_sound, logged_in
from ....core.gate.visitor import Visitor
from ...auth.checker import Checker
from ..session import Answered, Session
from ..session_log import SessionLog
from .trials import Trials

_UNSOUND = Answer(Verdict.NO, b"", "the user has control characters or is too long")


class Checking(NamedTuple):
    """What the logins of a process have.

    trials: counts wrong passwords beyond the session; None = nobody does. channel: the class of whoever has logged in,
    b"" = as it was.
    """

    checker: Checker
    trials: Trials | None
    channel: bytes = b""


class SessionLogin:
    """Lets one client log in (session.CheckLogin). peer: between whom it is said."""

    __slots__ = ("_checking", "_failures", "_log", "_peer", "_session")

    def __init__(self, checking: Checking, session: Session, peer: Peer) -> None:
        self._checking = checking
        self._session = session
        self._peer = peer
        self._log: SessionLog = session.log
        self._failures = 0

    async def __call__(self, credentials: Credentials, client: Visitor) -> Answered:
        """Check credentials. A wrong password is as slow as an unknown user. client: who it is without them."""
        loop = asyncio.get_running_loop()
        begun = loop.time()
        found = await self._checked(credentials)
        if found.verdict is Verdict.YES:
            channel = self._checking.channel
            user = logged_in(client, self._session.environment, found.login, credentials.mechanism, channel)
            self._log.say(loglines.logged_in(user._replace(name=self._log.visitor.name)))
            return Answered(answers.ACCEPTED, found.login, user)
        self._failures += 1
        if found.verdict is Verdict.NO:
            await asyncio.sleep(begun + answers.delay(self._failures) - loop.time())
        later = answers.left(self._session.name) if answers.is_last(self._failures) else None
        return Answered(answers.answer(found.verdict), later=later)

    async def _checked(self, credentials: Credentials) -> Answer:
        mechanism, login = credentials.mechanism, credentials.login
        trials = self._checking.trials
        counted = await trials.begin(login, self._peer.remote_ip) if trials else None
        if isinstance(counted, str):
            self._log.say(loglines.login_not_tried(self._log.visitor, mechanism, login, counted))
            return Answer(Verdict.LATER)
        found = await self._asked(credentials) if is_sound(login) else _UNSOUND
        if counted and trials:
            await trials.end(counted, found.verdict)
        if found.verdict is not Verdict.YES:
            self._log.say(loglines.login_failed(self._log.visitor, mechanism, login, answers.reason(found)))
        return found

    async def _asked(self, credentials: Credentials) -> Answer:
        peer = self._peer._replace(secured=self._session.dialogue.within_tls)
        found = await self._checking.checker.check(credentials, peer)
        if found.verdict is Verdict.YES and not is_sound(found.login):
            return Answer(Verdict.LATER, b"", "the name of the user has control characters or is too long")
        return found
