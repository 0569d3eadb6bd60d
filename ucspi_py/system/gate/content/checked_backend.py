"""A backend that gets what the checks of a message pass on, and no end of one that they refuse. Never judges."""

import asyncio
from collections.abc import Callable, Sequence
from typing import NamedTuple

from ....core.gate.content.checked import Note
from ....core.smtp.reply import Reply
from ..backend.pipe import BackendEnds
from ..backend.running import RunningBackend
from .checking import Checking
from .turns import Turns

#: Bytes that wait to be looked at: from so many on nothing more is to be sent.
_FULL = 64 * 1024


class SessionChecks(NamedTuple):
    """What checks the messages of one session.

    begin: begins with a message. turns: of all who check. note: gets a line for the log.
    """

    begin: Callable[[], Checking]
    turns: Turns
    note: Callable[[Note], None]


class CheckedBackend(RunningBackend):
    """As RunningBackend, of the same ends; content goes by way of the checks."""

    def __init__(self, checks: SessionChecks, *ends: *BackendEnds) -> None:
        loop, connected, dialogue, report, on_room = ends
        super().__init__(loop, connected, dialogue, report, self._socket_has_room)
        self._checks = checks
        self._room = on_room
        self._checking: Checking | None = None
        self._verdict: Reply | None = None
        self._is_checked: asyncio.Future[None] | None = None
        self._error: Exception | None = None

    @property
    def is_full(self) -> bool:
        """Whether so much content waits, to be looked at or for the backend, that no more is to be sent."""
        return self._has_much_to_check or super().is_full

    @property
    def _has_much_to_check(self) -> bool:
        return self._checking is not None and self._checking.message.waiting >= _FULL

    def send(self, content: bytes) -> None:
        """Have content looked at and sent; thrown away where the backend takes none, or the message is refused."""
        if self.takes_content:
            self._begun().message.feed(content)
            self._checks.turns.want(self._turn)

    def prepend(self, headers: Sequence[bytes]) -> None:
        """Have headers of lists looked at, too; it is counted how many are left."""
        if headers and self.takes_content:
            self._begun().message.begin_with(len(headers))
        super().prepend(headers)

    async def end_of_data(self) -> Reply:
        """Wait until all is looked at; send the final dot of a message that passes. Cancelled, closes the backend."""
        if self.takes_content:
            self._begun().message.end()
            await self._all_checked()
        if self._error:
            raise self._error
        verdict, self._verdict, self._checking = self._verdict, None, None
        return verdict or await super().end_of_data()

    def close(self) -> None:
        """Close at once. A message without its final dot is none."""
        self._checks.turns.leave(self._turn)
        was_full, self._checking = self._has_much_to_check, None
        self._tell_checked()
        super().close()
        if was_full:
            self._room()

    def _begun(self) -> Checking:
        self._checking = self._checking or self._checks.begin()
        return self._checking

    async def _all_checked(self) -> None:
        self._is_checked = self._loop.create_future()
        self._checks.turns.want(self._turn)
        try:
            await self._is_checked
        except BaseException:
            self.close()
            raise
        finally:
            self._is_checked = None

    def _turn(self) -> bool:
        """Look at some of what came. An error ends this session, and disturbs no other."""
        try:
            return self._look_on()
        except Exception as error:
            self._error = error
            self.close()
            return False

    def _look_on(self) -> bool:
        checking = self._checking
        if checking is None or super().is_full:
            return False
        was_full = self.is_full
        checking.go_on()
        self._pass_on(checking)
        if was_full and not self.is_full:
            self._room()
        if checking.message.is_done:
            self._tell_checked()
        return self._checking is not None and not checking.message.is_done

    def _pass_on(self, checking: Checking) -> None:
        message = checking.message
        for note in message.notes:
            self._checks.note(note)
        message.notes.clear()
        content = message.take_output()
        if message.verdict:
            self._verdict = message.verdict
            self.close()
        elif content:
            super().send(content)

    def _socket_has_room(self) -> None:
        if self._checking is not None and not self._checking.message.is_done:
            self._checks.turns.want(self._turn)
        if not self.is_full:
            self._room()

    def _tell_checked(self) -> None:
        if self._is_checked and not self._is_checked.done():
            self._is_checked.set_result(None)
