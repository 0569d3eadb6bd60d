"""How milters are asked, frozen, under the names of postconf(5), and one milter of a list."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from enum import Enum
from types import MappingProxyType
from typing import NamedTuple

from ...milter.negotiation import Offer
from ...milter.words import Event
from ..server import Server


class DefaultAction(Enum):
    """What is done with a client or its message where a milter fails (milter_default_action)."""

    ACCEPT = "accept"
    REJECT = "reject"
    TEMPFAIL = "tempfail"
    SHUTDOWN = "shutdown"


def _names(text: str) -> tuple[bytes, ...]:
    return tuple(text.encode().split())


DEFAULT_MACROS: Mapping[Event, tuple[bytes, ...]] = MappingProxyType(
    {
        Event.CONNECT: _names("j {daemon_name} {daemon_addr} v _"),
        Event.HELO: _names("{tls_version} {cipher} {cipher_bits} {cert_subject} {cert_issuer}"),
        Event.MAIL: _names("i {auth_type} {auth_authen} {auth_author} {mail_addr} {mail_host} {mail_mailer}"),
        Event.RCPT: _names("i {rcpt_addr} {rcpt_host} {rcpt_mailer}"),
        Event.DATA: _names("i"),
        Event.UNKNOWN: (),
        Event.EOH: _names("i"),
        Event.END: _names("i"),
    }
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


@dataclass(frozen=True, slots=True)
class GateMilters:
    """The milters of a gate. milters: in their order. settings: of all of them."""

    milters: tuple[Milter, ...]
    settings: MilterSettings = field(default_factory=MilterSettings)
