"""What both sides agree on before anything else: a version, what the filter hears, and what it may do (OPTNEG).

Source: Postfix, milter8.c, milter8_connect(); libmilter, engine.c, st_optionneg().
"""

from collections.abc import Mapping
from functools import lru_cache, reduce
from operator import or_
from types import MappingProxyType
from typing import NamedTuple

from .failure import MilterFailed
from .packet import Fields, Packet, number, packed
from .words import FLAGS, OPTNEG, Actions, Event, Protocol

_OLDEST, NEWEST = 2, 6
#: What a filter may ask for, as Postfix offers it.
_ACTIONS = Actions(0x1FF)
#: What a filter itself does otherwise where that is agreed on.
_FORGOTTEN = reduce(or_, (flags.unanswered for flags in FLAGS.values()), Protocol.HDR_LEADSPC)
#: What changes a message or its envelope, and a flag: numbers, as members of enumerations are slow.
_CHANGES = int(_ACTIONS & ~(Actions.QUARANTINE | Actions.SETSYMLIST))
_BLANK = int(Protocol.HDR_LEADSPC)
_VERSION_2 = Protocol(0x7F)
_VERSION_3 = _VERSION_2 | Protocol.NOUNKNOWN
_VERSION_4 = _VERSION_3 | Protocol.NODATA
_VERSION_6 = Protocol(0x1FFFFF)
#: Versions that there are, and what may be left out in each.
_KNOWN = {2: _VERSION_2, 3: _VERSION_3, 4: _VERSION_4, 6: _VERSION_6}
VERSIONS = tuple(_KNOWN)

#: SMFIM_: the lists of macros that a filter may choose itself, by their numbers.
_LISTS = (Event.CONNECT, Event.HELO, Event.MAIL, Event.RCPT, Event.DATA, Event.END, Event.EOH)
#: Lists in one answer; more than there are say the same again.
_LISTS_LIMIT = 100
_NONE: Mapping[Event, tuple[bytes, ...]] = MappingProxyType({})


class Offer(NamedTuple):
    """What a filter is offered (milter_protocol). version: one of VERSIONS. no_header_reply: none to each header."""

    version: int = NEWEST
    no_header_reply: bool = False

    @property
    def protocol(self) -> Protocol:
        """What the filter may choose from."""
        return _KNOWN[self.version] | (Protocol.NR_HDR if self.no_header_reply else Protocol(0))

    @property
    def wire(self) -> bytes:
        """The packet."""
        return _wire(self)


class Agreed(NamedTuple):
    """What is agreed on.

    version: the filter's, one of VERSIONS or 5. protocol: of the filter. macros: names that it wants, at events where
    it says so.
    """

    version: int
    actions: Actions
    protocol: Protocol
    macros: Mapping[Event, tuple[bytes, ...]] = _NONE

    @property
    def may_change(self) -> bool:
        """Whether it may change the message or its envelope; a message that nobody may change need not be held."""
        return bool(int(self.actions) & _CHANGES)

    @property
    def has_blank(self) -> bool:
        """Whether a header's value has its own blank behind the colon (SMFIP_HDR_LEADSPC)."""
        return bool(int(self.protocol) & _BLANK)

    @property
    def spoken(self) -> "Spoken":
        """The events that it is told of, and those that it answers."""
        return _spoken(self.version, int(self.protocol))

    @property
    def may_be_kept(self) -> bool:
        """Whether its connection may be used for another client: older versions know no SMFIC_QUIT_NC.

        With a client filters forget what they have agreed on: opendkim, how headers begin, and its signatures are
        wrong then; those of pymilter, what they do not answer.
        """
        return self.version == NEWEST and not self.protocol & _FORGOTTEN


class Spoken(NamedTuple):
    """Events of one filter.

    known: its version has them. heard: it is told of them. answered: it says something to them, where it hears them.
    """

    known: frozenset[Event]
    heard: frozenset[Event]
    answered: frozenset[Event]


#: Of a filter with which nothing is agreed on.
NOTHING_SPOKEN = Spoken(frozenset(), frozenset(), frozenset())


@lru_cache(64)
def _spoken(version: int, protocol: int) -> Spoken:
    """Work it out once: flags are slow."""
    of_version = _of_version(version)
    known = frozenset(event for event, flags in FLAGS.items() if not flags.unwanted or flags.unwanted & of_version)
    heard = frozenset(event for event in known if not FLAGS[event].unwanted & protocol)
    return Spoken(known, heard, frozenset(event for event, flags in FLAGS.items() if not flags.unanswered & protocol))


@lru_cache(64)
def _wire(offer: Offer) -> bytes:
    return packed(OPTNEG, number(offer.version) + number(_ACTIONS) + number(offer.protocol))


@lru_cache(64)
def agree(offer: Offer, packet: Packet) -> Agreed:
    """Read the answer to an offer. Raises MilterFailed where it asks for more than was offered.

    A milter answers the same to each client, and flags are slow to make.
    """
    if packet.command != OPTNEG:
        raise MilterFailed(f"it answered the offer with {packet.command!r}")
    fields = Fields(packet.data, "an answer to the offer")
    version, actions, protocol = fields.number(), fields.number(), fields.number()
    if not _OLDEST <= version <= offer.version:
        raise MilterFailed(f"it speaks version {version}, and was offered {offer.version}")
    if actions & ~int(_ACTIONS):
        raise MilterFailed(f"it asks for what nobody knows, 0x{actions:x}")
    agreed = Protocol(protocol & _VERSION_6)
    if version < offer.version:
        # A filter of an older version knows nothing of what came later.
        agreed &= _of_version(version) | Protocol.NR_HDR
    return Agreed(version, Actions(actions), agreed, _macros(fields))


def _of_version(version: int) -> Protocol:
    return _KNOWN[max(known for known in _KNOWN if known <= version)]


def _macros(fields: Fields) -> Mapping[Event, tuple[bytes, ...]]:
    """Lists of names; an empty one is none, and one of an event that there is not is passed over."""
    found: dict[Event, tuple[bytes, ...]] = {}
    for _ in range(_LISTS_LIMIT):
        if fields.is_empty:
            return MappingProxyType(found)
        kind, names = fields.number(), tuple(fields.string().replace(b",", b" ").split())
        if kind < len(_LISTS) and names:
            found[_LISTS[kind]] = names
    raise MilterFailed("it sent too many lists of macros")
