"""The exact lines of the gate, in the words of Postfix's smtpd. Each function one line; never writes it.

A line about a session has the id of its connection where Postfix has a process id, as one smtpd serves one client.
What a client says is a field without a blank, < or >, and cannot forge another one; nor where a reply repeats it.
"""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from ..log.event import with_event
from ..smtp import loglines as smtp_loglines
from ..smtp.envelope import Envelope
from ..smtp.events import RecipientGiven
from ..smtp.path import Path
from ..smtp.reply import Reply
from ..text import clean
from . import logevents
from .logfields import FIELD_LIMIT, PROGRAM, field, program, who
from .restrictions.judgement import LogLine
from .visitor import Visitor

if TYPE_CHECKING:
    from .content.checked import Note

#: Bytes that are shown of what is quoted raw, as in Postfix.
_RAW_LIMIT = 100
#: Bytes that are shown of what a check has found (cleanup_message.c, cleanup_act_log), and its brackets.
_CONTENT_LIMIT, _ROUND = 200, bytes.maketrans(b"[]<>", b"()()")

_END, _DISCARDED = b"END-OF-MESSAGE", b"milter triggers DISCARD action"

#: What a line is about: a transaction; before it the name in HELO; None where not even that was said.
About = Envelope | bytes | None


class Course(NamedTuple):
    """What a message has gone through.

    delay: seconds for which its client has waited for answers. restriction: the one that has decided about the last
    recipient, or about the whole message; None = none has.
    """

    delay: float = 0.0
    restriction: str | None = None


def rejected(stage: bytes, client: Visitor, reply: Reply, about: About, recipient: Path | None = None) -> bytes:
    """Report a refusal. stage: the verb, or ``END-OF-MESSAGE``. recipient: None where none is meant alone."""
    said = _told(reply, *_paths(about, recipient))
    words = (program(client), stage, who(client), said, _about(about, recipient), _user(client))
    line = b"%b: NOQUEUE: reject: %b from %b: %b; %b%b\n" % words
    return with_event(line, partial(logevents.rejected, stage, client, reply, about, recipient))


def filtered(stage: bytes, client: Visitor, reply: Reply | None, about: About, recipient: Path | None = None) -> bytes:
    """Report what a milter refuses, at the end of a message without the code, as cleanup does.

    stage: as of rejected(). reply: None = the message is thrown away. recipient: None where all are meant; then smtpd
    names the first, and cleanup the last (smtpd.c, check_milter_reply; cleanup_milter.c, cleanup_milter_apply).
    """
    if recipient is None and isinstance(about, Envelope) and about.recipients:
        recipient = about.recipients[-1 if stage == _END else 0]
    kind, said = b"milter-discard", _DISCARDED
    if reply:
        kind, said = b"milter-reject", _told(reply, *_paths(about, recipient))
    text = said.partition(b" ")[2] if reply and stage == _END else said
    words = (program(client), kind, stage, who(client), text, _about(about, recipient), _user(client))
    line = b"%b: NOQUEUE: %b: %b from %b: %b; %b%b\n" % words
    return with_event(line, partial(logevents.filtered, stage, client, reply, about, recipient))


def noted(stage: bytes, client: Visitor, line: LogLine, about: About, recipient: Path | None = None) -> bytes:
    """Report what a list has to say of a command that it need not refuse (smtpd_check.c, log_whatsup). stage: the verb.

    recipient: None where none is meant alone.
    """
    if line.kind == b"warning":
        return warning(line.text, client)
    text = _shown(clean(line.text), *_paths(about, recipient))
    words = (program(client), line.kind, stage, who(client), text, _about(about, recipient), _user(client))
    told = b"%b: NOQUEUE: %b: %b from %b: %b; %b%b\n" % words
    return with_event(told, partial(logevents.noted, stage, client, line, about, recipient))


def screened(screen: bytes, pid: int, client: Visitor, reply: Reply, wanted: RecipientGiven | None) -> bytes:
    """Name a client that a screen before the gate refuses, as the screen does, and what it wanted.

    screen: its name. pid: process id. wanted: None where the client left before it named a recipient.
    """
    wishes = () if wanted is None else (_envelope(*wanted),)
    fields = (*wishes, b"id=" + client.unique_id) if client.unique_id else wishes
    words = b"%b; %b" % (reply.line, b" ".join(fields)) if fields else reply.line
    line = smtp_loglines.refused(screen, field(client.ip), pid, words)
    return with_event(line, partial(logevents.screened, screen, pid, client, reply, wanted))


def message(client: Visitor, envelope: Envelope, size: int, reply: Reply, course: Course) -> bytes:
    """Report the end of a message. size: bytes of content. reply: what the client was told. course: of the message."""
    fields = b"from=<%b> nrcpt=%d size=%d %b relay=%b delay=%.2f" % (
        field(envelope.sender.address),
        len(envelope.recipients),
        size,
        _session(envelope),
        b"yes" if client.is_trusted else b"no",
        course.delay,
    )
    if client.tls:
        fields += b" tls=" + field(client.tls.protocol)
    if client.login:
        fields += b" sasl_method=%b sasl_username=%b" % (field(client.method), field(client.login))
    if course.restriction:
        fields += b" restriction=" + course.restriction.encode()
    told = _told(reply, envelope.sender, *envelope.recipients)
    line = b"%b: message from %b: %b; %b\n" % (program(client), who(client), told, fields)
    return with_event(line, partial(logevents.message, client, envelope, size, reply, course))


