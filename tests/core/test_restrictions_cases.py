"""Lists as guides teach them, and what a client hears of each line (smtpd_delay_reject = yes)."""

from typing import Any

import pytest

from tests.support.restrictions import World, facts, judged, path, reply, said, settings, split
from ucspi_py.core.gate.restrictions.facts import NameStatus
from ucspi_py.core.gate.restrictions.judgement import LogLine
from ucspi_py.core.gate.restrictions.parse import parse_list
from ucspi_py.core.gate.restrictions.questions import DnsFailure, ZoneFailure, ZoneQuestion

HELO = "permit_mynetworks, reject_non_fqdn_helo_hostname, reject_invalid_helo_hostname, permit"
SENDER = "permit_mynetworks, reject_non_fqdn_sender, reject_unknown_sender_domain, permit"
RECIPIENT = """reject_unauth_pipelining, reject_non_fqdn_recipient, reject_unknown_recipient_domain,
    permit_mynetworks, reject_unauth_destination, check_sender_access hash:/etc/postfix/sender_access,
    reject_rbl_client zen.example, reject_rbl_client bl.example, permit"""
GUIDE = settings(helo=HELO, sender=SENDER, recipient=RECIPIENT)
ACCESS = {
    "myfriend@example.com": "OK",
    "junk@spam.com": "REJECT",
    "marketing@": "REJECT",
    "theboss@": "OK",
    "deals.marketing.com": "REJECT",
    "somedomain.com": "OK",
}
SENDERS = ("far.example", "example.com", "spam.com", "a.deals.marketing.com", "somedomain.com")


def world(**more: str | ZoneFailure) -> World:
    """DNS, the guide's table, and its zones. more: zones that list the client, by their first label."""
    return World(
        dns={f"{name} MX": ["mx.example"] for name in SENDERS},
        tables={"hash:/etc/postfix/sender_access": ACCESS, "hash:/t": {}},
        zones={f"192.0.2.7 {zone}.example": text for zone, text in more.items()},
    )


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, ""),
        ({"helo": b"pc"}, "504 5.5.2 <pc>: Helo command rejected: need fully-qualified hostname"),
        ({"helo": b"[300.1.1.1]"}, "501 5.5.2 <[300.1.1.1]>: Helo command rejected: invalid ip address"),
        ({"helo": b"pc", "relays": True}, ""),
        ({"sender": path("joe")}, "504 5.5.2 <joe>: Sender address rejected: need fully-qualified address"),
        ({"sender": path("a@nx.example")}, "450 4.1.8 <a@nx.example>: Sender address rejected: Domain not found"),
        ({"sender": path("")}, ""),
        ({"recipient": path("u")}, "504 5.5.2 <u>: Recipient address rejected: need fully-qualified address"),
        (
            {"recipient": path("u@nx.example")},
            "450 4.1.2 <u@nx.example>: Recipient address rejected: Domain not found",
        ),
        ({"recipient": path("u@far.example")}, "554 5.7.1 <u@far.example>: Relay access denied"),
        ({"recipient": path("u@far.example"), "relays": True}, ""),
        ({"sender": path("junk@spam.com")}, "554 5.7.1 <junk@spam.com>: Sender address rejected: Access denied"),
        ({"sender": path("no.junk@spam.com")}, ""),
        (
            {"sender": path("marketing@far.example")},
            "554 5.7.1 <marketing@far.example>: Sender address rejected: Access denied",
        ),
        (
            {"sender": path("x@a.deals.marketing.com")},
            "554 5.7.1 <x@a.deals.marketing.com>: Sender address rejected: Access denied",
        ),
    ],
)
def test_each_line_of_the_guide_does_what_it_says(changes: dict[str, Any], expected: str) -> None:
    """HELO, sender and recipient restrictions."""
    assert said(judged(GUIDE, facts()._replace(**changes), world())) == expected


@pytest.mark.parametrize("sender", ["myfriend@example.com", "theboss@far.example", "x@somedomain.com"])
def test_ok_in_the_table_spares_the_zones_and_nothing_else(sender: str) -> None:
    """It leaves the recipient list, behind its relay check."""
    listed = world(zen="", bl="")

    assert said(judged(GUIDE, facts(sender=sender), listed)) == ""
    assert said(judged(GUIDE, facts(), listed)).endswith("Client host [192.0.2.7] blocked using zen.example")
    assert "Relay access denied" in said(judged(GUIDE, facts(sender=sender, recipient="u@far.example"), listed))


