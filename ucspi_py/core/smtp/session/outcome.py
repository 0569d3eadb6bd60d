"""What became of a command, as a value: it is settled, or an event tells what it hangs on."""

from typing import NamedTuple

from ...auth.sasl import Exchange
from ..events import Asked, ExchangeFailed, TransactionDropped
from ..reply import Reply


class Said(NamedTuple):
    """A command that is settled.

    reply: bytes for the client. accepted: whether it was carried out; what was not is an error. dropped: the
    transaction that ended by it. end: why the session is over behind it; b"" = it goes on.
    """

    reply: bytes
    accepted: bool = False
    dropped: TransactionDropped | None = None
    end: bytes = b""


class Begun(NamedTuple):
    """AUTH that is sound. initial: the response that came with it; None = none did."""

    exchange: Exchange
    initial: bytes | None


Outcome = Said | Asked | Begun | ExchangeFailed


def accepted(code: int, text: bytes) -> Said:
    """Make the outcome of a command that was carried out. code: of its reply. text: behind the code."""
    return Said(Reply(code, (text,)).wire, True)


def refused(code: int, text: bytes) -> Said:
    """Make the outcome of a command that was not carried out. code: of its reply. text: behind the code."""
    return answered(Reply(code, (text,)))


def answered(reply: Reply) -> Said:
    """Make the outcome of a command out of a reply that somebody gave to it."""
    return Said(reply.wire, reply.is_positive, end=b"hangup" if reply.hangs_up else b"")
