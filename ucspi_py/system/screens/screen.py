"""A screen in service: its kind decides, it acts. The same in a worker and in a process that has one client.

Loads neither asyncio nor dns: where the environment decides, nobody has to be asked.
"""

import os
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from ...core.client.connection import UNIQUE_ID
from ...core.log.event import of_connection
from ...core.metrics.asked import Heard, unheard
from ...core.service.settings import ScreenSettings
from ...core.smtp.verdict import Outcome, Verdict
from ..report.log import Log

if TYPE_CHECKING:
    from ..dnsbl.judge import Zones


class Judge(Protocol):
    """Who is asked about a client: zones, a store. Made in the process that uses it."""

    async def open(self) -> None:
        """Get ready before the first client comes; what is wrong is said in the log."""

    async def judge(self, environment: Mapping[bytes, bytes], client: socket.SocketType | None, /) -> Outcome:
        """Judge the client that the environment describes. client: None = it is on no socket."""

    async def close(self) -> None:
        """Give everything back."""


@dataclass(frozen=True, slots=True)
class Host:
    """What the process gives to its screens.

    zones: makes the way to the zones, once for each screen that asks them. count: takes the totals_name of a screen
    and what it says of a client. heard: how each question to a store went.
    """

    log: Log
    zones: "Callable[[], Zones]"
    count: Callable[[bytes, Verdict], None]
    heard: Heard = unheard


class Kind(NamedTuple):
    """A kind of screen. Its options are a row of cli/chain/program.py.

    settings: the type of its settings, which all functions here take. unasked: decides by the environment alone; None =
    ask; the number is the process id. judge: makes who is asked. load: imports what judge will need; raises ImportError
    where a library is missing.
    """

    settings: type[Any]
    unasked: Callable[[Any, Mapping[bytes, bytes], int], Outcome | None]
    judge: Callable[[Any, Host], Judge]
    load: Callable[[Any], None]


class Screen:
    """One screen in one process, which must not fork after the first client."""

    def __init__(self, settings: ScreenSettings, kind: Kind, host: Host) -> None:
        self.settings = settings
        self._kind = kind
        self._host = host
        self._judge: Judge | None = None

    async def open(self) -> None:
        """Get ready before the first client comes."""
        await self._asked().open()

    def judge_unasked(self, environment: dict[bytes, bytes]) -> Verdict | None:
        """Tell what becomes of a client, if its environment decides; None = judge has to ask."""
        outcome = self._kind.unasked(self.settings, environment, os.getpid())
        return self._act(environment, outcome) if outcome else None

    async def judge(self, environment: dict[bytes, bytes], client: socket.SocketType | None) -> Verdict:
        """Tell what becomes of the client that the environment describes, log and count it; -i leaves marks there.

        client: its socket; None = it is on none, and cannot be watched.
        """
        verdict = self.judge_unasked(environment)
        return verdict or self._act(environment, await self._asked().judge(environment, client))

    async def close(self) -> None:
        """Give back what was opened."""
        if self._judge:
            await self._judge.close()

    def _asked(self) -> Judge:
        self._judge = self._judge or self._kind.judge(self.settings, self._host)
        return self._judge

    def _act(self, environment: dict[bytes, bytes], outcome: Outcome) -> Verdict:
        environment.update(outcome.variables)
        for line in outcome.lines:
            self._host.log.say(of_connection(line, environment.get(UNIQUE_ID)))
        if self.settings.totals_name:
            self._host.count(self.settings.totals_name, outcome.said)
        return outcome.verdict
