"""What restriction lists ask, for one process: name servers, zones, tables, qmail's domains, a greylist. Never judges.

What name servers have said is remembered, for a while and for the most recent names.
"""

import time
from collections import OrderedDict
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from ....core.dns.message import Answer as DnsReply
from ....core.dns.message import Ask, Failed
from ....core.dnsbl.answers import Result
from ....core.gate.relay import OwnDomains
from ....core.gate.restrictions import answers, stages
from ....core.gate.restrictions.questions import (
    Answer,
    DnsFailure,
    DnsOutcome,
    DnsQuestion,
    GreylistOutcome,
    GreylistQuestion,
    MapQuestion,
    OwnQuestion,
    PolicyFailure,
    PolicyQuestion,
    Question,
    ZoneFailure,
    ZoneQuestion,
)
from ....core.gate.restrictions.stages import Judge
from ....core.metrics.asked import Heard, unheard
from ...dnsbl.judge import AskZone
from ...dnsbl.query import Query
from ..tables import Tables

if TYPE_CHECKING:
    from ...greylist.greylister import TripletRecords
    from ..milter.chosen import MakeClient
    from ..policy.services import PolicyServices
    from .greylisting import Greylisting

#: Answers of name servers that are remembered, and the most seconds of that.
_LIMIT, _LONGEST = 10_000, 300

Take = Callable[[Answer], None]


class Ways(NamedTuple):
    """The ways to the name servers and to the zones, and to a judgement.

    ask: queries records. ask_zone: a zone, as Zones.ask_zone. judge: judges by the lists. asks_services: whether policy
    services are asked, which count what they are told of. triplets: where they are; None = in the store of the
    settings. milter: makes what connects to one; None = as a server does. heard: how each question to a store or a
    service went.
    """

    ask: Ask
    ask_zone: AskZone
    judge: Judge = stages.judge
    asks_services: bool = True
    triplets: "TripletRecords | None" = None
    milter: "MakeClient | None" = None
    heard: Heard = unheard


class Lookups:
    """Answers questions of lists.

    own: what the mail system behind takes mail for. clock: monotonic seconds. greylisting: who is asked about triplets;
    None = no list asks. services: may be set; the policy services that are asked, None = none is.
    """

    def __init__(
        self,
        ways: Ways,
        tables: Tables,
        own: OwnDomains,
        clock: Callable[[], float] = time.monotonic,
        greylisting: "Greylisting | None" = None,
    ) -> None:
        self.ask = ways.ask
        self.judge = ways.judge
        self._ask_zone = ways.ask_zone
        self._tables = tables
        self._own = own
        self._greylisting = greylisting
        self._clock = clock
        self.services: PolicyServices | None = None
        # Outcomes, each with the monotonic second until which it holds.
        self._memory: OrderedDict[DnsQuestion, tuple[DnsOutcome, float]] = OrderedDict()

    def at_once(self, question: Question) -> Answer:
        """Answer what needs nobody else: tables, domains, what is remembered. Raises KeyError where somebody has to."""
        if isinstance(question, MapQuestion):
            return self._tables.look_up(question.map, question.key)
        if isinstance(question, OwnQuestion):
            return self._own.holds(question.domain)
        if isinstance(question, DnsQuestion):
            return self._remembered(question)
        raise KeyError(question)

    def _remembered(self, question: DnsQuestion) -> DnsOutcome:
        outcome, until = self._memory[question]
        if until <= self._clock():
            raise KeyError(question)
        return outcome

    def begin(self, question: Question, deadline: float, take: Take) -> None:
        """Find an answer out. deadline: monotonic second. take: gets the answer, once, perhaps at once."""
        if isinstance(question, DnsQuestion):
            self.ask(question.name, question.kind, deadline, partial(self._take, question, take))
        elif isinstance(question, ZoneQuestion):
            self._begin_zone(question, deadline, take)
        elif isinstance(question, PolicyQuestion):
            self._begin_service(question, deadline, take)
        else:
            take(self.at_once(question))

    def _begin_service(self, question: PolicyQuestion, deadline: float, take: Take) -> None:
        if self.services is None:
            take(PolicyFailure.UNASKED)
        else:
            self.services.begin(question, deadline, take)

    def _take(self, question: DnsQuestion, take: Take, reply: DnsReply) -> None:
        outcome = answers.dns_outcome(reply)
        if not isinstance(reply, Failed) and reply.ttl:
            self._memory[question] = outcome, self._clock() + min(reply.ttl, _LONGEST)
            if len(self._memory) > _LIMIT:
                self._memory.popitem(last=False)
        take(outcome)

    def _begin_zone(self, question: ZoneQuestion, deadline: float, take: Take) -> None:
        name = answers.zone_name(question)
        if name is None:
            take(ZoneFailure.NOT_LISTED)
            return

        def callback(result: Result) -> None:
            take(answers.zone_outcome(result.finding))

        self._ask_zone(Query(question.zone, question.subject, name, deadline), callback)

    async def visit(self, question: GreylistQuestion) -> GreylistOutcome:
        """Note an attempt to deliver, and find what becomes of it. It has a deadline of its own, and lets in then."""
        return None if self._greylisting is None else await self._greylisting.visit(question.attempt)


class Knowledge(dict[Question, Answer]):
    """What somebody knows; tables and domains are asked anew each time."""

    def __init__(self, lookups: Lookups) -> None:
        super().__init__()
        self._lookups = lookups

    def __missing__(self, question: Question) -> Answer:
        return self._lookups.at_once(question)


def too_late(question: Question) -> Answer:
    """Tell what is known of a question whose time is over."""
    if isinstance(question, PolicyQuestion):
        return PolicyFailure.FAILED
    return ZoneFailure.UNKNOWN if isinstance(question, ZoneQuestion) else DnsFailure.TRY_AGAIN