def checked(client: Visitor, note: "Note", envelope: Envelope) -> bytes:
    """Report what a header or body check has found (cleanup_message.c, cleanup_act_log)."""
    said = note.content[:_CONTENT_LIMIT], note.text[:FIELD_LIMIT]
    content, text = (clean(one).translate(_ROUND) for one in said)
    about = _envelope(envelope, next(reversed(envelope.recipients), None))
    about += b": " + text if text else b""
    words = (program(client), note.action, note.part, content, who(client), about)
    line = b"%b: NOQUEUE: %b: %b %b from %b; %b\n" % words
    return with_event(line, partial(logevents.checked, client, note, envelope))


def lost(client: Visitor, after: bytes, size: int | None = None) -> bytes:
    """Report a client that is gone. after: its last verb. size: bytes of content so far; None = outside of content."""
    got = b"" if size is None else b" (%d bytes)" % size
    line = b"%b: lost connection after %b%b from %b\n" % (program(client), after, got, who(client))
    return with_event(line, partial(logevents.left, client, "lost connection", after, size))


def timed_out(client: Visitor, after: bytes, size: int | None = None) -> bytes:
    """Report a client that said nothing for too long. after: its last verb. size: as of lost()."""
    got = b"" if size is None else b" (%d bytes)" % size
    line = b"%b: timeout after %b%b from %b\n" % (program(client), after, got, who(client))
    return with_event(line, partial(logevents.left, client, "timeout", after, size))


def too_many_errors(client: Visitor, after: bytes) -> bytes:
    """Report a client that was left for its errors. after: its last verb."""
    line = b"%b: too many errors after %b from %b\n" % (program(client), after, who(client))
    return with_event(line, partial(logevents.left, client, "too many errors", after))


def improper_pipelining(client: Visitor, after: bytes, data: bytes) -> bytes:
    """Report a client that did not wait. after: the verb whose reply it had to wait for, CONNECT for the banner.

    data: what it has sent too early.
    """
    words = (program(client), after, who(client), _raw(data))
    line = b"%b: improper command pipelining after %b from %b: %b\n" % words
    return with_event(line, partial(logevents.left, client, "improper command pipelining", after, None, data))


def not_smtp(client: Visitor, after: bytes, data: bytes) -> bytes:
    """Report a client that speaks another protocol. after: its last verb. data: what it has sent."""
    line = b"%b: non-SMTP command after %b from %b: %b\n" % (program(client), after, who(client), _raw(data))
    return with_event(line, partial(logevents.left, client, "non-SMTP command", after, None, data))


def disconnected(client: Visitor, counts: Mapping[bytes, Sequence[int]]) -> bytes:
    """Count the commands of a session that is over. counts: of each verb those that were accepted, and all."""
    words, total = [], [0, 0]
    for verb, (accepted, every) in counts.items():
        words.append(_count(verb.lower(), accepted, every))
        total[0] += accepted
        total[1] += every
    words.append(_count(b"commands", *total))
    line = b"%b: disconnect from %b %b\n" % (program(client), who(client), b" ".join(words))
    return with_event(line, partial(logevents.disconnected, client, counts))


def exceeded(client: Visitor, what: bytes, count: int, service: bytes) -> bytes:
    """Report a client over one of its limits (smtpd.c). what: the limit's name. count: what the client has come to."""
    words = (program(client), what, count, who(client), field(service))
    line = b"%b: warning: %b limit exceeded: %d from %b for service %b\n" % words
    return with_event(line, partial(logevents.exceeded, client, what, count, service))


def warning(sentence: str | bytes, client: Visitor | None = None) -> bytes:
    """Report something wrong that the gate survives. client: in whose session; None = it is about no one of them."""
    said_by = PROGRAM if client is None else program(client)
    text = sentence if isinstance(sentence, bytes) else sentence.encode("utf-8", "surrogateescape")
    return with_event(b"%b: warning: %b\n" % (said_by, clean(text)), partial(logevents.warning, text, client))


def _user(client: Visitor) -> bytes:
    """smtpd_check.c, log_whatsup: behind all that the client has said."""
    return b" sasl_username=<%b>" % field(client.login) if client.login else b""


def _told(reply: Reply, *paths: Path) -> bytes:
    """A reply on one line. What is quoted in an address could hold fields of a line: ``"; from=<a> to=<b>"@c``."""
    return Reply(reply.code, (_shown(reply.texts[0], *paths),)).line


def _shown(text: bytes, *paths: Path) -> bytes:
    """A text with the addresses in it as fields."""
    for address in (path.address for path in paths):
        text = text.replace(address, field(address))
    return text


def _paths(about: About, recipient: Path | None) -> tuple[Path, ...]:
    paths = (about.sender,) if isinstance(about, Envelope) else ()
    return paths if recipient is None else (*paths, recipient)


def _about(about: About, recipient: Path | None) -> bytes:
    if isinstance(about, Envelope):
        return _envelope(about, recipient)
    return b"proto=SMTP" if about is None else b"proto=SMTP helo=<%b>" % field(about)


def _envelope(envelope: Envelope, recipient: Path | None) -> bytes:
    to = b"" if recipient is None else b"to=<%b> " % field(recipient.address)
    return b"from=<%b> %b%b" % (field(envelope.sender.address), to, _session(envelope))


def _session(envelope: Envelope) -> bytes:
    return b"proto=%b helo=<%b>" % (b"ESMTP" if envelope.esmtp else b"SMTP", field(envelope.helo))


def _count(name: bytes, accepted: int, every: int) -> bytes:
    """Postfix: one number where all were accepted."""
    return b"%b=%d" % (name, every) if accepted == every else b"%b=%d/%d" % (name, accepted, every)


def _raw(data: bytes) -> bytes:
    r"""The first bytes, those that cannot be shown as escapes: ``EHLO x\r\n``."""
    return data[:_RAW_LIMIT].decode("latin-1").encode("unicode_escape")
