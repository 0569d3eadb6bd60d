"""The log as events, in a form that other programs read. Each line is an event, and never waits either."""

import os
import time
from collections.abc import Iterator

from ....core.log.event import Event, event_of
from ....core.log.forms import FORMS, Stamp
from ....core.service import logevents
from ..journal import PRIORITIES, is_journal
from ..log import Log
from ..nonblocking import Write, writer


class EventLog(Log):
    """Writes events, and lines in djb's form as what they tell. See Log.

    verbosity: as of Log. form: a name of FORMS.
    """

    of_events = True

    def __init__(self, verbosity: int, form: str, write: Write | None = None) -> None:
        super().__init__(verbosity, write or writer(2))
        self._form = FORMS[form]
        self._priorities = PRIORITIES if write is None and is_journal(2) else {}
        self._second = 0
        self._date = ""
        self._note_pid()
        os.register_at_fork(after_in_child=self._note_pid)

    def say(self, *lines: bytes) -> None:
        """Write what whole lines tell."""
        super().say(*(self._written(event_of(line)) for line in _each(lines)))

    def tell(self, event: Event) -> None:
        """Write an event."""
        line = self._written(event)
        if self.lost or not self._put(line):  # say() counts it, if there is no room still
            super().say(line)

    def _gap(self, number: int) -> bytes:
        return self._written(logevents.lost(number))

    def _written(self, event: Event) -> bytes:
        line = self._form(Stamp(self._now(), self._pid), event)
        return self._priorities[event.level] + line if self._priorities else line

    def _note_pid(self) -> None:
        """Once for each process: getpid(2) takes as long as a sixth of a line."""
        self._pid = os.getpid()

    def _now(self) -> str:
        """RFC 3339, in UTC."""
        second, nanoseconds = divmod(time.time_ns(), 1_000_000_000)
        if second != self._second:
            self._second, self._date = second, time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second))
        return f"{self._date}.{nanoseconds // 1000:06}Z"


def _each(lines: tuple[bytes, ...]) -> Iterator[bytes]:
    """Each line alone: a stack trace comes in pieces of several."""
    for line in lines:
        if line.count(b"\n") > 1:
            yield from line.splitlines()
        else:
            yield line
