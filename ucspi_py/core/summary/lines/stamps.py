"""The stamp in front of a log line -> seconds, and the line behind it. Never looks at what a line says.

Seconds count from 1970 by the clock that the stamp shows: UTC for TAI64N, and whatever the logger wrote for others.
"""

import re
from collections.abc import Callable
from datetime import date
from typing import NamedTuple

#: libtai, tai_now.c: a TAI64 label counts from 2^62, and 10 s more than Unix time.
_TAI64 = (1 << 62) + 10
#: svlogd -tt, tai64nlocal, s6-log T, RFC 3339 and containers; behind it the rest of the second and the zone.
_ISO = re.compile(
    rb"(\d{4})-(\d\d)-(\d\d)[T _](\d\d):(\d\d):(\d\d)(?:[.,:]\d+)?(?:Z|[+-]\d\d:?\d\d)? +(?:std(?:out|err) [FP] +)?"
)
#: RFC 3164, 4.1.2. It has no year.
_SYSLOG = re.compile(rb"([A-Z][a-z]{2}) ([ \d]\d) (\d\d):(\d\d):(\d\d)(?:\.\d+)? +")
#: qmail's splogger, behind syslog's tag: Unix time.
_SPLOGGER = re.compile(rb"\d{10}\.\d{6} +")
#: Behind a date: syslog's host and tag. What ends in a colon is a program and no host.
_SOURCE = re.compile(rb"(?!@)[^ ]*[^ :] [^ :\[]+(?:\[\d+\])?: +")
#: A priority for the journal (sd-daemon(3)), or the name of a service that docker compose puts in front of all.
_FRONT = re.compile(rb"<\d>|[\w.-]+ +\| ")
_MONTHS = {name: number for number, name in enumerate(b"Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(), 1)}
#: Stamps in front of one line: a supervisor's, a container's, a collector's.
_MOST = 3
_AT, _DIGITS, _CAPITALS = ord("@"), range(ord("0"), ord("9") + 1), range(ord("A"), ord("Z") + 1)
_EPOCH = date(1970, 1, 1).toordinal()
#: The year 10000.
_END = 253_402_300_800


class Stamped(NamedTuple):
    """A line behind its stamps.

    seconds: of the last stamp, since 1970; None = it has none. has_date: whether that may have a source behind it,
    syslog's host and tag; no other one has.
    """

    seconds: int | None
    text: bytes
    has_date: bool = False


class Stamps:
    """Reads the stamps of one log. today: in whose past all stamps without a year are."""

    def __init__(self, today: date) -> None:
        self._today = today
        self._known: tuple[bytes, int | None] = (b"", None)

    def split(self, line: bytes) -> Stamped:
        """Take the stamps off a line. The last one is that of whoever was nearest to the program."""
        stamped = Stamped(None, line)
        for _ in range(_MOST):
            found = self._stamp(stamped.text)
            if found:
                stamped = found
            elif front := _FRONT.match(stamped.text):
                stamped = stamped._replace(text=stamped.text[front.end() :])
            else:
                break
        return stamped

    def behind_source(self, stamped: Stamped) -> Stamped | None:
        """Take a source off a line behind its date, and the stamps behind that; None = there is none."""
        found = _SOURCE.match(stamped.text) if stamped.has_date else None
        if not found:
            return None
        inner = self.split(stamped.text[found.end() :])
        return inner if inner.seconds is not None else inner._replace(seconds=stamped.seconds)

    def _stamp(self, line: bytes) -> Stamped | None:
        first = line[0] if line else 0
        if first == _AT and line[25:26] == b" ":
            return Stamped(self._seconds(line[1:17], _of_tai64), line[26:].lstrip(b" "))
        if first in _DIGITS and (found := _ISO.match(line)):
            return Stamped(self._seconds(line[:19], _of_iso), line[found.end() :], has_date=True)
        if first in _DIGITS and (found := _SPLOGGER.match(line)):
            return Stamped(int(line[:10]), line[found.end() :])
        if first in _CAPITALS and (found := _SYSLOG.match(line)):
            return Stamped(self._seconds(line[:15], self._of_syslog), line[found.end() :], has_date=True)
        return None

    def _seconds(self, text: bytes, of: Callable[[bytes], int]) -> int | None:
        """Read a stamp; most lines have the second of the line before."""
        if text != self._known[0]:
            try:
                self._known = text, believable(of(text))
            except (KeyError, ValueError):
                self._known = text, None
        return self._known[1]

    def _of_syslog(self, text: bytes) -> int:
        month, day, clock = _MONTHS[text[:3]], int(text[4:6]), text[7:]
        year = self._today.year
        if (month, day) > (self._today.month, self._today.day + 1):  # a day ahead: another time zone
            year -= 1
        return _at(year, month, day, clock)


def believable(seconds: int) -> int | None:
    """Tell seconds since 1970 that a calendar has; None where they are none."""
    return seconds if 0 <= seconds < _END else None


def iso_seconds(text: bytes) -> int | None:
    """Read a time of RFC 3339 that stands alone; None where it is none."""
    try:
        return believable(_of_iso(text[:19])) if _ISO.match(text + b" ") else None
    except ValueError:
        return None


def _of_tai64(text: bytes) -> int:
    return int(text, 16) - _TAI64


def _of_iso(text: bytes) -> int:
    return _at(int(text[:4]), int(text[5:7]), int(text[8:10]), text[11:])


def _at(year: int, month: int, day: int, clock: bytes) -> int:
    days = date(year, month, day).toordinal() - _EPOCH
    return days * 86400 + int(clock[:2]) * 3600 + int(clock[3:5]) * 60 + int(clock[6:8])
