"""What an evaluation asks: what is known answers, or the question is left to be answered. Never asks anybody."""

from typing import TYPE_CHECKING, cast

from .questions import (
    Answer,
    DnsOutcome,
    DnsQuestion,
    GreylistOutcome,
    GreylistQuestion,
    Known,
    MapOutcome,
    MapQuestion,
    OwnOutcome,
    OwnQuestion,
    PolicyOutcome,
    PolicyQuestion,
    Question,
    ZoneOutcome,
    ZoneQuestion,
)

if TYPE_CHECKING:  # Few ask policy services.
    from ..policy.settings import PolicyService


class NotYetKnown(Exception):
    """The evaluation cannot go on before these questions are answered."""

    def __init__(self, questions: tuple[Question, ...]) -> None:
        super().__init__(questions)
        self.questions = questions


class Asking:
    """Asks what is known.

    known: the answers so far. services_asked: how often a policy service was asked.
    """

    def __init__(self, known: Known) -> None:
        self._known = known
        self.services_asked = 0

    def records(self, name: bytes, kind: int) -> DnsOutcome:
        """The records of a name. kind: their type, as of DnsQuestion."""
        return cast(DnsOutcome, self._answer(DnsQuestion(name, kind)))

    def need(self, *questions: Question) -> None:
        """Have several questions asked at once, all of which will be asked anyhow."""
        wanted = tuple(question for question in questions if not self._is_known(question))
        if wanted:
            raise NotYetKnown(wanted)

    def zone(self, question: ZoneQuestion) -> ZoneOutcome:
        """Whether a zone lists somebody."""
        return cast(ZoneOutcome, self._answer(question))

    def value(self, question: MapQuestion) -> MapOutcome:
        """The value of a key in a table."""
        return cast(MapOutcome, self._answer(question))

    def is_own(self, domain: bytes) -> OwnOutcome:
        """Whether the mail system behind takes mail for a domain."""
        return cast(OwnOutcome, self._answer(OwnQuestion(domain)))

    def visited(self, question: GreylistQuestion) -> GreylistOutcome:
        """What came of an attempt to deliver; only asked when nothing is left to be asked."""
        return cast(GreylistOutcome, self._answer(question))

    def policy(self, service: "PolicyService", request: bytes) -> PolicyOutcome:
        """What a policy service says. request: what it is told, as it is sent."""
        self.services_asked += 1
        return cast(PolicyOutcome, self._answer(PolicyQuestion(service, request, self.services_asked)))

    def _is_known(self, question: Question) -> bool:
        try:
            self._known[question]
        except KeyError:
            return False
        return True

    def _answer(self, question: Question) -> Answer:
        try:
            return self._known[question]
        except KeyError:
            raise NotYetKnown((question,)) from None
