"""What is asked of records when somebody comes, or tries to deliver: at most three changes, one after the other.

Asks nobody.
"""

from ...smtp import verdict as smtp
from ...store.change import Script, Step
from ..attempt import Deferred, Passed, Verdict
from ..settings import GreylistSettings
from ..visit import NetworkKnown, Visit
from .changes import ClientKnown, ClientPass, ClientVisit, TripletVisit
from .settings import TripletSettings

LISTED = Passed(b"client AWL")
KNOWN = Passed(b"network known")


def attempt(key: str, client: str, now: int, settings: TripletSettings) -> Script[Verdict]:
    """Tell what becomes of an attempt.

    key: of its triplet. client: under which its passes are counted. now: seconds since 1970. A network that pygreylist
    has let in does not wait once more.
    """
    if settings.auto_whitelist_clients and (yield Step(client, ClientVisit(now, settings))):
        return LISTED
    verdict: Verdict = yield Step(key, TripletVisit(now, settings))
    if isinstance(verdict, Deferred):
        is_known = settings.counts_networks and (yield Step(client, NetworkKnown(now, settings.max_age)))
        return KNOWN if is_known else verdict
    if verdict.waited is None or not (settings.auto_whitelist_clients or settings.counts_networks):
        return verdict
    passes = yield Step(client, ClientPass(now, settings))
    return verdict._replace(lists_client=0 < passes == settings.auto_whitelist_clients)


def visit(network: str, now: int, settings: GreylistSettings) -> Script[smtp.Verdict]:
    """Tell what becomes of a client of a network, whatever it wants. now: seconds since 1970.

    Nobody waits here of whose network check_greylist has let a triplet in.
    """
    verdict: smtp.Verdict = yield Step(network, Visit(now, settings))
    if isinstance(verdict, smtp.Refuse) and (yield Step(network, ClientKnown(now, settings.memory))):
        return smtp.Accept()
    return verdict
