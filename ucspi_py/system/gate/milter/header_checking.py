"""Headers that milters put in, looked up in tables. Never decides what follows from a value."""

from collections.abc import Callable

from ....core.gate.content.checked import Note
from ....core.gate.maps.names import MapName
from ....core.gate.milter.header import Header
from ....core.gate.milter.header_checks import Checked, checked
from ....core.gate.restrictions.questions import MapOutcome
from ....core.smtp.envelope import Envelope
from ...expressions.budget import Budget
from ..tables import Tables

Tell = Callable[[Note, Envelope], None]


class HeaderChecks:
    """What looks headers up. maps: the tables. complain: gets a sentence about one."""

    def __init__(self, maps: tuple[MapName, ...], complain: Callable[[str], None]) -> None:
        self._maps = maps
        self._complain = complain
        self._tables = Tables(complain)
        self._budget = Budget()
        for name in maps:  # a long table takes a while to read, and no client is to wait for that
            self._tables.inspect(name)

    def check(self, tell: Tell | None, envelope: Envelope, header: Header) -> Checked:
        """Tell what becomes of a header. tell: gets what is to be logged of it; None = nobody does."""
        found = checked(header, self._budget.spend(lambda: self._value(header.text)))
        if found.complaint:
            self._complain(f"milter_header_checks: {found.complaint}")
        if found.note and tell:
            tell(found.note, envelope)
        return found

    def _value(self, text: bytes) -> MapOutcome:
        for name in self._maps:
            for found in self._tables.walk(name, text, set()):
                if found is not None:
                    return found
        return None
