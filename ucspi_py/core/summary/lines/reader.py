"""A line of a log -> what it tells: djb's lines with any stamp, logfmt, JSON, and JSON around other lines."""

from collections.abc import Callable
from datetime import date
from typing import NamedTuple

from ..events import Event
from . import screens
from .fields import Fields, events, of_json, of_logfmt
from .gate import gate_event, visit
from .server import server_event
from .stamps import Stamps, believable, iso_seconds

#: What docker, journalctl and others call the line in an object of JSON; and its time.
_LINES = ("log", "MESSAGE", "message", "msg")
_TIMES = ("ts", "time", "timestamp")
#: systemd.journal-fields(7): microseconds since 1970.
_JOURNAL_TIME, _MICRO = "__REALTIME_TIMESTAMP", 1_000_000
#: Objects of JSON around one line.
_DEEPEST = 2


class Told(NamedTuple):
    """What a line tells. seconds: since 1970 by the clock of its stamp, None = it has none."""

    seconds: int | None
    events: tuple[Event, ...]


class Reader:
    """Reads the lines of one log. today: in whose past all stamps without a year are."""

    def __init__(self, today: date) -> None:
        self._stamps = Stamps(today)

    def read(self, line: bytes) -> Told:
        """Read a line without its newline.

        It counts if nothing but stamps stands in front of the program's name: what a client has said, quoted in
        another program's line, is never read as a line of ours.
        """
        return self._read(line, _DEEPEST)

    def _read(self, line: bytes, depth: int) -> Told:
        stamped = self._stamps.split(line)
        found = _plain(stamped.text)
        if found is None and (behind := self._stamps.behind_source(stamped)):
            stamped, found = behind, _plain(behind.text)
        seconds, text, _ = stamped
        if found is not None:
            return Told(seconds, found)
        fields = of_json(text) if text.startswith(b"{") else of_logfmt(text) if text.startswith(b"ts=") else None
        return self._of_fields(fields, seconds, depth) if fields else Told(seconds, ())

    def _of_fields(self, fields: Fields, seconds: int | None, depth: int) -> Told:
        """Read what fields tell, or the line that is one of them."""
        seconds = _time(fields) if seconds is None else seconds
        found = events(fields)
        line = next((fields[name] for name in _LINES if isinstance(fields.get(name), str)), None)
        if found or line is None or not depth:
            return Told(seconds, found)
        inner = self._read(str(line).rstrip("\n").encode("utf-8", "backslashreplace"), depth - 1)
        return inner if inner.seconds is not None else inner._replace(seconds=seconds)


def _plain(text: bytes) -> tuple[Event, ...] | None:
    """Read a line in djb's form; None where it is none of ours, () where it tells nothing that is counted."""
    program, _, rest = text.partition(b": ")
    read = _PROGRAMS.get(program.partition(b"[")[0])
    if read:
        found = read(program, rest)
    elif b"action=" in text[:40] and (visited := visit(text)):
        found = visited
    else:
        return None
    return () if found is None else (found,)


def _time(fields: Fields) -> int | None:
    for name in _TIMES:
        text = fields.get(name)
        if isinstance(text, str):
            return iso_seconds(text.encode("utf-8", "replace"))
    micro = fields.get(_JOURNAL_TIME)
    is_time = isinstance(micro, str) and micro.isdecimal() and len(micro) < 19
    return believable(int(str(micro)) // _MICRO) if is_time else None


def _of_server(_program: bytes, text: bytes) -> Event | None:
    return server_event(text)


_PROGRAMS: dict[bytes, Callable[[bytes, bytes], Event | None]] = {
    b"tcpserver": _of_server,
    b"sslserver": _of_server,
    b"rblsmtpd": screens.refusal,
    b"greylist": screens.refusal,
    b"dnsbl": screens.zones,
    b"relay": screens.relay,
    b"guard": screens.warning,
    b"smtpgate": gate_event,
}
