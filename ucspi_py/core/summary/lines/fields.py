"""Lines of ``--log json`` and ``--log logfmt`` -> fields -> events. Never reads a line in djb's form.

Read are the fields ``event``, ``ip``, ``pid``, ``decision``, ``code``, ``reply``, ``zones``, ``user``, ``method``,
``how``, ``rule``, ``running``, ``limit`` and ``msg``, of messages ``size`` and ``recipients``, ``delay`` of a greylist,
and ``action`` and ``part`` of header checks. What a line is about is told by ``event``, and of a connection by
``decision``.
"""

import json
import re
from collections.abc import Callable, Mapping

from .. import events as told
from ..events import Event, Finding

Fields = Mapping[str, object]

_PAIR = re.compile(rb'([A-Za-z_][\w.-]*)=(?:"((?:[^"\\]|\\.)*)"|([^ "]*))(?: +|$)')
_ESCAPE = re.compile(r"\\(.)")
_MEANT = {"n": "\n", "r": "\r", "t": "\t"}
_WORD = re.compile(r"([^/]+)(?:/(\d{1,9})ms)?")
#: Fields of one line, and zones that it may name.
_MOST = 100
#: Bytes of a zone's name, of an address (INET6_ADDRSTRLEN), and of why the greylist lets in.
_LONGEST, _ADDRESS, _REASON = 200, 45, 80
#: The lowest code of a reply that refuses.
_REFUSED = 400


def of_json(text: bytes) -> Fields | None:
    """Read an object of JSON; None where it is none."""
    try:
        fields = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return fields if isinstance(fields, dict) else None


def of_logfmt(text: bytes) -> Fields | None:
    """Read ``name=value name="a value"``; None where other things stand between."""
    fields: dict[str, object] = {}
    at = 0
    while at < len(text) and len(fields) < _MOST:
        pair = _PAIR.match(text, at)
        if pair is None:
            return None
        at = pair.end()
        quoted, bare = pair[2], pair[3]
        value = (bare if quoted is None else quoted).decode("utf-8", "backslashreplace")
        if quoted is not None:
            value = _ESCAPE.sub(lambda found: _MEANT.get(found[1], found[1]), value)
        fields[pair[1].decode("ascii")] = value
    return fields


def events(fields: Fields) -> tuple[Event, ...]:
    """Read what the fields of a line tell; () where nothing of it is counted."""
    make = _EVENTS.get(_text(fields, "event")) or _DECISIONS.get(_text(fields, "decision"))
    made = make(fields) if make else None
    whole = (made,) if made is None or not _is_whole(made, fields) else _whole(made, fields)
    return tuple(one for one in (_judged(fields), *whole, _load(fields)) if one is not None)


def _is_whole(made: Event, fields: Fields) -> bool:
    """Whether a refusal is all that is told of a connection: tcpserver knows its port, and the gate does not."""
    return isinstance(made, told.Screened) and "port" in fields


def _whole(made: Event, fields: Fields) -> tuple[Event, ...]:
    """In djb's form the rules have let it in first, and its end comes behind."""
    return _connected(fields), made, told.Ended(_number(fields, "pid"))


def _judged(fields: Fields) -> Event | None:
    findings = _findings(fields)
    return told.Judged(_ip(fields), findings, _code(fields) >= _REFUSED) if findings else None


def _load(fields: Fields) -> Event | None:
    if "running" not in fields:
        return None
    return told.Load(_number(fields, "running"), _number(fields, "limit"))


def _connected(fields: Fields) -> Event:
    return told.Connected(_ip(fields), _number(fields, "pid"))


def _denied(fields: Fields) -> Event:
    return told.Denied(_ip(fields))


def _turned_away(fields: Fields) -> Event:
    by = _bytes(fields, "decision").removesuffix(b"_error")
    return told.TurnedAway(_ip(fields), by, _bytes(fields, "msg") or by)


def _screened(fields: Fields) -> Event:
    screen = b"greylist" if _text(fields, "decision") == "greylisted" else _bytes(fields, "how") or b"rblsmtpd"
    return told.Screened(_ip(fields), screen, _code(fields), _reply(fields))


def _rejected(fields: Fields) -> Event:
    stage = _bytes(fields, "stage")
    return told.Rejected(_ip(fields), stage, _code(fields), _reply(fields), _bytes(fields, "rule"))


