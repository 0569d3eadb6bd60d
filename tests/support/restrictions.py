"""A world that answers the questions of restriction lists, and a client that is judged by them."""

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from ucspi_py.core.gate import relay
from ucspi_py.core.gate.language.words import Fragment, Word
from ucspi_py.core.gate.language.words import split as split_fragments
from ucspi_py.core.gate.maps.names import Broken
from ucspi_py.core.gate.restrictions.addresses.own import takes
from ucspi_py.core.gate.restrictions.facts import Facts, NameStatus, Stage
from ucspi_py.core.gate.restrictions.judgement import Judgement
from ucspi_py.core.gate.restrictions.parse import parse_classes, parse_list
from ucspi_py.core.gate.restrictions.questions import (
    AAAA,
    MX,
    NS,
    A,
    Answer,
    DnsAnswer,
    DnsFailure,
    DnsQuestion,
    GreylistOutcome,
    GreylistQuestion,
    Listed,
    MapQuestion,
    OwnQuestion,
    PolicyFailure,
    PolicyQuestion,
    Question,
    ZoneFailure,
    ZoneQuestion,
)
from ucspi_py.core.gate.restrictions.settings import Codes, Destinations, DomainPattern, RestrictionSettings
from ucspi_py.core.gate.restrictions.stages import judge
from ucspi_py.core.gate.settings import GateSettings
from ucspi_py.core.gate.visitor import Visitor
from ucspi_py.core.greylist.triplet.settings import TripletSettings
from ucspi_py.core.smtp.path import NULL, Path

KINDS = {A: "A", AAAA: "AAAA", MX: "MX", NS: "NS"}
#: Of check_greylist in all tests here.
GREYLIST_STORE = "/g/db"
LISTS = ("client", "helo", "sender", "relay", "recipient", "data", "end_of_data")
#: Domains of ours in all tests here, and one that we relay for.
OURS = Destinations(
    myorigin=b"ours.example",
    mydestination=(DomainPattern(b"ours.example"),),
    relay_domains=(DomainPattern(b"relayed.example"),),
)


@dataclass
class World:
    """What DNS, zones and tables say.

    dns: of ``name TYPE`` its records, or why there are none. tables: of each, ``type:name``, its keys; None = broken.
    zones: of ``subject zone`` the text. own: domains of the mail system behind; None = it cannot tell. greylist: what
    comes of each visit; None = there is none. services: what each policy service says, by its text; None = nothing.
    """

    dns: Mapping[str, list[str] | DnsFailure] = field(default_factory=dict)
    tables: Mapping[str, Mapping[str, str] | None] = field(default_factory=dict)
    zones: Mapping[str, str | ZoneFailure] = field(default_factory=dict)
    own: tuple[str, ...] | None = ()
    greylist: GreylistOutcome = None
    services: Mapping[str, str | None] = field(default_factory=dict)
    asked: list[Question] = field(default_factory=list)

    def answer(self, question: Question) -> Answer:
        """Answer one question, and note it."""
        self.asked.append(question)
        match question:
            case DnsQuestion(name, kind):
                return self._records(f"{name.decode()} {KINDS[kind]}", kind)
            case ZoneQuestion(zone, subject, _):
                found = self.zones.get(f"{subject.decode()} {zone.name.decode()}", ZoneFailure.NOT_LISTED)
                return found if isinstance(found, ZoneFailure) else Listed(found.encode())
            case MapQuestion(table, key):
                return self._value(str(table), key)
            case OwnQuestion(domain):
                return None if self.own is None else domain.decode() in self.own
            case GreylistQuestion():
                return self.greylist
            case PolicyQuestion(service):
                said = self.services[service.text]
                return PolicyFailure.FAILED if said is None else said.encode()

    def _value(self, table: str, key: bytes) -> bytes | Broken | None:
        keys = self.tables[table]
        if keys is None:
            return Broken(f"table {table} is broken")
        value = keys.get(key.decode())
        return None if value is None else value.encode()

    def _records(self, name: str, kind: int) -> DnsAnswer | DnsFailure:
        found = self.dns.get(name, DnsFailure.NOT_FOUND)
        if isinstance(found, DnsFailure):
            return found
        if kind in (A, AAAA):
            return DnsAnswer(tuple(ipaddress.ip_address(one).packed for one in found))
        return DnsAnswer(tuple(one.encode() for one in found))

    def names(self) -> list[str]:
        """The questions to DNS so far, ``name TYPE``."""
        return [f"{one.name.decode()} {KINDS[one.kind]}" for one in self.asked if isinstance(one, DnsQuestion)]

    def looked_up(self) -> list[str]:
        """The keys that tables were asked for so far."""
        return [one.key.decode() for one in self.asked if isinstance(one, MapQuestion)]


