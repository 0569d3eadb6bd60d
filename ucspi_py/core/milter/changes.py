"""What a filter wants to have changed at the end of a message, as values. Never changes it.

Source: libmilter, smfi.c; Postfix, milter8.c, milter8_event().
"""

from collections.abc import Callable
from typing import NamedTuple

from .failure import MilterFailed
from .packet import Fields, Packet
from .words import Actions


class HeaderAdded(NamedTuple):
    """A header behind all others."""

    name: bytes
    value: bytes


class HeaderInserted(NamedTuple):
    """A header at a place. at: 0 = before all others."""

    at: int
    name: bytes
    value: bytes


class HeaderChanged(NamedTuple):
    """Another value for a header. nth: of those with its name, from 1. value: b"" = the header is deleted."""

    nth: int
    name: bytes
    value: bytes


class BodyReplaced(NamedTuple):
    """A piece of another body; all pieces are the body."""

    data: bytes


class SenderChanged(NamedTuple):
    """Another sender. address, parameters: as the filter has them."""

    address: bytes
    parameters: bytes


class RecipientAdded(NamedTuple):
    """One recipient more. address, parameters: as the filter has them."""

    address: bytes
    parameters: bytes


class RecipientDeleted(NamedTuple):
    """One recipient less. address: as the filter has it."""

    address: bytes


class Quarantined(NamedTuple):
    """A message that is to be held. reason: for the operator."""

    reason: bytes


HeaderChange = HeaderAdded | HeaderInserted | HeaderChanged
Change = HeaderChange | BodyReplaced | SenderChanged | RecipientAdded | RecipientDeleted | Quarantined

_HIGHEST = 2**31 - 1
#: RFC 5322, 2.2: bytes of a header's name.
_NAME = frozenset(range(33, 127)) - frozenset(b":")


def change(packet: Packet) -> tuple[Change, Actions] | None:
    """Read what a filter asks for -> that, and what must be agreed on for it; None = it asks for nothing.

    Raises MilterFailed where the packet cannot be read, or asks for what cannot be.
    """
    found = _CHANGES.get(packet.command)
    if found is None:
        return None
    what, read, needed = found
    fields = Fields(packet.data, what)
    changed = read(fields)
    fields.end()
    return changed, needed


def _added(fields: Fields) -> Change:
    return HeaderAdded(_name(fields), fields.string())


def _inserted(fields: Fields) -> Change:
    return HeaderInserted(_index(fields), _name(fields), fields.string())


def _changed(fields: Fields) -> Change:
    # Sendmail takes 0 for 1, and Postfix does, too.
    return HeaderChanged(_index(fields) or 1, _name(fields), fields.string())


def _sender(fields: Fields) -> Change:
    return SenderChanged(fields.string(), b"" if fields.is_empty else fields.string())


def _recipient(fields: Fields) -> Change:
    return RecipientAdded(fields.string(), b"")


def _recipient_with(fields: Fields) -> Change:
    return RecipientAdded(fields.string(), b"" if fields.is_empty else fields.string())


def _deleted(fields: Fields) -> Change:
    return RecipientDeleted(fields.string())


def _body(fields: Fields) -> Change:
    return BodyReplaced(fields.rest())


def _quarantine(fields: Fields) -> Change:
    return Quarantined(fields.rest().rstrip(b"\0"))


def _index(fields: Fields) -> int:
    index = fields.number()
    if index > _HIGHEST:
        raise MilterFailed(f"it counts headers to {index}", misconfigured=True)
    return index


def _name(fields: Fields) -> bytes:
    name = fields.string()
    if not name or not _NAME.issuperset(name):
        raise MilterFailed(f"it has a header with the name {name[:100]!r}", misconfigured=True)
    return name


#: SMFIR_: each with its name in a sentence, what reads it, and what must be agreed on.
_CHANGES: dict[bytes, tuple[str, Callable[[Fields], Change], Actions]] = {
    b"h": ("a header to add", _added, Actions.ADDHDRS),
    b"i": ("a header to insert", _inserted, Actions.ADDHDRS),
    b"m": ("a header to change", _changed, Actions.CHGHDRS),
    b"b": ("a piece of a body", _body, Actions.CHGBODY),
    b"e": ("a sender", _sender, Actions.CHGFROM),
    b"+": ("a recipient to add", _recipient, Actions.ADDRCPT),
    b"2": ("a recipient to add", _recipient_with, Actions.ADDRCPT_PAR),
    b"-": ("a recipient to delete", _deleted, Actions.DELRCPT),
    b"q": ("a reason for quarantine", _quarantine, Actions.QUARANTINE),
}
