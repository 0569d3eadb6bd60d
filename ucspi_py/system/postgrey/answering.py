"""A request -> the action that it is answered with. Asks the zones and the greylist; decides nothing itself."""

import time
from collections.abc import Callable
from email.utils import formatdate

from ...core.greylist.attempt import Attempt
from ...core.policy.reply import DUNNO
from ...core.policy.request import Request
from ...core.postgrey import answers, loglines, questions
from ...core.postgrey.answers import Answer
from ...core.postgrey.instances import Instances
from ...core.postgrey.questions import Unasked
from ...core.postgrey.settings import Answering
from ...core.smtp.verdict import Accept, Refuse
from ..greylist.greylister import Greylister
from ..report.log import Log
from ..screens.screen import Judge


class Answers:
    """Those of one process, which must not fork afterwards.

    zones: who asks them; None = there are none. clock: gives seconds since 1970.
    """

    def __init__(
        self, asked: Answering, log: Log, zones: Judge | None = None, clock: Callable[[], float] = time.time
    ) -> None:
        self._asked = asked
        self._log = log
        self._zones = zones
        self._clock = clock
        self._greylister = Greylister(asked.triplets, self._complain, clock)
        self._instances = Instances()

    async def open(self) -> None:
        """Get ready before the first client comes; what is wrong is said in the log."""
        await self._greylister.open()

    def reload(self) -> None:
        """Read the whitelists again."""
        self._greylister.reload()

    async def answer(self, request: Request) -> bytes:
        """Answer a request with an action, and log why."""
        attempt = questions.attempt(request)
        if isinstance(attempt, Unasked):
            self._log.warn(attempt.line)
            return DUNNO
        answer = await self._screened(request, attempt) or await self._greylisted(request, attempt)
        self._log.detail(*answer.lines)
        return answer.action

    async def close(self) -> None:
        """Give everything back."""
        await self._greylister.close()

    async def _screened(self, request: Request, attempt: Attempt) -> Answer | None:
        """What the zones say, None = nothing against the client."""
        if self._zones is None:
            return None
        outcome = await self._zones.judge({b"TCPREMOTEIP": attempt.ip}, None)
        self._log.detail(*outcome.lines)
        match outcome.verdict:
            case Refuse() as refusal:
                return answers.screened(refusal, request)
            case Accept(vouched=True):
                return answers.vouched(request)
        return None

    async def _greylisted(self, request: Request, attempt: Attempt) -> Answer:
        verdict = await self._greylister.judge(attempt)
        return answers.greylisted(verdict, request, self._asked, lambda waited: self._header(request, waited))

    def _header(self, request: Request, waited: int) -> bytes | None:
        if not self._instances.is_new(request.get(b"instance")):
            return None
        return answers.header(waited, self._asked, formatdate(self._clock(), localtime=True).encode())

    def _complain(self, sentence: str) -> None:
        self._log.warn(loglines.warning(sentence))
