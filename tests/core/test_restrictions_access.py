"""Access tables: which keys are looked for, and what a value does (access(5))."""

from typing import Any

import pytest

from tests.support.restrictions import World, facts, judged, reply, said, settings
from ucspi_py.core.gate.restrictions.checks.actions import flaw
from ucspi_py.core.gate.restrictions.facts import Facts, Stage
from ucspi_py.core.gate.restrictions.judgement import LogLine
from ucspi_py.core.smtp.path import Path

TABLE = "hash:/t"
RECIPIENT = "<u@ours.example>: Recipient address rejected: "


def keys(restriction: str, client: Facts, table: str = TABLE, **more: Any) -> list[str]:
    """The keys of a table that has none of them."""
    world = World(tables={table: {}})
    judged(settings(recipient=f"{restriction} {table}", **more), client, world)
    return world.looked_up()


@pytest.mark.parametrize(
    ("restriction", "client", "expected"),
    [
        (
            "check_client_access",
            facts(),
            ["mx.far.example", "far.example", "example", "192.0.2.7", "192.0.2", "192.0", "192"],
        ),
        ("check_client_access", facts(name=b"unknown"), ["unknown", "192.0.2.7", "192.0.2", "192.0", "192"]),
        (
            "check_reverse_client_hostname_access",
            facts(name=b"unknown", reverse_name=b"A.example", ip=b"2001:db8::7"),
            ["a.example", "example", "2001:db8::7", "2001:db8:", "2001:db8", "2001"],
        ),
        ("check_helo_access", facts(helo=b"Pc.Far.example."), ["pc.far.example.", "far.example.", "example."]),
        ("check_helo_access", facts(helo=b"192.0.2.7"), ["192.0.2.7"]),
        ("check_helo_access", facts(helo=b"a..b"), ["a..b", ".b"]),
        ("check_helo_access", facts(helo=None), []),
        ("check_channel_access", facts(channel=b"Internal.lan"), ["internal.lan"]),
        ("check_channel_access", facts(), []),
        (
            "check_sender_access",
            facts(sender="A+b@Sub.far.example"),
            ["a+b@sub.far.example", "a@sub.far.example", "sub.far.example", "far.example", "example", "a+b@", "a@"],
        ),
        ("check_sender_access", facts(sender=""), ["<>"]),
        ("check_sender_access", facts(sender="joe"), ["joe@ours.example", "ours.example", "example", "joe@"]),
        (
            "check_recipient_access",
            facts(recipient=Path(b"a b", b"ours.example")),
            ['"a b"@ours.example', "a b@ours.example", "ours.example", "example", '"a b"@', "a b@"],
        ),
    ],
)
def test_the_keys_of_a_search(restriction: str, client: Facts, expected: list[str]) -> None:
    """From the whole to its parts, in lower case."""
    found = keys(restriction, client, recipient_delimiter=b"+", smtpd_reject_unlisted_recipient=False)

    assert found == expected


def test_without_parent_domains_they_begin_with_a_dot() -> None:
    """parent_domain_matches_subdomains does not hold smtpd_access_maps."""
    found = keys("check_client_access", facts(), parent_domain_matches_subdomains=frozenset())

    assert found[:3] == ["mx.far.example", ".far.example", ".example"]


@pytest.mark.parametrize("kind", ["regexp", "pcre", "cidr"])
def test_a_table_of_patterns_is_asked_for_what_is_whole(kind: str) -> None:
    """As it was said, without parts."""
    assert keys("check_client_access", facts(name=b"MX.example"), f"{kind}:/t") == ["MX.example", "192.0.2.7"]
    assert keys("check_sender_access", facts(sender="A+b@far.example"), f"{kind}:/t") == ["a+b@far.example"]


