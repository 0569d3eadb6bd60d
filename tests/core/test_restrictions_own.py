"""What the gate's last check takes mail for where a main.cf says so."""

from dataclasses import replace
from typing import Any

import pytest

from tests.support.restrictions import World, last_check, settings, split
from ucspi_py.core.gate.restrictions.addresses.resolved import Kind
from ucspi_py.core.gate.restrictions.domains import parse_domains
from ucspi_py.core.gate.restrictions.settings import Destinations

DENIED, LATER = "554 5.7.1 ", "451 4.3.0 "


def domains(text: str) -> Any:
    """A list of domains."""
    return parse_domains(split(text, "main.cf line 7"))


WRITTEN = Destinations(
    myorigin=b"mx.example.org",
    mydomain=b"example.org",
    mydestination=domains("local.example hash:/local"),
    virtual_alias_domains=domains("alias.example hash:/alias"),
    virtual_mailbox_domains=domains("virtual.example cdb:/virtual"),
    relay_domains=domains("!no.relayed.example relayed.example hash:/relayed"),
    own_addresses=frozenset((b"192.0.2.1", b"2001:db8::1")),
)
TABLES: dict[str, dict[str, str] | None] = {
    "hash:/local": {"table.example": "x"},
    "hash:/alias": {"a.example": "x", "u@address.example": "x"},
    "cdb:/virtual": {"v.example": "x"},
    "hash:/relayed": {"r.example": "x"},
}


def refused(address: str, world: World | None = None, **changes: Any) -> str:
    """How the check refuses a recipient: its first words; empty where it passes."""
    ours = settings(destinations=replace(WRITTEN, **changes))
    return last_check(ours, address, world or World(tables=TABLES, own=("qmail.example",)))[:10]


@pytest.mark.parametrize(
    "domain",
    [
        *("local.example", "LOCAL.Example", "table.example", "alias.example", "a.example", "virtual.example"),
        *("v.example", "relayed.example", "a.b.Relayed.example", "r.example", "a.r.example", "qmail.example"),
        *("[192.0.2.1]", "[IPv6:2001:DB8:0::1]"),
    ],
)
def test_what_is_written_is_ours(domain: str) -> None:
    """By each list, by its tables, below a domain of relay_domains, and as an address of this host."""
    assert refused(f"u@{domain}") == ""


@pytest.mark.parametrize(
    "domain",
    [
        *("other.example", "a.local.example", "a.alias.example", "a.virtual.example", "a.v.example", "a.table.example"),
        *("no.relayed.example", "notrelayed.example", "relayed.example.net", "address.example", "sub.qmail.example"),
        *("example", "", "[192.0.2.2]", "[local.example]", "192.0.2.1"),
    ],
)
def test_all_else_is_not(domain: str) -> None:
    """A domain stands for those below it in relay_domains alone."""
    assert refused(f"u@{domain}") == DENIED


def test_a_domain_below_may_be_left_out() -> None:
    """By parent_domain_matches_subdomains."""
    lists = settings(destinations=WRITTEN, parent_domain_matches_subdomains=frozenset[str]())
    world = World(tables=TABLES)

    assert last_check(lists, "u@relayed.example", world) == ""
    assert last_check(lists, "u@a.relayed.example", world)[:10] == DENIED


def test_a_route_to_elsewhere_is_refused() -> None:
    """Also within a domain of ours."""
    for address in ("u%other.example@local.example", "other.example!u@virtual.example", "u@other.example@r.example"):
        assert refused(address) == DENIED


def test_a_domain_without_a_dot_is_completed() -> None:
    """As lists complete it (append_dot_mydomain)."""
    own = domains("mail.example.org")

    assert refused("u@mail", mydestination=own) == DENIED
    assert refused("u@mail", mydestination=own, append_dot_mydomain=True) == ""


def test_a_default_opens_nothing_that_the_backend_refuses() -> None:
    """Where mydestination is not written, its domains and this host's addresses count if qmail has them."""
    default: dict[str, Any] = {
        "mydestination": domains("mx.example.org localhost"),
        "relay_domains": domains("mx.example.org localhost"),
        "unwritten": frozenset((Kind.LOCAL, Kind.RELAY)),
    }
    behind = World(tables=TABLES, own=("mx.example.org",))

    assert refused("u@mx.example.org", behind, **default) == ""
    assert refused("u@mx.example.org", World(tables=TABLES, own=None), **default) == LATER
    for domain in ("localhost", "a.localhost", "sub.mx.example.org", "[192.0.2.1]"):
        assert refused(f"u@{domain}", behind, **default) == DENIED
    assert refused("u@virtual.example", behind, **default) == ""


@pytest.mark.parametrize("broken", TABLES)
def test_a_broken_table_opens_nothing(broken: str) -> None:
    """Whoever is not found before it is refused for now."""
    world = World(tables=TABLES | {broken: None}, own=("qmail.example",))
    found = {domain: refused(f"u@{domain}", world) for domain in ("local.example", "r.example", "other.example")}

    assert found == {"local.example": "", "r.example": LATER, "other.example": LATER}


def test_what_qmail_takes_cannot_be_told() -> None:
    """What is written passes nevertheless; nothing else does, for now."""
    world = World(tables=TABLES, own=None)

    assert refused("u@local.example", world) == ""
    assert refused("u@other.example", world) == LATER
