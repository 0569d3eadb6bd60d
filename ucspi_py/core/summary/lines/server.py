"""The lines of tcpserver behind ``tcpserver: `` -> events. As core/service/loglines.py writes them."""

import re
from collections.abc import Callable

from ..events import Connected, Denied, Ended, Event, LinesLost, Load, TurnedAway, Warned

_DECIDED = re.compile(rb"(\d{1,10}) \S+ [^ :]*:(\S{1,45}):[^ :]*:\d+")
_AWAY = re.compile(rb"\d+ from ([0-9a-fA-F.:]{2,45}): (.*)")
_ENDED = re.compile(rb"(\d{1,10}) status \d+")
_STATUS = re.compile(rb"(\d{1,10})/(\d{1,10})")
_LOST = re.compile(rb"(\d{1,18}) log lines lost")


def server_event(text: bytes) -> Event | None:
    """Read a line; None where it tells nothing that is counted."""
    word, _, rest = text.partition(b" ")
    read = _READERS.get(word)
    return read(word, rest) if read else None


def _decided(word: bytes, rest: bytes) -> Event | None:
    found = _DECIDED.fullmatch(rest)
    if not found:
        return None
    return Connected(found[2], int(found[1])) if word == b"ok" else Denied(found[2])


def _load(_word: bytes, rest: bytes) -> Event | None:
    found = _STATUS.fullmatch(rest)
    return Load(int(found[1]), int(found[2])) if found else None


def _ended(_word: bytes, rest: bytes) -> Event | None:
    found = _ENDED.fullmatch(rest)
    return Ended(int(found[1])) if found else None


def _away(word: bytes, rest: bytes) -> Event | None:
    found = _AWAY.fullmatch(rest)
    return TurnedAway(found[1], word, found[2]) if found else None


def _warning(_word: bytes, rest: bytes) -> Event:
    found = _LOST.match(rest)
    return LinesLost(int(found[1])) if found else Warned(rest)


_READERS: dict[bytes, Callable[[bytes, bytes], Event | None]] = {
    b"ok": _decided,
    b"deny": _decided,
    b"status:": _load,
    b"end": _ended,
    **dict.fromkeys((b"limit", b"tls", b"proxy"), _away),
    b"warning:": _warning,
}
