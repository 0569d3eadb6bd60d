"""The words of the milter protocol: commands, and the two sets of flags that are agreed on (libmilter, mfdef.h)."""

from enum import Enum, IntFlag
from typing import NamedTuple


class Protocol(IntFlag):
    """SMFIP_: what a filter does not want to hear, or to answer, and more about how it is spoken to."""

    NOCONNECT = 1 << 0
    NOHELO = 1 << 1
    NOMAIL = 1 << 2
    NORCPT = 1 << 3
    NOBODY = 1 << 4
    NOHDRS = 1 << 5
    NOEOH = 1 << 6
    NR_HDR = 1 << 7
    NOUNKNOWN = 1 << 8
    NODATA = 1 << 9
    SKIP = 1 << 10
    RCPT_REJ = 1 << 11
    NR_CONN = 1 << 12
    NR_HELO = 1 << 13
    NR_MAIL = 1 << 14
    NR_RCPT = 1 << 15
    NR_DATA = 1 << 16
    NR_UNKN = 1 << 17
    NR_EOH = 1 << 18
    NR_BODY = 1 << 19
    HDR_LEADSPC = 1 << 20


class Actions(IntFlag):
    """SMFIF_: what a filter may do with a message at its end."""

    ADDHDRS = 1 << 0
    CHGBODY = 1 << 1
    ADDRCPT = 1 << 2
    DELRCPT = 1 << 3
    CHGHDRS = 1 << 4
    QUARANTINE = 1 << 5
    CHGFROM = 1 << 6
    ADDRCPT_PAR = 1 << 7
    SETSYMLIST = 1 << 8


class Event(Enum):
    """SMFIC_: what a filter is told of a client and its message."""

    # Enum's own, and its value, call a function of Python's each time.
    __hash__ = object.__hash__
    wire: bytes

    def __init__(self, wire: bytes) -> None:
        self.wire = wire

    CONNECT = b"C"
    HELO = b"H"
    MAIL = b"M"
    RCPT = b"R"
    DATA = b"T"
    UNKNOWN = b"U"
    HEADER = b"L"
    EOH = b"N"
    BODY = b"B"
    END = b"E"


#: SMFIC_: commands that have no answer, and OPTNEG, which both sides say.
MACRO, ABORT, QUIT, QUIT_NC, OPTNEG = b"D", b"A", b"Q", b"K", b"O"

#: Events before a message: a refusal of these holds as long as the connection.
OF_CONNECTION = frozenset((Event.CONNECT, Event.HELO))


class Flags(NamedTuple):
    """What a filter says of one event. unwanted: it is not to be told. unanswered: it will say nothing to it."""

    unwanted: Protocol
    unanswered: Protocol


_NEVER = Protocol(0)
FLAGS = {
    Event.CONNECT: Flags(Protocol.NOCONNECT, Protocol.NR_CONN),
    Event.HELO: Flags(Protocol.NOHELO, Protocol.NR_HELO),
    Event.MAIL: Flags(Protocol.NOMAIL, Protocol.NR_MAIL),
    Event.RCPT: Flags(Protocol.NORCPT, Protocol.NR_RCPT),
    Event.DATA: Flags(Protocol.NODATA, Protocol.NR_DATA),
    Event.UNKNOWN: Flags(Protocol.NOUNKNOWN, Protocol.NR_UNKN),
    Event.HEADER: Flags(Protocol.NOHDRS, Protocol.NR_HDR),
    Event.EOH: Flags(Protocol.NOEOH, Protocol.NR_EOH),
    Event.BODY: Flags(Protocol.NOBODY, Protocol.NR_BODY),
    Event.END: Flags(_NEVER, _NEVER),
}