@pytest.mark.parametrize(
    ("address", "special", "expected"),
    [
        ("owner-list@far.example", True, 0),
        ("list-request@far.example", True, 0),
        ("list-x@far.example", True, 2),
        ("owner-list@far.example", False, 2),
        ("postmaster@far.example", False, 0),
        ("-x@far.example", True, 0),
    ],
)
def test_who_runs_a_mailing_list_has_no_extension(address: str, special: bool, expected: int) -> None:
    """owner_request_special; nor has postmaster, nor what begins with a delimiter."""
    found = keys("check_sender_access", facts(sender=address), recipient_delimiter=b"-", owner_request_special=special)

    assert len(found) == 4 + expected


def test_without_an_address_no_table_is_asked() -> None:
    """There is no recipient yet."""
    client = facts(Stage.CONNECT, helo=None, sender=None, recipient=None)
    world = World(tables={TABLE: {}})
    lists = settings(
        client=f"check_recipient_access {TABLE}, check_sender_access {TABLE}, check_helo_access {TABLE}",
        smtpd_delay_reject=False,
    )

    assert said(judged(lists, client, world)) == ""
    assert world.looked_up() == []


def test_a_value_of_commas_is_ok() -> None:
    """With a warning: it was so once."""
    verdict = judged(
        settings(recipient=f"check_recipient_access {TABLE}, reject"),
        facts(),
        World(tables={TABLE: {"u@ours.example": " ,"}}),
    )

    assert said(verdict) == ""
    assert b"has empty value" in verdict.lines[0].text


def test_the_first_key_ends_the_search() -> None:
    """DUNNO does, too, and a name above beats the whole address."""
    table = {"a@far.example": "DUNNO", "far.example": "REJECT", "example": "OK", "192.0.2.7": "REJECT"}
    world = World(tables={TABLE: table})

    assert reply(None, world, recipient=f"check_sender_access {TABLE}") == ""
    assert reply(facts(name=b"x.example"), world, recipient=f"check_client_access {TABLE}") == ""
    assert reply(facts(name=b"x.far.example"), world, recipient=f"check_client_access {TABLE}") == (
        "554 5.7.1 <x.far.example[192.0.2.7]>: Client host rejected: Access denied"
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("OK", ""),
        ("RELAY anything", ""),
        ("dunno", ""),
        ("1700000000", ""),
        ("450", ""),
        ("REJECT", f"554 5.7.1 {RECIPIENT}Access denied"),
        ("reject go away", f"554 5.7.1 {RECIPIENT}go away"),
        ("REJECT 5.2.1 full", f"554 5.2.1 {RECIPIENT}full"),
        ("REJECT 5.2.1", f"554 5.2.1 {RECIPIENT}Access denied"),
        ("REJECT 4.2.1 full", f"554 5.2.1 {RECIPIENT}full"),
        ("REJECT 5.1.8 x", f"554 5.1.2 {RECIPIENT}x"),
        ("DEFER", f"450 4.7.1 {RECIPIENT}Access denied"),
        ("DEFER_IF_PERMIT", f"450 4.7.1 {RECIPIENT}Service unavailable"),
        ("DEFER_IF_PERMIT 4.2.0 wait", f"450 4.2.0 {RECIPIENT}wait"),
        ("DEFER_IF_REJECT", ""),
        ("521 go away", f"521 5.7.1 {RECIPIENT}go away"),
        ("450 4.2.1 x", f"450 4.2.1 {RECIPIENT}x"),
        ("450 5.2.1 x", f"450 4.2.1 {RECIPIENT}x"),
        ("defer", f"450 4.7.1 {RECIPIENT}Access denied"),
        (
            "reject_unknown_sender_domain, permit",
            "450 4.1.8 <a@far.example>: Sender address rejected: Domain not found",
        ),
        ("no such thing", "451 4.3.5 Server configuration error"),
        ("check_sender_access hash:/t", "451 4.3.5 Server configuration error"),
        ("HOLD", "451 4.3.5 Server configuration error"),
        ("again", "451 4.3.5 Server configuration error"),
        ("", f"451 4.3.5 {RECIPIENT}Server configuration error"),
    ],
)
def test_what_a_value_does(text: str, expected: str) -> None:
    """Words in any case; what is none is a list of restrictions."""
    lists = settings({"again": f"check_recipient_access {TABLE}"}, recipient=f"check_recipient_access {TABLE}")

    assert said(judged(lists, facts(), World(tables={TABLE: {"u@ours.example": text}}))) == expected


