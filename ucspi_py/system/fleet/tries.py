"""Wrong passwords counted over several hosts, so that nobody guesses faster at two of them. Never decides.

While the store cannot be asked, each host's own limits hold alone.
"""

from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any

from ...core.auth.answer import Verdict
from ...core.auth.tries import TooMany
from ...core.fleet import scripts, tries
from ...core.fleet.names import LoginNames, login_names
from ...core.fleet.tries import Question, Trial
from ..store.attempts import Attempts

#: Runs a script with its keys and its arguments -> its answer.
Run = Callable[[str, Sequence[str], Sequence[str]], Awaitable[Any]]


class FleetTries:
    """One worker's tries at the store. attempts, run: to use it."""

    def __init__(self, attempts: Attempts, run: Run) -> None:
        self._attempts = attempts
        self._run = run

    async def begin(self, user: bytes, ip: bytes, *, is_known: bool) -> Trial | TooMany | None:
        """Count a try before anybody is asked; None = it cannot be counted. What was counted is to be ended.

        user: as the client says it. ip: canonical. is_known: this host knows that the user has logged in from there.
        """
        names = login_names(ip, user)
        if names is None:
            return None
        begun = await self._attempts.ask(partial(self._begun, names, is_known=is_known), None)
        if begun is TooMany.USER:
            await self._take_back(tries.taken_back(names))
        return begun

    async def end(self, trial: Trial, verdict: Verdict) -> None:
        """Take a try back that was no wrong password, and remember who has logged in from where."""
        if verdict is Verdict.NO:
            return
        for question in tries.was_right(trial) if verdict is Verdict.YES else tries.was_not_wrong(trial):
            await self._take_back(question)

    async def _begun(self, names: LoginNames, *, is_known: bool) -> Trial | TooMany:
        of_client = tries.found(await self._run(scripts.TRY, *tries.of_client(names, is_known=is_known)))
        too_many = tries.excess(of_client)
        if too_many is None and not of_client.is_known:
            of_user = tries.found(await self._run(scripts.TRY, *tries.of_user(names)))
            too_many = None if of_user.is_counted else TooMany.USER
        return too_many or Trial(names, of_client.is_known)

    async def _take_back(self, question: Question) -> None:
        await self._attempts.tell(partial(self._run, scripts.TAKE_BACK, *question))
