"""What the lines of the gate tell, as events. Each function one event, of what its line of loglines.py is made of.

What a client has said stands in fields as it has said it.
"""

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from ..log.event import WARNING, Event, Value
from ..smtp import loglines as smtp_loglines
from ..smtp.envelope import Envelope
from ..smtp.events import ExchangeFailed, RecipientGiven
from ..smtp.path import Path
from ..smtp.reply import Reply
from .restrictions.judgement import LogLine
from .visitor import UNKNOWN, Visitor

if TYPE_CHECKING:
    from .content.checked import Note
    from .loglines import About, Course

Fields = dict[str, Value]
#: What check_greylist says of a visit (core/gate/greylist/check.py).
_VISIT = re.compile(rb"action=(greylist|pass), reason=([^,(]*?)(?: \(\d+s missing\))?(?:, delay=(\d+))?")


def rejected(stage: bytes, client: Visitor, reply: Reply, about: "About", recipient: Path | None) -> Event:
    """See loglines."""
    return Event("reject", {**_who(client), "stage": stage, **_told(reply), **_about(about, recipient)})


def filtered(stage: bytes, client: Visitor, reply: Reply | None, about: "About", recipient: Path | None) -> Event:
    """See loglines."""
    said: Fields = {"action": "reject", **_told(reply)} if reply else {"action": "discard"}
    return Event("milter", {**_who(client), "stage": stage, **said, **_about(about, recipient)})


def noted(stage: bytes, client: Visitor, line: LogLine, about: "About", recipient: Path | None) -> Event:
    """See loglines. What only a dry run, or warn_if_reject, lets pass is spared; its text is a reply."""
    if line.kind == b"warning":
        return warning(line.text, client)
    name, said = _noted(line)
    return Event(name, {**_who(client), "stage": stage, **said, **_about(about, recipient)})


def screened(screen: bytes, pid: int, client: Visitor, reply: Reply, wanted: RecipientGiven | None) -> Event:
    """Tell of a client that a screen before the gate refuses. pid: process id. The others: as in loglines."""
    about = {} if wanted is None else _about(*wanted)
    refusal = smtp_loglines.refusal(screen, client.ip, pid, reply.line)
    return refusal._replace(fields={**_who(client), **refusal.fields, **about})


def message(client: Visitor, envelope: Envelope, size: int, reply: Reply, course: "Course") -> Event:
    """Tell the end of a message, and by what its client may send to anybody. size: bytes of content."""
    fields: Fields = {
        "how": _trusted_by(client),
        **_told(reply),
        "size": size,
        "recipients": len(envelope.recipients),
        "ms": round(1000 * course.delay),
        "rule": course.restriction,
    }
    return Event("message", {**_who(client), **fields, **_about(envelope, None)})


def checked(client: Visitor, note: "Note", envelope: Envelope) -> Event:
    """See loglines."""
    said: Fields = {"action": note.action, "part": note.part, "content": note.content, "text": note.text}
    return Event("checked", {**_who(client), **said, **_about(envelope, None)})


def left(client: Visitor, how: str, after: bytes, size: int | None = None, data: bytes | None = None) -> Event:
    """Tell of a session that ended otherwise than by QUIT. after: the last verb.

    size: bytes of content so far; None = outside of content. data: what was sent too early; None = nothing.
    """
    return Event("left", {**_who(client), "msg": how, "stage": after, "size": size, "content": data})


def disconnected(client: Visitor, counts: Mapping[bytes, Sequence[int]]) -> Event:
    """Sum a session up. counts: of each verb how many were accepted, and how many there were."""
    totals = [sum(numbers) for numbers in zip(*counts.values(), strict=True)] or [0, 0]
    verbs = b" ".join(b"%b=%d/%d" % (verb.lower(), good, every) for verb, (good, every) in counts.items())
    return Event("disconnect", {**_who(client), "accepted": totals[0], "commands": totals[1], "verbs": verbs})


def exceeded(client: Visitor, what: bytes, count: int, service: bytes) -> Event:
    """Warn of a client over a limit. what: which. count: to how many it has come. service: where."""
    words = b"%b limit exceeded: %d for service %b" % (what, count, service)
    return warning(words, client)


def warning(sentence: bytes | str, client: Visitor | None) -> Event:
    """See loglines."""
    who = {} if client is None else _who(client)
    return Event("warning", {"program": "smtpgate", **who, "msg": sentence}, WARNING)


def tls_failed(client: Visitor, reason: str) -> Event:
    """See loglines of logins."""
    return Event("tls", {**_who(client), "decision": "tls_error", "msg": reason}, WARNING)


def exchange_failed(client: Visitor, event: ExchangeFailed) -> Event:
    """See loglines of logins."""
    who = {**_who(client), "method": event.mechanism}
    return Event("warning", {"program": "smtpgate", **who, "msg": f"SASL {event.why.value}"}, WARNING)


def logged_in(client: Visitor) -> Event:
    """See loglines of logins."""
    return Event("login", _who(client))


def login_failed(client: Visitor, mechanism: bytes, login: bytes, reason: str, *, is_tried: bool = True) -> Event:
    """See loglines of logins. is_tried: whether anybody was asked."""
    name = "login_failed" if is_tried else "login_not_tried"
    return Event(name, {**_who(client), "method": mechanism, "user": login, "msg": reason}, WARNING)


def too_many_recipients(client: Visitor, count: int) -> Event:
    """Warn of a user over the limit of recipients in an hour. count: to how many it has come."""
    return warning(f"Hourly recipient limit exceeded: {count}", client)


def _who(client: Visitor) -> Fields:
    return {
        "cid": client.unique_id or None,
        "ip": client.ip,
        "host": None if client.name == UNKNOWN else client.name,
        "user": client.login or None,
        "method": client.method or None,
        "tls": client.tls.protocol if client.tls else None,
        "cipher": client.tls.cipher if client.tls else None,
        "sni": client.tls.server_name or None if client.tls else None,
    }


def _noted(line: LogLine) -> tuple[str, Fields]:
    """Name an event, with what is said in it."""
    if line.kind == b"reject_warning":
        code, _, text = line.text.partition(b" ")
        return "spared", {"code": int(code), "reply": text} if code.isdigit() else {"reply": line.text}
    visit = _VISIT.fullmatch(line.text) if line.kind == b"info" else None
    if visit is None:
        return line.kind.decode("ascii"), {"text": line.text}
    action, reason, delay = visit.groups()
    if action == b"greylist":
        return "greylist", {"how": "new" if reason == b"new" else "early", "msg": reason}
    return "greylist", {"how": "known" if delay is None else "passed", "msg": reason, "delay": delay and int(delay)}


def _trusted_by(client: Visitor) -> str | None:
    if client.login:
        return "auth"
    if client.certified:
        return "cert"
    return "rule" if client.relays else None


def _told(reply: Reply) -> Fields:
    return {"code": reply.code, "reply": reply.texts[0]}


def _about(about: "About", recipient: Path | None) -> Fields:
    to = None if recipient is None else recipient.address
    if isinstance(about, Envelope):
        return {"helo": about.helo, "sender": about.sender.address, "recipient": to}
    return {"helo": about, "recipient": to}