@pytest.mark.parametrize(
    ("restriction", "key", "text", "expected"),
    [
        ("check_sender_access", "far.example", "REJECT 5.1.2 x", "5.1.8"),
        ("check_sender_access", "far.example", "REJECT 5.1.1 x", "5.1.7"),
        ("check_sender_access", "far.example", "REJECT 5.1.5 x", "5.1.0"),
        ("check_sender_access", "far.example", "REJECT 5.1.9 x", "5.1.0"),
        ("check_recipient_access", "ours.example", "REJECT 5.1.7 x", "5.1.3"),
        ("check_recipient_access", "ours.example", "REJECT 5.1.4 x", "5.1.4"),
        ("check_client_access", "192.0.2.7", "REJECT 5.1.1 x", "5.0.0"),
        ("check_helo_access", "example", "REJECT 5.1.1 x", "5.0.0"),
    ],
)
def test_a_detail_code_fits_what_it_is_said_of(restriction: str, key: str, text: str, expected: str) -> None:
    """A code about the other address is made one about this (smtpd_dsn_fix.c)."""
    world = World(tables={TABLE: {key: text}})

    assert reply(None, world, recipient=f"{restriction} {TABLE}").split()[1] == expected


def test_info_and_warn_are_lines() -> None:
    """The list goes on."""
    world = World(tables={TABLE: {"u@ours.example": "WARN look here", "far.example": "INFO"}})
    lists = settings(recipient=f"check_recipient_access {TABLE}, check_sender_access {TABLE}")

    assert judged(lists, facts(), world).lines == (LogLine(b"warn", b"look here"), LogLine(b"info", b""))


def test_discard_takes_the_message_and_ends_all_lists() -> None:
    """Also those of other stages, and the last check: it goes nowhere."""
    world = World(tables={TABLE: {"a@far.example": "DISCARD spam"}})
    lists = settings(sender=f"check_sender_access {TABLE}", recipient="reject")
    verdict = judged(lists, facts(recipient="u@other.example"), world)

    assert said(verdict) == ""
    assert verdict.discard
    assert verdict.lines == (LogLine(b"discard", b"<a@far.example>: Sender address spam"),)
    assert judged(lists, facts(discard=True), world).lines == ()
    assert said(judged(lists, facts(discard=True), world)) == ""


def test_prepend_puts_a_header_on_top() -> None:
    """Not at the end of the message, and no other text."""
    world = World(tables={TABLE: {"far.example": "PREPEND X-From: far", "example": "PREPEND nothing"}})
    lists = settings(recipient=f"check_sender_access {TABLE}", end_of_data=f"check_sender_access {TABLE}")

    assert judged(lists, facts(), world).prepend == (b"X-From: far",)
    assert judged(lists, facts(Stage.END_OF_MESSAGE), world).prepend == ()
    assert judged(lists, facts(sender="a@x.example"), world).prepend == ()


@pytest.mark.parametrize("action", ["DISCARD", "PREPEND A: b"])
def test_before_mail_there_is_no_message(action: str) -> None:
    """Without smtpd_delay_reject both are passed over with a line."""
    world = World(tables={TABLE: {"192.0.2.7": action}})
    lists = settings(client=f"check_client_access {TABLE}", smtpd_delay_reject=False)
    verdict = judged(lists, facts(Stage.CONNECT, helo=None, sender=None, recipient=None), world)

    assert (verdict.discard, verdict.prepend) == (False, ())
    assert verdict.lines[0].kind == b"warning"


def test_a_broken_table_is_said_by_451() -> None:
    """Of any key, and it is no DUNNO."""
    world = World(tables={TABLE: None})

    assert reply(None, world, recipient=f"check_recipient_access {TABLE}, reject") == (
        f"451 4.3.5 {RECIPIENT}Server configuration error"
    )


