"""What becomes of a command. Never says why."""

import enum
from typing import NamedTuple

from ...smtp.reply import Reply, reply

#: What a client is told whose message is thrown away.
DISCARDED = reply(250, b"2.0.0 Ok: discarded")


class Verdict(enum.Enum):
    """Of one restriction, and of a list: OK ends its list, REJECT ends all, DUNNO leaves it to the next."""

    DUNNO = "dunno"
    OK = "ok"
    REJECT = "reject"


class Deferral(NamedTuple):
    """A refusal that is kept for later (smtpd_check.c, defer_if). detail: the enhanced status code (RFC 3463)."""

    code: int
    detail: bytes
    text: bytes


class LogLine(NamedTuple):
    """A line for the log.

    kind: ``reject_warning``, ``info``, ``warn`` or ``discard``, told with the stage and the envelope (smtpd_check.c,
    log_whatsup); or ``warning``, which stands alone.
    """

    kind: bytes
    text: bytes


def with_headers(
    headers: tuple[bytes, ...], more: tuple[bytes, ...], once: frozenset[bytes] = frozenset()
) -> tuple[bytes, ...]:
    """Put further headers on top of a message. once: beginnings; no header comes behind another with the same one.

    A beginning may be all of a line, with its end.
    """
    for header in more:
        alone = tuple(one for one in once if (header + b"\n").startswith(one))
        if not alone or not any((one + b"\n").startswith(alone) for one in headers):
            headers = (*headers, header)
    return headers


class Judgement(NamedTuple):
    """The verdict of all lists of a stage.

    reply: the refusal; None = they let it pass. lines: in their order. discard: the message is taken, and thrown away.
    prepend: headers for the top of the message. pause: seconds to wait before the reply. deferred: what the next stages
    must be told (Facts.deferred), also by a command that is refused; only without smtpd_delay_reject. restriction: the
    one that has decided; None = none has, each has left it to the next. once: as of with_headers().
    """

    reply: Reply | None = None
    lines: tuple[LogLine, ...] = ()
    discard: bool = False
    prepend: tuple[bytes, ...] = ()
    pause: int = 0
    deferred: Deferral | None = None
    restriction: str | None = None
    once: frozenset[bytes] = frozenset()

    @property
    def in_dry_run(self) -> "Judgement":
        """What is left of it where nothing is refused and nothing thrown away; its reply is to be logged."""
        lines = tuple(line._replace(kind=b"warn") if line.kind == b"discard" else line for line in self.lines)
        decided = None if self.reply else self.restriction
        return self._replace(reply=None, lines=lines, discard=False, restriction=decided)
