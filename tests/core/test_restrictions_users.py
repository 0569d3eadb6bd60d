"""Which domains are ours, where an address leads, and who is known there."""

from dataclasses import replace
from typing import Any

import pytest

from tests.support.restrictions import OURS, World, facts, judged, reply, said, settings, split
from ucspi_py.core.errors import AskedWrongly
from ucspi_py.core.gate.restrictions.domains import parse_domains, parse_maps
from ucspi_py.core.gate.restrictions.settings import Destinations

DENIED = "554 5.7.1"
CHECK = {"recipient": "reject_unauth_destination", "smtpd_reject_unlisted_recipient": False}


def domains(text: str) -> Any:
    """A list of domains."""
    return parse_domains(split(text, "main.cf line 7"))


def maps(text: str) -> Any:
    """A list of tables."""
    return parse_maps(split(text, "main.cf line 7"))


ALL = Destinations(
    myorigin=b"ours.example",
    mydomain=b"example",
    mydestination=domains("ours.example, second.example"),
    virtual_alias_domains=domains("alias.example"),
    virtual_mailbox_domains=domains("virtual.example"),
    relay_domains=domains("relayed.example"),
    own_addresses=frozenset((b"192.0.2.1", b"2001:db8::1")),
    virtual_alias_maps=maps("hash:/alias"),
    virtual_mailbox_maps=maps("hash:/virtual"),
    local_recipient_maps=maps("hash:/first hash:/local"),
    relay_recipient_maps=maps("hash:/relay"),
)
TABLES = {
    "hash:/alias": {"known@alias.example": "x"},
    "hash:/virtual": {"known@virtual.example": "x", "@catch.example": "x"},
    "hash:/first": {"early@ours.example": "x"},
    "hash:/local": {"known": "x"},
    "hash:/relay": {"known@relayed.example": "x"},
}


def refused(address: str, destinations: Destinations = ALL, **world: Any) -> bool:
    """Whether mail of a stranger for somebody is refused because of where it leads."""
    heard = reply(facts(recipient=address), World(tables=TABLES, **world), destinations=destinations, **CHECK)
    assert heard in ("", f"554 5.7.1 <{address}>: Relay access denied")
    return bool(heard)


@pytest.mark.parametrize(
    "address",
    [
        "u@ours.example",
        "u@OURS.Example",
        "u@second.example",
        "u@alias.example",
        "u@virtual.example",
        "u@relayed.example",
        "u@a.b.relayed.example",
        "u",
        "u@[192.0.2.1]",
        "u@[IPv6:2001:DB8:0::1]",
        "u%second.example@ours.example",
        "second.example!u@ours.example",
        "u%relayed.example",
        "a%ours.example%second.example@ours.example",
        "@ours.example",
    ],
)
def test_mail_for_us_is_taken(address: str) -> None:
    """Also by a route that ends here."""
    assert not refused(address)


@pytest.mark.parametrize(
    "address",
    [
        "u@other.example",
        "u@sub.ours.example",
        "u@notrelayed.example",
        "u@[192.0.2.2]",
        "u@[x]",
        "u@[IPv6:1:2:3]",
        "u%other.example@ours.example",
        "other.example!u@ours.example",
        "u@other.example@ours.example",
        "u%other.example",
        "other.example!u",
        "u%ours.example@relayed.example",
        "u%other.example@virtual.example",
        "u%other.example%second.example@ours.example",
    ],
)
def test_mail_for_elsewhere_is_refused(address: str) -> None:
    """Also by a route, and a route that another host would follow."""
    assert refused(address)


def test_routes_may_be_trusted() -> None:
    """allow_untrusted_routing is for those whom the next host knows."""
    trusting = replace(ALL, allow_untrusted_routing=True)

    assert not refused("u%ours.example@relayed.example", trusting)
    assert refused("u%other.example@ours.example", trusting)


def test_signs_that_route_nothing_are_of_the_name() -> None:
    """allow_percent_hack and swap_bangpath; a stranger's routes are refused nevertheless."""
    plain = replace(ALL, allow_percent_hack=False, swap_bangpath=False)

    assert refused("u%other.example@ours.example", plain)
    assert not refused("u%other.example@ours.example", replace(plain, allow_untrusted_routing=True))


def test_a_short_domain_is_completed() -> None:
    """append_dot_mydomain."""
    assert refused("u@ours")
    assert not refused("u@ours", replace(ALL, append_dot_mydomain=True))


def test_subdomains_are_listed_with_a_dot() -> None:
    """Where parent_domain_matches_subdomains does not hold relay_domains."""
    dotted = replace(OURS, relay_domains=domains("relayed.example, .dotted.example"))
    more = CHECK | {"destinations": dotted, "parent_domain_matches_subdomains": frozenset[str]()}

    assert reply(facts(recipient="u@a.relayed.example"), **more) != ""
    assert reply(facts(recipient="u@a.dotted.example"), **more) == ""
    assert reply(facts(recipient="u@dotted.example"), **more) != ""


def test_domains_stand_in_tables_too() -> None:
    """And before a ``!`` what is none of them; an empty value is a value here."""
    listed = replace(
        OURS, mydestination=domains("!not.example hash:/domains"), relay_domains=domains("!no.relayed.example hash:/r")
    )
    world = World(tables={"hash:/domains": {"a.example": "", "not.example": "x"}, "hash:/r": {"relayed.example": "x"}})
    passing = [
        address
        for address in ("u@a.example", "u@not.example", "u@b.a.example", "u@x.relayed.example", "u@no.relayed.example")
        if reply(facts(recipient=address), world, destinations=listed, **CHECK) == ""
    ]

    assert passing == ["u@a.example", "u@x.relayed.example"]


