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

    def say(self, *lines: bytes) -> None:
        """Write what whole lines tell."""
        self.tell(*map(event_of, _each(lines)))

    def tell(self, *events: Event) -> None:
        """Write events, all in one write if they fit into PIPE_BUF."""
        super().say(*map(self._written, events))

    def _gap(self, number: int) -> bytes:
        return self._written(logevents.lost(number))

    def _written(self, event: Event) -> bytes:
        line = self._form(Stamp(self._now(), os.getpid()), event)
        return self._priorities[event.level] + line if self._priorities else line

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
