"""What milter_header_checks make of a header that a milter puts in (cleanup_milter.c, cleanup_milter_header_checks)."""

from typing import NamedTuple

from ...milter.dialogue import Answer, Passed
from ...text import shown
from ..content import actions
from ..content.checked import HEADER, UNCHECKED, Note
from ..maps.action import QUEUE_ACTIONS, action
from ..maps.names import Broken
from ..restrictions.questions import MapOutcome
from .header import Header, begun, made

#: header_checks(5) has these, and milter_header_checks do not.
_OF_CLIENTS = frozenset((b"PREPEND", b"PASS"))
_DROPPING = frozenset((b"IGNORE", b"STRIP"))
_LOGGED = b"milter-header-"


class Checked(NamedTuple):
    """What becomes of a header.

    header: what is put in; None = nothing, and the message stays as it was there. answer: what becomes of the message.
    note: for the log. complaint: about a table; "" = none.
    """

    header: Header | None
    answer: Answer = Passed.ON
    note: Note | None = None
    complaint: str = ""


def flaw(value: bytes) -> str | None:
    """Tell what is wrong with a value in a table; None = nothing."""
    verb = action(value).verb
    if verb in _OF_CLIENTS:
        return f"{shown(verb)} is no action of milter_header_checks"
    return actions.flaw(value, of_header=True)


def checked(header: Header, value: MapOutcome) -> Checked:
    """Tell what becomes of a header. value: what tables have for it."""
    if value is None:
        return Checked(header)
    if isinstance(value, Broken):
        return Checked(None, UNCHECKED, complaint=value.sentence)
    verb, text = action(value)
    wrong = flaw(value)
    if wrong:
        is_of_queue = verb in QUEUE_ACTIONS
        return Checked(header, UNCHECKED if is_of_queue else Passed.ON, complaint=wrong)
    answer: Answer = Passed.ON
    if verb == b"REJECT":
        text = actions.reason(text)
        answer = actions.refusal(text)
    elif verb == b"DISCARD":
        answer = Passed.DISCARDED
    noted = actions.NOTED.get(verb)
    note = Note(_LOGGED + noted, HEADER, header.text, text) if noted else None
    return Checked(_put(header, verb, text), answer, note)


def _put(header: Header, verb: bytes, text: bytes) -> Header | None:
    if verb in _DROPPING:
        return None
    other = begun(text) if verb == b"REPLACE" else None
    return made(other.name, text.partition(b":")[2], has_blank=True) if other else header