def _filtered(fields: Fields) -> Event:
    """A message that is refused at its end has an event of its own."""
    action, stage = _bytes(fields, "action"), _bytes(fields, "stage")
    if action == b"reject" and stage != b"END-OF-MESSAGE":
        return _rejected(fields)
    return told.Checked(b"milter-" + action, stage)


def _message(fields: Fields) -> Event:
    return told.Message(
        _ip(fields),
        _code(fields),
        _reply(fields),
        _number(fields, "size"),
        _number(fields, "recipients"),
        bool(_text(fields, "how")),
        _bytes(fields, "user"),
        _bytes(fields, "rule"),
    )


def _visited(fields: Fields) -> Event | None:
    word = _text(fields, "how")
    if word not in _CAME:
        return None
    delay = _number(fields, "delay") if "delay" in fields else None
    return told.Visited(told.Came(word), (_bytes(fields, "msg") or word.encode())[:_REASON], delay)


def _findings(fields: Fields) -> tuple[Finding, ...]:
    """``{"bl": "127.0.0.2/12ms"}``; in logfmt the same in one text, ``bl=127.0.0.2/12ms other=clean``."""
    zones = fields.get("zones")
    if isinstance(zones, str):
        zones = dict(word.split("=", 1) for word in zones.split() if "=" in word)
    if not isinstance(zones, dict):
        return ()
    found = ((str(zone), _WORD.fullmatch(str(word))) for zone, word in list(zones.items())[:_MOST])
    return tuple(
        Finding(_encoded(zone)[:_LONGEST], _encoded(word[1]), int(word[2] or 0)) for zone, word in found if word
    )


def _reply(fields: Fields) -> bytes:
    """The text of a reply, without its code."""
    return re.sub(rb"^[245]\d\d[ -]", b"", _bytes(fields, "reply"))


def _code(fields: Fields) -> int:
    """The reply's code; of a line that has it in the reply alone, that."""
    number = _number(fields, "code")
    head = _text(fields, "reply")[:3]
    return number or (int(head) if head.isdecimal() and head.isascii() else 0)


def _ip(fields: Fields) -> bytes:
    return _bytes(fields, "ip")[:_ADDRESS]


def _text(fields: Fields, name: str) -> str:
    value = fields.get(name)
    return value if isinstance(value, str) else ""


def _bytes(fields: Fields, name: str) -> bytes:
    return _encoded(_text(fields, name))


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "backslashreplace")


def _number(fields: Fields, name: str) -> int:
    value = fields.get(name)
    if isinstance(value, int) and 0 <= value < 1 << 63:
        return int(value)
    return int(value) if isinstance(value, str) and value.isdecimal() and value.isascii() and len(value) < 19 else 0


_CAME = {came.value for came in told.Came}
_DECISIONS: dict[str, Callable[[Fields], Event | None]] = {
    "ok": _connected,
    "deny": _denied,
    **dict.fromkeys(("drop", "limit", "shed", "proxy_error", "tls_error"), _turned_away),
    **dict.fromkeys(("refused", "greylisted"), _screened),
}
_EVENTS: dict[str, Callable[[Fields], Event | None]] = {
    "end": lambda fields: told.Ended(_number(fields, "pid")),
    "checked": lambda fields: told.Checked(_bytes(fields, "action"), _bytes(fields, "part").partition(b" ")[0]),
    "spared": lambda fields: told.Spared(_ip(fields), _reply(fields)),
    "reject": _rejected,
    "milter": _filtered,
    "message": _message,
    "greylist": _visited,
    "grant": lambda fields: told.Granted(_bytes(fields, "user"), _bytes(fields, "how")),
    "relay": lambda fields: told.GrantUsed(_ip(fields), _bytes(fields, "user"), _bytes(fields, "how")),
    "login": lambda fields: told.LoggedIn(_ip(fields), _bytes(fields, "user"), _bytes(fields, "method")),
    "login_failed": lambda fields: told.LoginFailed(_ip(fields), _bytes(fields, "user")),
    "login_not_tried": lambda fields: told.Warned(b"SASL authentication not tried: " + _bytes(fields, "msg")),
    "left": lambda fields: told.Left(_ip(fields), _bytes(fields, "msg")),
    "warning": lambda fields: told.Warned(_bytes(fields, "msg")),
    "lost": lambda fields: told.LinesLost(_number(fields, "lost")),
}