def test_a_bare_table_is_the_check_of_its_list() -> None:
    """In a class, too; where a list has none it is an error."""
    world = World(tables={TABLE: {"192.0.2.7": "REJECT", "far.example": "DEFER", "u@ours.example": "521 x"}})
    classes = {"bare": TABLE}

    assert said(judged(settings(classes, client=TABLE), facts(name=b"unknown"), world)).startswith("554 5.7.1 <unknown")
    assert said(judged(settings(classes, helo="bare"), facts(), world)).startswith("450 4.7.1 <mx.far.example>: Helo")
    assert said(judged(settings(classes, sender="bare"), facts(), world)).startswith("450 4.7.1 <a@far.example>: Se")
    assert said(judged(settings(classes, recipient="bare"), facts(), world)).startswith("521 5.7.1 <u@ours.example>: R")
    assert said(judged(settings(classes, data="bare"), facts(Stage.DATA), world)) == (
        "451 4.3.5 Server configuration error"
    )


def test_who_is_sent_on_to_elsewhere_is_permitted_nothing() -> None:
    """``user%other@relayed``: OK is DUNNO, REJECT counts."""
    client = facts(recipient="u%other.example@relayed.example")
    lists = f"check_recipient_access {TABLE}, reject"

    assert reply(client, World(tables={TABLE: {"relayed.example": "OK"}}), recipient=lists).startswith("554 5.7.1 <u%")


@pytest.mark.parametrize(
    "restriction", ["check_reverse_client_hostname_access", "check_client_mx_access", "check_helo_a_access"]
)
def test_what_a_stranger_decides_permits_nobody(restriction: str) -> None:
    """OK is an error there (forbid_allowlist)."""
    world = World(tables={TABLE: {"192.0.2.7": "OK", "mx.far.example": "OK"}}, dns={"mx.far.example A": ["192.0.2.7"]})

    assert reply(None, world, recipient=f"{restriction} {TABLE}") == "451 4.3.5 Server configuration error"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b"HOLD", "HOLD needs a queue"),
        (b"filter x:y", "FILTER needs a queue"),
        (b"REDIRECT a@b", "REDIRECT needs a queue"),
        (b"BCC a@b", "BCC needs a queue"),
        (b"PREPEND text", "PREPEND must be followed by a header"),
        (b"REJCT", "there is no restriction 'REJCT'; the nearest is reject"),
        (b"ACCEPT", "there is no restriction 'ACCEPT'"),
        (b"check_client_access hash:/t", "no table may stand in a table"),
        (b"permit, reject_rbl_client", "reject_rbl_client must be followed by"),
        (b" ,", "a key has no value"),
        (b"OK", None),
        (b"550 5.7.1 go", None),
        (b"42", None),
        (b"permit_mynetworks, mine", None),
        (b"PREPEND X-A: b", None),
    ],
)
def test_the_gate_does_not_start_with_a_value_that_it_cannot_do(text: bytes, expected: str | None) -> None:
    """To pass over HOLD would deliver what was to be held back."""
    found = flaw(text, ("mine",))

    assert (found is None) if expected is None else (found is not None and expected in found)


class TestChannels:
    """Classes of clients, by $CHANNEL."""

    WORLD = World(tables={TABLE: {"internal": "permit", "closed": "REJECT"}})

    def test_a_refusal_names_the_client(self) -> None:
        """And not the class, which is nobody's business."""
        said = reply(facts(channel=b"closed"), self.WORLD, recipient=f"check_channel_access {TABLE}")
        assert said == "554 5.7.1 <mx.far.example[192.0.2.7]>: Client host rejected: Access denied"

    @pytest.mark.parametrize(("channel", "passes"), [(b"internal", True), (b"other", False), (b"", False)])
    def test_each_class_has_its_list(self, channel: bytes, passes: bool) -> None:
        """Whoever is in no class, or in one that the table does not have, goes on in the list."""
        said = reply(facts(channel=channel), self.WORLD, recipient=f"check_channel_access {TABLE}, reject")
        assert (said == "") is passes
