"""An event: what a log line tells, as a value. Never says in which form it is written, nor when it was.

A line in djb's form carries its event with it, which is made only where another form is asked for.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

INFO, WARNING, ERROR = "info", "warning", "error"

#: What a client has said, as it has said it; our own words; a number; the findings of zones by alias. None = unknown.
Value = bytes | str | int | Mapping[bytes, bytes] | None


class Event(NamedTuple):
    """One event. name: what it is about. fields: by name. level: INFO, WARNING or ERROR."""

    name: str
    fields: Mapping[str, Value]
    level: str = INFO

    def having(self, fields: Mapping[str, Value]) -> "Event":
        """Put fields before its own, which stay as they are."""
        return self._replace(fields={**fields, **self.fields})


class Line(bytes):
    """A line in djb's form, with its newline. event: makes what it tells."""

    event: Callable[[], Event]


def with_event(text: bytes, event: Callable[[], Event]) -> bytes:
    """Make a line that carries its event. text: in djb's form."""
    made = Line(text)
    made.event = event
    return made


def of_connection(told: bytes, cid: bytes | None) -> bytes:
    """Say of which connection a line is. told: stays as it is in djb's form. cid: its id; None = nobody knows."""
    if cid is None or not isinstance(told, Line):
        return told
    make = told.event
    return with_event(told, lambda: make().having({"cid": cid}))


def event_of(told: bytes) -> Event:
    """Make the event of a line that may carry one; of another one the whole line is what it says.

    told: in djb's form, with or without its newline.
    """
    if isinstance(told, Line):
        return told.event()
    text = told.rstrip(b"\n")
    program, mark, sentence = text.partition(b": warning: ")
    if mark and program.isalpha():
        return Event("warning", {"program": program, "msg": sentence}, WARNING)
    return Event("note", {"msg": text})
