"""The lists of Postfix, evaluated as in the server and watched: each restriction with its verdict and its facts."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import NamedTuple

from ..gate.language.restriction_parameters import LISTS
from ..gate.restrictions import stages
from ..gate.restrictions.evaluation import Check, Evaluation, Subject
from ..gate.restrictions.facts import Facts
from ..gate.restrictions.judgement import Judgement, LogLine, Verdict
from ..gate.restrictions.questions import Answer, GreylistQuestion, Known, Question
from ..gate.restrictions.restriction import Restriction, Restrictions
from ..gate.restrictions.settings import RestrictionSettings
from ..text import shown
from .steps import Judged
from .words import facts as told
from .words import restriction_text

_WORDS = {Verdict.OK: "permit", Verdict.DUNNO: "dunno", Verdict.REJECT: "reject"}


class Trace(NamedTuple):
    """One command as it was judged by the lists.

    facts: of the session. pause: seconds that the client waits. refuses: whether the lists refuse it.
    """

    facts: Facts
    judged: tuple[Judged, ...]
    pause: int
    refuses: bool


class Tracer:
    """Judges as the server does, and keeps how. take: gets the trace of each command."""

    def __init__(self, take: Callable[[Trace], None]) -> None:
        self._take = take

    def judge(self, settings: RestrictionSettings, facts: Facts, known: Known) -> Judgement | tuple[Question, ...]:
        """Judge a command, as stages.judge() does; what sleeps there is told, and not waited for."""
        watched: list[_Watched] = []

        def begin(*parts: *_Parts) -> Evaluation:
            watched.append(_Watched(*parts))
            return watched[-1]

        found = stages.judge(settings, facts, known, begin)
        if not isinstance(found, Judgement):
            return found
        self._take(Trace(facts, watched[-1].seen(), found.pause, found.reply is not None))
        return found._replace(pause=0)


_Parts = tuple[RestrictionSettings, Facts, Known, Mapping[str, Check]]


class _Watched(Evaluation):
    """An evaluation that keeps what it has done."""

    def __init__(self, settings: RestrictionSettings, facts: Facts, known: Known, checks: Mapping[str, Check]) -> None:
        watching = {name: partial(self._watch, check) for name, check in checks.items()}
        super().__init__(settings, facts, known, watching)
        self._names = {id(getattr(settings, name)): name for name in LISTS}
        self._running: list[str] = []
        self._seen: list[Judged] = []
        self._asking: list[dict[Question, Answer]] = [{}]

    def seen(self) -> tuple[Judged, ...]:
        """Tell each restriction in its turn, and last what is looked at behind all lists."""
        by_lists = any(one.verdict.startswith("reject") for one in self._seen)
        refusal = None if by_lists or self._reply is None else self._reply.line
        verdict = f"reject: {shown(refusal)}" if refusal else "dunno"
        visits, others = dict[Question, Answer](), dict[Question, Answer]()
        for question, answer in self._asking[0].items():
            (visits if isinstance(question, GreylistQuestion) else others)[question] = answer
        seen = list(self._seen)
        if others or (refusal and not visits):
            seen.append(Judged("", 0, "unlisted addresses", "dunno" if visits else verdict, told(others)))
        if visits and self.late:
            seen.append(Judged("", 0, restriction_text(self.late.restriction), verdict, told(visits)))
        return tuple(seen)

    def run(self, restrictions: Restrictions, subject: Subject) -> Verdict:
        """Evaluate a list, under its name."""
        self._running.append(self._names.get(id(restrictions), self._running[-1] if self._running else ""))
        try:
            return super().run(restrictions, subject)
        finally:
            self._running.pop()

    def _watch(self, check: Check, _self: Evaluation, restriction: Restriction, subject: Subject) -> Verdict:
        """Carry out a check. What is within a class or a table's value stands behind it."""
        place, depth, name = len(self._seen), len(self._running) - 1, self._running[-1]
        text = ("warn_if_reject " if self.warns_only else "") + restriction_text(restriction)
        self._seen.append(Judged(name, depth, text, ""))
        self._asking.append({})
        kept = self.if_permit, self._if_reject, self.late, len(self._lines)
        verdict = Verdict.REJECT
        try:
            verdict = check(self, restriction, subject)
        finally:
            asked = self._asking.pop()
            words = self._words(verdict, *kept)
            self._seen[place] = Judged(name, depth, text, words, told(asked))
        return verdict

    def _words(self, verdict: Verdict, if_permit: object, if_reject: object, late: object, lines: int) -> str:
        if verdict is Verdict.REJECT:
            return f"reject: {shown(self._reply.line)}" if self._reply else "reject"
        if verdict is Verdict.OK and self.discard:
            return "discard"
        words = [_WORDS[verdict]]
        if self.if_permit is not if_permit and self.if_permit:
            words.append(f"defer_if_permit: {shown(self.if_permit.text)}")
        if self._if_reject is not if_reject and self._if_reject:
            words.append(f"defer_if_reject: {shown(self._if_reject.text)}")
        if self.late is not late:
            words.append("asked behind all lists")
        return ", ".join(words + [_line(line) for line in self._lines[lines:]])

    def _answer(self, question: Question) -> Answer:
        answer = super()._answer(question)
        self._asking[-1][question] = answer
        return answer


def _line(line: LogLine) -> str:
    return f"{line.kind.decode()}: {shown(line.text)}"
