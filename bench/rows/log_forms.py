"""The rows of ``--log json``: what events cost, beside djb's lines. Both with -v; nobody keeps what is written."""

from effort import Effort
from findings import Finding
from workshop import Workshop

from .beside import Asked, beside


def json(workshop: Workshop, effort: Effort) -> list[Finding]:
    """Clients a second with a line of JSON for each event, beside djb's lines."""
    asked = Asked("json", "told in JSON", ("--log", "json"), (), "with djb's lines", both=("-v",))
    return beside(workshop, effort, asked)
