"""What milters make of an envelope at the end of a message (cleanup_milter.c, cleanup_chg_from and its like)."""

from collections.abc import Iterable

from ...milter.changes import Change, RecipientAdded, RecipientDeleted, SenderChanged
from ...milter.failure import MilterFailed
from ...smtp.envelope import Envelope
from ...smtp.path import Path, parse_path
from ...smtp.reply import reply

#: A gate has no queue in which mail could be held, and the client is not to come again with it.
QUARANTINED = reply(550, b"5.7.1 A filter wants the message to be held, and it cannot be held here")

#: milter8.c, milter8_conf_error(): an address of a milter that is none.
NO_ADDRESS = reply(451, b"4.3.5 Server configuration problem - try again later")


def changed(envelope: Envelope, changes: Iterable[Change], limit: int) -> Envelope:
    """Change an envelope, which may have no recipients then.

    changes: of milters that have let it pass; their parameters of addresses are passed over. limit: recipients of one
    message. Raises MilterFailed for an address that is none, and for too many of them.
    """
    for change in changes:
        match change:
            case SenderChanged(address, _):
                envelope = envelope._replace(sender=_path(address, may_be_null=True))
            case RecipientAdded(address, _):
                envelope = _with(envelope, _path(address))
                if len(envelope.recipients) > limit:
                    raise MilterFailed(f"it adds recipients to more than {limit}", misconfigured=True)
            case RecipientDeleted(address):
                envelope = _without(envelope, _path(address))
    return envelope


def _with(envelope: Envelope, path: Path) -> Envelope:
    if any(_is_same(path, one) for one in envelope.recipients):
        return envelope
    return envelope._replace(recipients=(*envelope.recipients, path))


def _without(envelope: Envelope, path: Path) -> Envelope:
    """Written otherwise it is another one (cleanup_milter.c, cleanup_del_rcpt)."""
    return envelope._replace(recipients=tuple(one for one in envelope.recipients if one.address != path.address))


def _is_same(one: Path, other: Path) -> bool:
    return one.local == other.local and (one.domain or b"").lower() == (other.domain or b"").lower()


def _path(address: bytes, *, may_be_null: bool = False) -> Path:
    found = parse_path(address.strip() or b"<>", strict=False, utf8=True)
    if found is None or found[1] or (found[0].is_null and not may_be_null):
        raise MilterFailed(f"it has an address that is none: {address[:100]!r}", misconfigured=True)
    return found[0]