def split(text: str, where: str = "") -> tuple[Word, ...]:
    """The words of a list that stands in one place."""
    return split_fragments((Fragment(text, where),))


def settings(classes: Mapping[str, str] | None = None, **given: Any) -> RestrictionSettings:
    """Settings of lists as main.cf has them, ``recipient="reject_unauth_destination"``, codes and other parameters.

    A list that is not given is empty.
    """
    lists = {name: split(text, "main.cf line 7") for name, text in (classes or {}).items()}
    values: dict[str, Any] = {
        "destinations": OURS,
        "smtpd_restriction_classes": parse_classes(lists),
        "greylist": TripletSettings(GREYLIST_STORE),
    }
    codes = {}
    for name, value in given.items():
        if name in LISTS:
            values[f"smtpd_{name}_restrictions"] = parse_list(split(value, "main.cf line 7"), lists)
        elif name in Codes.__slots__:
            codes[name] = value
        else:
            values[name] = value
    return RestrictionSettings(codes=Codes(**codes), **values)


def path(address: str) -> Path:
    """An address as a path."""
    local, at, domain = address.rpartition("@")
    return (Path(local.encode(), domain.encode()) if at else Path(domain.encode(), None)) if address else NULL


def facts(stage: Stage = Stage.RCPT, **given: Any) -> Facts:
    """A client from 192.0.2.7, mx.far.example, who writes from a@far.example to u@ours.example."""
    usual: dict[str, Any] = {
        "ip": b"192.0.2.7",
        "name": b"mx.far.example",
        "name_status": NameStatus.OK,
        "reverse_name": b"mx.far.example",
        "reverse_name_status": NameStatus.OK,
        "helo": b"mx.far.example",
        "sender": "a@far.example",
        "recipient": "u@ours.example",
    }
    values = usual | given
    for name in ("sender", "recipient"):
        if isinstance(values[name], str):
            values[name] = path(values[name])
    return Facts(stage, **values)


def judged(lists: RestrictionSettings, client: Facts, world: World | None = None) -> Judgement:
    """Judge a client, and answer what is asked; no question is asked twice."""
    world = world or World()
    known: dict[Question, Answer] = {}
    for _ in range(1000):
        found = judge(lists, client, known)
        if isinstance(found, Judgement):
            return found
        assert found
        assert not known.keys() & set(found)
        known.update((question, world.answer(question)) for question in found)
    raise AssertionError("there is no end of questions")


def said(judgement: Judgement) -> str:
    """The reply on one line; empty where the command passes."""
    return judgement.reply.line.decode() if judgement.reply else ""


class _Told(dict[Question, Answer]):
    """What a world says at once."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self._world = world

    def __missing__(self, question: Question) -> Answer:
        return self._world.answer(question)


class _Ours(NamedTuple):
    """What is taken by the parameters of lists; everybody is known."""

    lists: RestrictionSettings
    world: World

    def holds(self, domain: bytes) -> bool | None:
        """Whether a domain is ours."""
        return takes(self.lists, _Told(self.world), domain)

    def knows(self, _recipient: Path) -> bool | None:
        """Whether there is somebody."""
        return True


def last_check(lists: RestrictionSettings, address: str, world: World | None = None, *, relays: bool = False) -> str:
    """What the gate's last check says of a recipient whom lists let pass; empty where it passes that, too."""
    client = Visitor(b"mx.far.example", b"192.0.2.7", relays=relays)
    refusal = relay.judge(path(address), client, _Ours(lists, world or World()), GateSettings(restrictions=lists))
    return refusal.line.decode() if refusal else ""


def reply(whom: Facts | None = None, world: World | None = None, /, **lists: Any) -> str:
    """What a client hears of lists; empty where they let it pass."""
    return said(judged(settings(**lists), whom or facts(), world))
