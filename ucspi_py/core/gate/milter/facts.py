"""What macros tell of a client and its message, as both become known. Never tells it."""

from ...smtp.envelope import Envelope
from ...smtp.path import Path
from ..restrictions.answers import ClientName
from ..restrictions.facts import NameStatus
from ..visitor import Visitor
from .macros import ClientFacts, MacroFacts

#: {client_resolve} (smtpd_milter.c).
_RESOLVED = {
    NameStatus.OK: b"OK",
    NameStatus.FORGED: b"FORGED",
    NameStatus.FAILED: b"TEMP",
    NameStatus.ABSENT: b"FAIL",
}


def with_name(facts: ClientFacts, found: ClientName) -> ClientFacts:
    """Tell of a client whose name was looked for."""
    return facts._replace(name=found.name, reverse_name=found.reverse_name, name_status=_RESOLVED[found.name_status])


def of_message(
    client: ClientFacts, visitor: Visitor, number: int, envelope: Envelope | None, recipient: Path | None
) -> MacroFacts:
    """Tell of a client and its message. number: of it in its session, from 1. envelope: None = there is none.

    recipient: the one that is told; None = none is. A message has its id from its first recipient on.
    """
    if envelope is None:
        return MacroFacts(client, visitor.tls, visitor.login, visitor.method)
    queue_id = b"%b.%d" % (visitor.unique_id, number) if envelope.recipients else b""
    login_sender = dict(envelope.parameters).get(b"AUTH")
    return MacroFacts(
        client,
        visitor.tls,
        visitor.login,
        visitor.method,
        b"" if login_sender in (None, b"<>") else login_sender or b"",
        queue_id,
        envelope.sender,
        recipient,
    )