@pytest.mark.parametrize(
    "restriction",
    [
        "reject_unauth_destination",
        "permit_auth_destination",
        "reject_unknown_recipient_domain",
        "check_recipient_access hash:/t",
        "reject_unlisted_recipient",
        "permit_dnswl_client wl.example",
        "permit",
    ],
)
def test_a_broken_table_of_domains_is_no_permission(restriction: str) -> None:
    """It is said for now, of every recipient."""
    broken = replace(OURS, mydestination=domains("hash:/domains"))
    heard = reply(None, World(tables={"hash:/domains": None}), destinations=broken, recipient=restriction)

    assert heard == "451 4.3.0 <u@ours.example>: Temporary lookup failure"


def test_mail_for_us_is_permitted_and_other_mail_deferred() -> None:
    """permit_auth_destination and defer_unauth_destination."""
    lists = "permit_auth_destination, defer_unauth_destination"

    assert reply(None, recipient=f"{lists}, reject") == ""
    assert reply(facts(recipient="u@other.example"), recipient=lists) == (
        "454 4.7.1 <u@other.example>: Relay access denied"
    )


@pytest.mark.parametrize(("own", "code"), [(("own.example",), ""), ((), "554"), (None, "451")])
def test_the_domains_of_the_mail_system_behind_are_ours(own: tuple[str, ...] | None, code: str) -> None:
    """Where it cannot be told there is no permission."""
    assert reply(facts(recipient="u@own.example"), World(own=own), **CHECK)[:3] == code


@pytest.mark.parametrize(
    ("address", "table"),
    [
        ("x@ours.example", "local recipient"),
        ("x", "local recipient"),
        ("x@virtual.example", "virtual mailbox"),
        ("x@alias.example", "virtual alias"),
        ("x@relayed.example", "relay recipient"),
        ("known@other.relayed.example", "relay recipient"),
    ],
)
def test_whom_nobody_knows_is_refused(address: str, table: str) -> None:
    """In the words of its table, or without them."""
    client, world = facts(recipient=address), World(tables=TABLES)
    expected = f"550 5.1.1 <{address}>: Recipient address rejected: User unknown"
    silent = replace(ALL, show_user_unknown_table_name=False)

    assert reply(client, world, destinations=ALL) == f"{expected} in {table} table"
    assert reply(client, world, destinations=silent) == expected


@pytest.mark.parametrize(
    "address",
    [
        "known@ours.example",
        "Known@second.example",
        "known+x@ours.example",
        "early@ours.example",
        "known",
        "postmaster@ours.example",
        "MAILER-DAEMON@ours.example",
        "known@virtual.example",
        "known@alias.example",
        "known@relayed.example",
        "known%relayed.example@ours.example",
    ],
)
def test_whom_a_table_knows_passes(address: str) -> None:
    """By any of the keys of mail_addr_find.c."""
    assert reply(facts(recipient=address), World(tables=TABLES), destinations=ALL, recipient_delimiter=b"+") == ""


def test_a_domain_without_a_table_takes_everybody() -> None:
    """Nobody can say who is there."""
    assert reply(facts(recipient="x@ours.example")) == ""


def test_who_is_known_is_said_last() -> None:
    """A stranger who relays learns nothing, and a list may say it earlier."""
    client, world = facts(recipient="x@ours.example"), World(tables=TABLES)

    assert reply(client, world, destinations=ALL, recipient="reject").startswith(DENIED)
    assert reply(client, world, destinations=ALL, recipient="reject_unlisted_recipient, reject").startswith("550 5.1.1")


def test_a_warning_about_a_recipient_is_no_check_of_it() -> None:
    """It is looked at once more, and refused."""
    client = facts(recipient="x@ours.example")
    verdict = judged(
        settings(recipient="warn_if_reject reject_unlisted_recipient", destinations=ALL), client, World(tables=TABLES)
    )

    assert said(verdict).startswith("550 5.1.1")
    assert [line.kind for line in verdict.lines] == [b"reject_warning"]


def test_a_sender_of_ours_must_be_known_where_that_is_asked_for() -> None:
    """smtpd_reject_unlisted_sender, and the restriction."""
    known, world = facts(sender="x@ours.example", recipient="known"), World(tables=TABLES)
    expected = "550 5.1.0 <x@ours.example>: Sender address rejected: User unknown in local recipient table"

    assert reply(known, world, destinations=ALL) == ""
    assert reply(known, world, destinations=ALL, smtpd_reject_unlisted_sender=True) == expected
    assert reply(known, world, destinations=ALL, sender="reject_unlisted_sender") == expected


@pytest.mark.parametrize(("value", "expected"), [(None, "451 4.3.0"), ("", "451 4.3.5")])
def test_a_broken_table_of_users_is_said_for_now(value: str | None, expected: str) -> None:
    """Also an empty value, which is a mistake there."""
    tables = TABLES | {"hash:/first": None if value is None else {"x@ours.example": value}}

    assert reply(facts(recipient="x@ours.example"), World(tables=tables), destinations=ALL).startswith(expected)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("/etc/domains", "reads no list of domains from a file"),
        ("a.example !", "a domain is missing"),
        ("ldap:x", "asks no database"),
        ("x:/y", "there is no type 'x'"),
    ],
)
def test_what_the_gate_cannot_read_is_refused_with_its_place(text: str, expected: str) -> None:
    """It would be a domain that nobody has."""
    with pytest.raises(AskedWrongly, match=r"^main\.cf line 7: ") as refused_:
        domains(text)

    assert expected in refused_.value.sentence


def test_a_double_exclamation_mark_is_none() -> None:
    """match_list.c."""
    assert [one.excluded for one in domains("!a !!b !!!hash:/c [::1]")] == [True, False, True, False]
    with pytest.raises(AskedWrongly, match="is no table"):
        maps("a.example")
