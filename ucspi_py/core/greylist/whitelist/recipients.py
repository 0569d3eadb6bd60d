"""postgrey's whitelist of recipients (read_recipients_whitelists): addresses, users, domains, expressions."""

import re
from collections.abc import Collection, Iterable, Iterator
from typing import NamedTuple

from ...expressions.scanner import Unknown
from .lines import Expression, Flaw, Late, Place, Source, expression, one_holds, read

_SEPARATOR = re.compile(rb"[@.]")


class RecipientList(NamedTuple):
    """Recipients for whom nobody waits, in small letters.

    addresses: ``user@domain``, and ``user@`` for that user in any. domains: with all below them. flaws: lines that
    were passed over.
    """

    addresses: frozenset[bytes] = frozenset()
    domains: frozenset[bytes] = frozenset()
    expressions: tuple[Expression, ...] = ()
    flaws: tuple[Flaw, ...] = ()

    @property
    def entries(self) -> tuple[Collection[object], ...]:
        """All that says for whom nobody waits."""
        return self.addresses, self.domains, self.expressions


def recipient_list(sources: Iterable[Source]) -> RecipientList:
    """Read files of postgrey's."""
    found, flaws = read(sources, _entry)
    words = [one for one in found if isinstance(one, bytes)]
    return RecipientList(
        frozenset(word for word in words if b"@" in word),
        frozenset(word for word in words if b"@" not in word),
        tuple(one for one in found if isinstance(one, Expression)),
        flaws,
    )


def has_recipient(whitelist: RecipientList, recipient: bytes, late: Late) -> bool:
    """Whether nobody waits for a recipient. late: is told of each expression that takes too long."""
    address = recipient.lower()
    if any(one in whitelist.addresses for one in _addresses(address)):
        return True
    if any(address[found.end() :] in whitelist.domains for found in _SEPARATOR.finditer(address)):
        return True
    return one_holds(whitelist.expressions, recipient, late)


def _entry(entry: bytes, place: Place) -> bytes | Expression:
    found = expression(entry, place)
    if found:
        return found
    if entry.split() != [entry]:
        raise Unknown("it is neither an address, nor a domain, nor an expression between slashes without a blank")
    return entry.lower()


def _addresses(address: bytes) -> Iterator[bytes]:
    """The address and the user of it, and those of the user without what may follow a +."""
    local, at, domain = address.partition(b"@")
    if not at:
        return
    for user in (local, *(local[: found.start()] for found in re.finditer(rb"\+(?=.)", local))):
        yield user + at + domain
        yield user + at
