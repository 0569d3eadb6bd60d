"""Connects to one milter for all clients of a process: a breaker, and connections that are kept. Judges nobody."""

import time
from collections.abc import Callable

from ....core.dns.message import Ask
from ....core.gate.milter.settings import Milter, MilterSettings
from ....core.metrics.asked import HeardOfOne, Went, unheard_of_one
from ....core.milter.failure import MilterFailed
from ....core.store import breaker
from ...store.reason import reason
from ..reach import NoAddress, connected_socket
from .connection import MilterConnection, OpenConnections

#: Seconds for which a connection is kept that nobody uses, and how many are.
_KEPT_SECONDS, _MOST_KEPT = 60.0, 20


class MilterClient:
    """Connects to a milter.

    settings: of the milter. ask: queries records. say: gets a sentence where it fails, once a minute. heard: how each
    question went.
    """

    def __init__(
        self,
        milter: Milter,
        settings: MilterSettings,
        ask: Ask,
        say: Callable[[str], None],
        heard: HeardOfOne = unheard_of_one,
    ) -> None:
        self.milter = milter
        self.settings = settings
        self._ask = ask
        self._say = say
        self.heard = heard
        self._kept: list[MilterConnection] = []
        self._open = OpenConnections()
        self._standing = breaker.Standing()
        self._has_failed = self._is_tried = False

    async def begin(self) -> MilterConnection:
        """Have a connection for a client, with what is agreed on. Raises MilterFailed where there is none to be had.

        Behind a failure one client at a time finds out whether it is well again; the others do not wait for it.
        """
        while self._kept:
            connection = self._kept.pop()
            if connection.is_open:
                connection.anew()
                return connection
        if self._is_tried or not breaker.may_be_asked(self._standing, time.monotonic()):
            self.heard(Went.SKIPPED, 0.0)
            raise MilterFailed("it has just failed")
        since, tries = time.monotonic(), self._has_failed
        self._is_tried = tries
        try:
            connection = await self._connected()
        except MilterFailed as failure:
            self.heard(Went.FAILED, time.monotonic() - since)
            self.failed(failure, at_begin=True)
            raise
        finally:
            if tries:
                self._is_tried = False
        self._has_failed = False
        return connection

    def failed(self, failure: MilterFailed, *, at_begin: bool = False) -> None:
        """Note that it has failed one client, and say so where that is not said yet. at_begin: before it heard of any.

        Others are let pass by it for two seconds then, and where it was late. What it has said to one client, or that
        it has left one, may be that client's doing: others ask it all the same.
        """
        now = time.monotonic()
        is_worth_a_line = breaker.is_worth_a_line(self._standing, now)
        if at_begin or failure.is_late:
            self._has_failed = True
            self._standing = breaker.failed(self._standing, now)
            self.close()
        if is_worth_a_line:
            self._standing = breaker.told(self._standing, now)
            action = self.settings.default_action.value
            self._say(f"milter {self.milter}: {failure.sentence}; its default action is done, {action}")

    def end(self, connection: MilterConnection) -> None:
        """Say that a client has left, and keep the connection for the next one where the milter can do that."""
        dialogue = connection.dialogue
        if dialogue.answer is None:
            connection.close()
            return
        self._kept = [one for one in self._kept if one.is_open]
        is_kept = dialogue.may_be_kept and connection.is_open and len(self._kept) < _MOST_KEPT
        dialogue.quit(is_kept=is_kept)
        connection.send()
        if is_kept:
            connection.keep(_KEPT_SECONDS)
            self._kept.append(connection)
        else:
            connection.close()

    def close(self) -> None:
        """Give all connections back that nobody uses."""
        while self._kept:
            self._kept.pop().close()

    async def _connected(self) -> MilterConnection:
        settings = self.settings
        deadline = time.monotonic() + settings.connect_timeout
        try:
            connected = await connected_socket(self.milter.server, settings.queue_directory, self._ask, deadline)
        except (OSError, NoAddress) as failure:
            raise MilterFailed(reason(failure)) from None
        connection = MilterConnection(settings.protocol, connected, self._open)
        connection.dialogue.negotiate()
        await connection.answer(settings.command_timeout)
        if connection.dialogue.failure:
            raise connection.dialogue.failure
        return connection