def test_the_most_effective_zone_is_asked_first() -> None:
    """The second one only where the first does not list the client."""
    listed, unlisted = world(zen=""), world()
    judged(GUIDE, facts(), listed)
    judged(GUIDE, facts(), unlisted)

    assert [one.zone.name for one in listed.asked if isinstance(one, ZoneQuestion)] == [b"zen.example"]
    assert [one.zone.name for one in unlisted.asked if isinstance(one, ZoneQuestion)] == [b"zen.example", b"bl.example"]


def test_who_may_relay_is_never_looked_up_in_a_zone() -> None:
    """permit_mynetworks is before the zones."""
    inside = world(zen="")

    assert said(judged(GUIDE, facts(relays=True), inside)) == ""
    assert not any(isinstance(one, ZoneQuestion) for one in inside.asked)


@pytest.mark.parametrize(
    "text",
    [
        "permit_mynetworks, permit_sasl_authenticated, reject_unknown_sender_domain, reject_unknown_recipient_domain, "
        "reject_unauth_destination, reject_rbl_client bl.spamcop.net",
        "check_client_access hash:/etc/postfix/access, reject_rbl_client bl.spamcop.net",
        "reject_invalid_hostname, reject_non_fqdn_hostname, reject_unknown_client",
    ],
)
def test_the_lists_of_older_guides_are_taken(text: str) -> None:
    """Old names, too."""
    assert parse_list(split(text, "main.cf"))


def test_a_hard_refusal_beats_a_failure() -> None:
    """A HELO name that cannot be looked up, and mail for elsewhere."""
    failing = World(dns={"x.example A": DnsFailure.TRY_AGAIN})
    lists = {"helo": "reject_unknown_helo_hostname", "relay": "reject_unauth_destination"}

    assert reply(facts(helo=b"x.example"), failing, **lists).startswith("450 4.7.1 <x.example>: Helo")
    assert reply(facts(helo=b"x.example", recipient="u@far.example"), failing, **lists).startswith("554 5.7.1 ")


def test_a_key_is_a_prefix_of_an_address_or_a_verified_name() -> None:
    """A forged name matches no OK."""
    table = World(tables={"hash:/t": {"192.0.2": "REJECT", "far.example": "OK"}})
    lists = {"client": "check_client_access hash:/t", "recipient": "reject_unauth_destination"}

    assert reply(None, table, **lists) == ""
    assert reply(facts(name=b"unknown", name_status=NameStatus.FORGED), table, **lists) == (
        "554 5.7.1 <unknown[192.0.2.7]>: Client host rejected: Access denied"
    )


@pytest.mark.parametrize("code", [421, 521])
def test_421_and_521_hang_up(code: int) -> None:
    """Of any table."""
    verdict = judged(
        settings(client="check_client_access hash:/t"),
        facts(),
        World(tables={"hash:/t": {"192.0.2.7": f"{code} go away"}}),
    )

    assert verdict.reply is not None
    assert verdict.reply.hangs_up


def test_only_the_next_restriction_is_softened() -> None:
    """warn_if_reject before a zone."""
    lists = settings(recipient="warn_if_reject reject_rbl_client zen.example, reject_rbl_client bl.example")
    words = b"554 5.7.1 Service unavailable; Client host [192.0.2.7] blocked using zen.example"

    assert judged(lists, facts(), world(zen="")).lines == (LogLine(b"reject_warning", words),)
    assert said(judged(lists, facts(), world(zen="", bl=""))).endswith("blocked using bl.example")


def test_a_zone_that_is_out_refuses_nobody() -> None:
    """It is said in the log."""
    verdict = judged(settings(recipient="reject_rbl_client zen.example"), facts(), world(zen=ZoneFailure.UNKNOWN))

    assert said(verdict) == ""
    assert verdict.lines == (LogLine(b"warning", b"zen.example: RBL lookup error"),)
