"""One evaluation of restriction lists (smtpd_check.c): what was refused, what is kept for later, what is still asked.

It lives for one call of judge(), and is begun anew when more is known: nothing in it lasts.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple, NoReturn

from ...smtp.path import Path
from ...smtp.reply import LINE_LIMIT, Reply
from .addresses.resolved import Resolved
from .asking import Asking
from .facts import Facts, Stage
from .judgement import Deferral, Judgement, LogLine, Verdict
from .questions import Known
from .restriction import TABLE, WARN_IF_REJECT, Restriction, Restrictions
from .settings import RestrictionSettings

#: smtpd_check.c, check_table_result: lists in tables that lead to lists in tables.
_DEPTH_LIMIT = 100
#: smtpd.c, NEUTER_CHARACTERS: a HELO name is kept without them.
_NEUTERED = bytes(byte if 32 < byte < 127 and byte not in b'<>()\\";@' else ord("?") for byte in range(256))
#: stringops.h, printable(): what cannot be shown is a blank.
_PRINTABLE = bytes(byte if 32 <= byte < 127 else ord(" ") for byte in range(256))


class Subject(NamedTuple):
    """What a list is about.

    name: the value, and kind: what it is, both for replies: ``<name>: kind rejected``. access: the check that a table
    without a restriction before it gets; None = none.
    """

    name: bytes
    kind: bytes
    access: str | None


class Late(NamedTuple):
    """A restriction that is evaluated when all lists have passed. warns_only: it is only to be logged."""

    restriction: Restriction
    warns_only: bool


Check = Callable[["Evaluation", Restriction, Subject], Verdict]


class Ended(Exception):
    """The command is refused because something is wrong with the configuration or a table."""


class Evaluation(Asking):
    """A run through the lists of one command.

    settings: the lists. facts: of the session. known: the answers so far. checks: of each restriction, by its name.
    """

    def __init__(self, settings: RestrictionSettings, facts: Facts, known: Known, checks: Mapping[str, Check]) -> None:
        super().__init__(known)
        self.settings = settings
        self.facts = facts
        self.discard = facts.discard
        self.if_permit = facts.deferred
        self.checked_unlisted: set[bytes] = set()
        self.resolved: dict[Path, Resolved] = {}
        self.late: Late | None = None
        self._checks = checks
        self._if_reject: Deferral | None = None
        self._depth = 0
        self._warn_depth = 0
        self._reply: Reply | None = None
        self._lines: list[LogLine] = []
        self._prepended: list[bytes] = []
        self._once: list[bytes] = []
        self._pause = 0
        self._decided: str | None = None

    @property
    def helo(self) -> bytes | None:
        """The HELO name: as it was said at its own command, and as it is kept for the later ones."""
        said = self.facts.helo
        return said if said is None or self.facts.stage is Stage.HELO else said.translate(_NEUTERED)

    @property
    def recipient(self) -> Path | None:
        """The recipient that is judged; None where there are several, who cannot be told apart (smtpd_check_data)."""
        is_shared = self.facts.stage is not Stage.RCPT and self.facts.accepted > 1
        return None if is_shared else self.facts.recipient

    @property
    def warns_only(self) -> bool:
        """Whether the restriction is only to be logged (warn_if_reject)."""
        return self._warn_depth > 0

    def judgement(self) -> Judgement:
        """What has come of it."""
        return Judgement(
            self._reply,
            tuple(self._lines),
            self.discard,
            tuple(self._prepended),
            self._pause,
            self.if_permit,
            self._decided,
            frozenset(self._once),
        )

    def begin(self) -> None:
        """Begin a stage: what earlier ones said of a later refusal is forgotten (SMTPD_CHECK_RESET)."""
        self._if_reject = self._decided = None
        self._depth = self._warn_depth = 0

    def run(self, restrictions: Restrictions, subject: Subject) -> Verdict:
        """Evaluate a list (generic_checks)."""
        outer = self._depth
        self._depth += 1
        verdict = Verdict.DUNNO
        for restriction in restrictions:
            if self.discard:
                break
            if restriction.name == WARN_IF_REJECT:
                self._warn_depth = self._warn_depth or self._depth
                continue
            verdict = self._checks[restriction.name](self, restriction, subject)
            self._stop_warning()
            if verdict is not Verdict.DUNNO:
                self._decided = subject.access if restriction.name == TABLE else restriction.word or self._decided
                break
            if self.if_permit and self._if_reject:
                break
        self._depth = outer
        self._stop_warning()
        return verdict

    def run_of_table(self, restrictions: Restrictions, subject: Subject, table: object) -> Verdict:
        """Evaluate the list that is a table's value."""
        if self._depth > _DEPTH_LIMIT:
            self.fail(f"access table {table} causes unreasonable recursion")
        return self.run(restrictions, subject)

    def reject(self, code: int, detail: bytes, text: bytes, *, soften: bool = True) -> Verdict:
        """Refuse, unless an earlier restriction or a parameter forbids that (smtpd_check_reject).

        code: of the reply. detail: the enhanced status code; its first digit is made that of the code. soften:
        warn_if_reject has a say.
        """
        warns = soften and self.warns_only
        if not 400 <= code <= 599:
            self.warn(f"SMTP reply code configuration error: {code}")
            code, detail, text = 450, b"4.7.1", b"Service unavailable"
        if not warns and self._if_reject and code >= 500:
            kept, self._if_reject, self._warn_depth = self._if_reject, None, 0
            return self.reject(*kept)
        code -= 100 if self.settings.soft_bounce and code >= 500 else 0
        words = b"%d%b %b" % (code // 100, detail[1:], text)
        line = (b"%d %b" % (code, words))[:LINE_LIMIT].translate(_PRINTABLE)
        if warns:
            self._lines.append(LogLine(b"reject_warning", line))
            return Verdict.DUNNO
        self._reply = Reply(code, (line[4:],))
        return Verdict.REJECT

    def put_off(self, restriction: Restriction) -> None:
        """Keep a restriction for the time when all lists have passed; of several the first one that is to refuse."""
        if self.late is None or (self.late.warns_only and not self.warns_only):
            self.late = Late(restriction, self.warns_only)

    def reject_late(self, code: int, detail: bytes, text: bytes) -> Verdict:
        """Refuse by the restriction that was put off. code, detail: as of reject()."""
        self._warn_depth = 1 if self.late and self.late.warns_only else 0
        return self.reject(code, detail, text)

    def defer_if_permit(self, code: int, detail: bytes, text: bytes) -> Verdict:
        """Refuse where nothing later does; the first reason is kept. A warning is given at once.

        code, detail: as of reject().
        """
        if self.warns_only:
            return self.reject(code, detail, text)
        self.if_permit = self.if_permit or Deferral(code, detail, text)
        return Verdict.DUNNO

    def defer_if_reject(self, code: int, detail: bytes, text: bytes) -> Verdict:
        """Make a later refusal a temporary one; the first reason is kept. code, detail: as of reject()."""
        self._if_reject = self._if_reject or Deferral(code, detail, text)
        return Verdict.DUNNO

    def fail(self, sentence: str) -> NoReturn:
        """Refuse for now, because the configuration is wrong (reject_server_error)."""
        self.warn(sentence)
        self.reject(451, b"4.3.5", b"Server configuration error", soften=False)
        raise Ended

    def fail_lookup(self, name: bytes) -> NoReturn:
        """Refuse for now, because a table cannot be read (reject_dict_retry). name: what was looked up."""
        self.reject(451, b"4.3.0", b"<%b>: Temporary lookup failure" % name, soften=False)
        raise Ended

    def warn(self, sentence: str) -> None:
        """Say for the log what is wrong."""
        self._lines.append(LogLine(b"warning", sentence.encode("utf-8", "surrogateescape")))

    def say(self, kind: bytes, text: bytes) -> None:
        """Say for the log what a table wants said of the command."""
        self._lines.append(LogLine(kind, text))

    def prepend(self, header: bytes, once: bytes = b"") -> None:
        """Put a header on top of the message. once: its beginning, if the message is to have none that begins so."""
        self._prepended.append(header)
        if once:
            self._once.append(once)

    def wait(self, seconds: int) -> None:
        """Wait before the reply. seconds: added to those that others want."""
        self._pause += seconds

    def _stop_warning(self) -> None:
        if self._warn_depth >= self._depth:
            self._warn_depth = 0
