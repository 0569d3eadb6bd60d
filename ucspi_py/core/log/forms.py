r"""An event as a line of logfmt or of JSON. Never writes it.

Each line is UTF-8 and at most PIPE_BUF bytes long. Bytes that are no UTF-8 become the four characters ``\xNN``, so that
no line is lost for what a client has said. So do characters that cannot be seen, or that make others look different:
``\u202e`` for the one behind which a terminal writes from right to left.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from json.encoder import encode_basestring
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


class Stamp(NamedTuple):
    """When and by whom an event is told. ts: as RFC 3339 has it. pid: process id."""

    ts: str
    pid: int


Form = Callable[[Stamp, Event], bytes]


def json_line(stamp: Stamp, event: Event) -> bytes:
    """Write an event as an object of JSON (RFC 8259), with nothing nested but zones."""
    return _plain_json(stamp, event) or _fitting(stamp, event, _json)


def logfmt_line(stamp: Stamp, event: Event) -> bytes:
    """Write an event as ``name=value`` pairs; zones as in ``zones="a=127.0.0.2/3ms b=clean/1ms"``."""
    return _fitting(stamp, event, _logfmt)


FORMS: dict[str, Form] = {"json": json_line, "logfmt": logfmt_line}


def _fitting(stamp: Stamp, event: Event, write: Callable[[Stamp, Event, int], str]) -> bytes:
    for limit in _VALUE_LIMITS:
        data = write(stamp, event, limit).encode()
        if len(data) <= _LINE_LIMIT:
            break
    return data


def _plain_json(stamp: Stamp, event: Event) -> bytes | None:
    """The line of an event that is short and printable, as nearly all are: looked at once, not value by value.

    None = it may not be.
    """
    said = []
    try:
        for name, value in event.fields.items():
            if type(value) is bytes:
                said.append(f',"{name}":{encode_basestring(value.decode())}')
            elif type(value) is str:
                said.append(f',"{name}":{encode_basestring(value)}')
            elif isinstance(value, int):
                said.append(f',"{name}":{value}' if name != "pid" else "")
            elif value is not None:
                return None
        line = f"{_head(stamp, event)}{''.join(said)}}}"
        data = line.encode()
    except UnicodeError:
        return None
    return data + b"\n" if len(data) <= _VALUE_LIMITS[0] and line.isprintable() else None


def _head(stamp: Stamp, event: Event) -> str:
    return f'{{"ts":"{stamp.ts}","level":"{event.level}","event":"{event.name}","pid":{_pid(stamp, event)}'


def _pid(stamp: Stamp, event: Event) -> int:
    """The process that the event names, else the one that tells it."""
    pid = event.fields.get("pid")
    return pid if isinstance(pid, int) else stamp.pid


def _json(stamp: Stamp, event: Event, limit: int) -> str:
    """All fields in their order, one by one: an encoder of objects takes as long for an object as all of this."""
    said = [
        f',"{name}":{_json_value(value, limit)}'
        for name, value in event.fields.items()
        if value is not None and name != "pid"
    ]
    return f"{_head(stamp, event)}{''.join(said)}}}\n"


def _json_value(value: Value, limit: int) -> str:
    if isinstance(value, bytes | str):
        return encode_basestring(_text(value, limit))
    if isinstance(value, int):
        return str(value)
    pairs = [f"{encode_basestring(zone)}:{encode_basestring(word)}" for zone, word in _zones(value, limit)]
    return f"{{{','.join(pairs)}}}"


def _logfmt(stamp: Stamp, event: Event, limit: int) -> str:
    """All fields in their order."""
    said = [
        f" {name}={_logfmt_value(value, limit)}"
        for name, value in event.fields.items()
        if value is not None and name != "pid"
    ]
    return f"ts={stamp.ts} level={event.level} event={event.name} pid={_pid(stamp, event)}{''.join(said)}\n"


def _logfmt_value(value: Value, limit: int) -> str:
    if isinstance(value, bytes | str):
        text = _text(value, limit)
    elif isinstance(value, int):
        return str(value)
    else:
        text = " ".join([f"{zone}={word}" for zone, word in _zones(value, limit)])
    if not _QUOTED.search(text):
        return text
    quoted = re.sub(r'["\\\n\r\t]', lambda found: _ESCAPES[found[0]], text)
    return f'"{_CONTROL.sub(lambda found: chr(92) + ascii(found[0])[1:-1], quoted)}"'


def _zones(zones: Mapping[bytes, bytes] | None, limit: int) -> Iterator[tuple[str, str]]:
    for zone, word in islice((zones or {}).items(), min(_ZONES, limit)):
        yield _text(zone, limit), _text(word, limit)


def _text(value: bytes | str, limit: int) -> str:
    said = value if isinstance(value, bytes) else value.encode("utf-8", "surrogateescape")
    text = (said if len(said) <= limit else said[:limit]).decode("utf-8", "backslashreplace")
    if not text.isprintable():
        text = "".join([char if char.isprintable() or char < " " else ascii(char)[1:-1] for char in text])
    return text if len(said) <= limit else text + "..."
