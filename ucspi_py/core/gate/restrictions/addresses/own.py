"""What mail is taken for where a main.cf says so, for the gate's last check. Never judges a list."""

from ..evaluation import Evaluation
from ..facts import Facts, Stage
from ..questions import Known
from ..settings import RestrictionSettings
from .resolve import resolve_domain
from .resolved import Kind
from .tables import TableFailed

_NO_CLIENT = Facts(Stage.RCPT, b"")


def takes(settings: RestrictionSettings, known: Known, domain: bytes) -> bool | None:
    """Whether mail for a domain is taken from anybody; None = it cannot be told now.

    It is where a list of domains has it that is written, or the mail system behind. known: has to have the value of
    each key and what is the mail system's own at once.
    """
    evaluation = Evaluation(settings, _NO_CLIENT, known, {})
    try:
        found = resolve_domain(evaluation, domain)
    except TableFailed:
        return None
    if found.kind in settings.destinations.unwritten:
        return evaluation.is_own(found.domain)
    return None if found.unsure else found.kind is not Kind.OTHER
