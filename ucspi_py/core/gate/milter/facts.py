"""What macros tell of a client and its message, as both become known. Never tells it."""

from ...smtp.envelope import Envelope
from ...smtp.path import Path
from ..restrictions.answers import ClientName
from ..restrictions.facts import NameStatus
from ..visitor import Visitor
from .macros import MacroFacts

#: {client_resolve} (smtpd_milter.c).
_RESOLVED = {
    NameStatus.OK: b"OK",
    NameStatus.FORGED: b"FORGED",
    NameStatus.FAILED: b"TEMP",
    NameStatus.ABSENT: b"FAIL",
}


def with_name(facts: MacroFacts, found: ClientName) -> MacroFacts:
    """Tell of a client whose name was looked for."""
    return facts._replace(name=found.name, reverse_name=found.reverse_name, name_status=_RESOLVED[found.name_status])


def with_message(
    facts: MacroFacts, visitor: Visitor, number: int, envelope: Envelope | None, recipient: Path | None
) -> MacroFacts:
    """Tell of a client's message. number: of it in its session, from 1. envelope: None = there is none.

    recipient: the one that is told; None = none is. A message has its id from its first recipient on.
    """
    has_id = envelope is not None and bool(envelope.recipients)
    sender_of_login = dict(envelope.parameters).get(b"AUTH") if envelope else None
    return facts._replace(
        tls=visitor.tls,
        login=visitor.login,
        method=visitor.method,
        login_sender=b"" if sender_of_login in (None, b"<>") else sender_of_login or b"",
        queue_id=b"%b.%d" % (visitor.unique_id, number) if has_id else b"",
        sender=envelope.sender if envelope else None,
        recipient=recipient,
    )
