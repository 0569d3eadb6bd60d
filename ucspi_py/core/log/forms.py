r"""An event as a line of logfmt or of JSON. Never writes it.

Each line is UTF-8 and at most PIPE_BUF bytes long. Bytes that are no UTF-8 become the four characters ``\xNN``, so that
no line is lost for what a client has said. So do characters that cannot be seen, or that make others look different:
``\u202e`` for the one behind which a terminal writes from right to left.
"""

import json
import re
from collections.abc import Callable, Mapping
from typing import NamedTuple

from .event import Event, Value

#: Bytes of a line: POSIX has a write to a pipe whole up to as many on every system that we know; and its priority.
_LINE_LIMIT = 4096 - len("<4>")
#: Bytes of a value that are shown; fewer of each where the line has no room for so many.
_VALUE_LIMITS = (512, 128, 32, 8)
#: Zones that are shown.
_ZONES = 64
_CONTROL = re.compile("[\x00-\x1f]")
_QUOTED = re.compile(r'[\x00-\x20"=\\]|^$')
_ESCAPES = {'"': r"\"", "\\": r"\\", "\n": r"\n", "\r": r"\r", "\t": r"\t"}

_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


class Stamp(NamedTuple):
    """When and by whom an event is told. ts: as RFC 3339 has it. pid: process id."""

    ts: str
    pid: int


Form = Callable[[Stamp, Event], bytes]


def json_line(stamp: Stamp, event: Event) -> bytes:
    """Write an event as an object of JSON (RFC 8259), with nothing nested but zones."""
    return _fitting(stamp, event, _json)


def logfmt_line(stamp: Stamp, event: Event) -> bytes:
    """Write an event as ``name=value`` pairs; zones as in ``zones="a=127.0.0.2/3ms b=clean/1ms"``."""
    return _fitting(stamp, event, _logfmt)


FORMS: dict[str, Form] = {"json": json_line, "logfmt": logfmt_line}


def _fitting(stamp: Stamp, event: Event, write: Callable[[dict[str, "_Shown"]], str]) -> bytes:
    for limit in _VALUE_LIMITS:
        data = write(_shown(stamp, event, limit)).encode()
        if len(data) < _LINE_LIMIT:
            break
    return data + b"\n"


_Shown = str | int | dict[str, str]


def _shown(stamp: Stamp, event: Event, limit: int) -> dict[str, _Shown]:
    """All fields in their order. limit: bytes of each value."""
    fields: dict[str, _Shown] = {"ts": stamp.ts, "level": event.level, "event": event.name, "pid": stamp.pid}
    for name, value in event.fields.items():
        if value is not None:
            fields[name] = _value(value, limit)
    return fields


def _value(value: Value, limit: int) -> _Shown:
    if isinstance(value, int):
        return value
    if isinstance(value, Mapping):
        few = list(value.items())[: min(_ZONES, limit)]
        return {_text(zone, limit): _text(word, limit) for zone, word in few}
    return _text(value if isinstance(value, bytes) else str(value).encode("utf-8", "surrogateescape"), limit)


def _text(value: bytes, limit: int) -> str:
    cut = value[:limit] if len(value) > limit else value
    text = cut.decode("utf-8", "backslashreplace")
    if not text.isprintable():
        text = "".join([char if char.isprintable() or char < " " else ascii(char)[1:-1] for char in text])
    return text if cut is value else text + "..."


def _json(fields: dict[str, _Shown]) -> str:
    return _encode(fields)


def _logfmt(fields: dict[str, _Shown]) -> str:
    return " ".join([f"{name}={_logfmt_value(value)}" for name, value in fields.items()])


def _logfmt_value(value: _Shown) -> str:
    if isinstance(value, int):
        return str(value)
    text = value if isinstance(value, str) else " ".join([f"{zone}={word}" for zone, word in value.items()])
    if not _QUOTED.search(text):
        return text
    quoted = re.sub(r'["\\\n\r\t]', lambda found: _ESCAPES[found[0]], text)
    return f'"{_CONTROL.sub(lambda found: chr(92) + ascii(found[0])[1:-1], quoted)}"'
