"""How milters are asked, frozen, under the names of postconf(5), and one milter of a list."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from enum import Enum
from types import MappingProxyType
from typing import NamedTuple

from ...milter.negotiation import Offer
from ...milter.words import Event
from ..maps.names import MapName
from ..server import Server
from . import parameters, words


class DefaultAction(Enum):
    """What is done with a client or its message where a milter fails (milter_default_action)."""

    ACCEPT = "accept"
    REJECT = "reject"
    TEMPFAIL = "tempfail"
    SHUTDOWN = "shutdown"


#: The event of each list of macros.
EVENTS = {
    "connect": Event.CONNECT,
    "helo": Event.HELO,
    "mail": Event.MAIL,
    "rcpt": Event.RCPT,
    "data": Event.DATA,
    "unknown_command": Event.UNKNOWN,
    "end_of_header": Event.EOH,
    "end_of_data": Event.END,
}
DEFAULT_MACROS: Mapping[Event, tuple[bytes, ...]] = MappingProxyType(
    {EVENTS[name]: words.macros(text) for name, text in parameters.MACROS.items()}
)


@dataclass(frozen=True, slots=True)
class MilterSettings:
    """How a milter is asked: milter_..., or what stands in its braces.

    connect_timeout, command_timeout, content_timeout: seconds, to connect, for the answer to a command, and to a piece
    of the message. default_action: what is done where it fails. protocol: what it is offered. macros: names of macros
    at each event. queue_directory: what the path of a socket is relative to.
    """

    connect_timeout: int = 30
    command_timeout: int = 30
    content_timeout: int = 300
    default_action: DefaultAction = DefaultAction.TEMPFAIL
    protocol: Offer = field(default_factory=Offer)
    macros: Mapping[Event, tuple[bytes, ...]] = field(default_factory=lambda: DEFAULT_MACROS)
    queue_directory: str = "/var/spool/postfix"

    def names(self, wanted: Mapping[Event, tuple[bytes, ...]]) -> Mapping[Event, tuple[bytes, ...]]:
        """Tell the names of macros at each event. wanted: lists that the milter has chosen itself.

        Postfix sends those of the headers' end with each header, and those of the message's end with its body.
        """
        names = {**self.macros, **wanted}
        return {**names, Event.HEADER: names[Event.EOH], Event.BODY: names[Event.END]}


#: What may stand in the braces of a milter.
NAMES = tuple(one.name for one in fields(MilterSettings) if one.name not in ("queue_directory", "macros"))


class Milter(NamedTuple):
    """A milter of a list.

    server: where it listens, text: as the list has that. own: what stands in its braces, each name with its value.
    """

    server: Server
    text: str
    own: tuple[tuple[str, object], ...] = ()

    def __str__(self) -> str:
        return self.text

    def settings(self, of_all: MilterSettings) -> MilterSettings:
        """Make the settings of this milter. of_all: those of every milter."""
        own: dict[str, object] = dict(self.own)
        return replace(of_all, **own)  # type: ignore[arg-type]


class Limits(NamedTuple):
    """What milters may do to a message. recipients: of one. body: bytes of another body."""

    recipients: int
    body: int


class MacroTexts(NamedTuple):
    """What macros have of the configuration.

    daemon_name: the pieces between which our name stands. version: macro v. defaults: values of macros that have none,
    by their names without braces.
    """

    daemon_name: tuple[bytes, ...] = (b"", b"")
    version: bytes = b""
    defaults: Mapping[bytes, bytes] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class GateMilters:
    """The milters of a gate.

    milters: in their order. settings: of all of them. texts: of macros. maps: tables that have other milters for the
    address of a client. header_checks: tables about headers that milters put in. in_tables: how many milters a client
    has by maps at most, as somebody has counted.
    """

    milters: tuple[Milter, ...]
    settings: MilterSettings = field(default_factory=MilterSettings)
    texts: MacroTexts = field(default_factory=MacroTexts)
    maps: tuple[MapName, ...] = ()
    header_checks: tuple[MapName, ...] = ()
    in_tables: int = 0

    @property
    def most(self) -> int:
        """Count the milters that one client has at most."""
        return max(len(self.milters), self.in_tables)
