"""What the restriction lists of one process remember of name servers."""

from functools import partial

import pytest

from ucspi_py.core.dns.message import MX, Absent, Answer, AnswerCallback, Failed, Found
from ucspi_py.core.gate.restrictions.questions import Answer as Outcome
from ucspi_py.core.gate.restrictions.questions import DnsAnswer, DnsFailure, DnsQuestion
from ucspi_py.system.gate.control import Control
from ucspi_py.system.gate.lists.lookups import Lookups, Ways
from ucspi_py.system.gate.tables import Tables
from ucspi_py.system.report.complaints import Complaints

ASKED = DnsQuestion(b"joe.example", MX)


class Host:
    """Lookups with a name server that says what it is told, and a clock."""

    def __init__(self, answer: Answer) -> None:
        self.now = 100.0
        self.times_asked = 0
        self._answer = answer
        complaints = Complaints(pytest.fail, self._clock)
        own = Control("/nowhere", complaints, self._clock)
        ways = Ways(self._ask, lambda *_query: None)
        self.lookups = Lookups(ways, Tables(pytest.fail, self._clock), own, self._clock)

    def find(self) -> Outcome:
        """The outcome of the question, asked only where it is not remembered."""
        try:
            return self.lookups.at_once(ASKED)
        except KeyError:
            outcomes: list[Outcome] = []
            self.lookups.begin(ASKED, self.now + 1, outcomes.append)
            return outcomes[0]

    def _ask(self, _name: bytes, _kind: int, _deadline: float, take: AnswerCallback) -> None:
        self.times_asked += 1
        take(self._answer)

    def _clock(self) -> float:
        return self.now


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (partial(Found, (b"mx.joe.example",)), DnsAnswer((b"mx.joe.example",))),
        (Absent, DnsFailure.NOT_FOUND),
    ],
)
@pytest.mark.parametrize(("ttl", "held"), [(10, 10.0), (300, 300.0), (86_400, 300.0)])
def test_an_answer_is_remembered_as_long_as_it_says_and_five_minutes_at_most(
    answer: "partial[Found] | type[Absent]", outcome: Outcome, ttl: int, held: float
) -> None:
    host = Host(answer(ttl=ttl))
    assert host.find() == outcome

    host.now += held - 0.1
    assert host.find() == outcome
    assert host.times_asked == 1

    host.now += 0.1
    assert host.find() == outcome
    assert host.times_asked == 2


@pytest.mark.parametrize("answer", [Found((b"mx.joe.example",), ttl=0), Failed("timed out")])
def test_a_failure_and_what_is_not_to_be_kept_are_asked_for_again(answer: Answer) -> None:
    host = Host(answer)
    for times in (1, 2, 3):
        host.find()
        assert host.times_asked == times
