"""Names: of clients, of HELO, of domains in addresses, of zones and of servers."""

import pytest

from tests.support.restrictions import World, facts, judged, reply, settings
from ucspi_py.core.gate.restrictions.addresses.hostname import in_ascii, is_hostname, is_ipv4, is_ipv6
from ucspi_py.core.gate.restrictions.facts import Facts, NameStatus, Stage
from ucspi_py.core.gate.restrictions.questions import DnsFailure, ZoneFailure

AGAIN = DnsFailure.TRY_AGAIN
MALFORMED = "Malformed DNS server reply"


@pytest.mark.parametrize(
    ("status", "code", "reverse_code"),
    [
        (NameStatus.OK, "", ""),
        (NameStatus.ABSENT, "550 5.7.25", "550 5.7.1"),
        (NameStatus.FORGED, "550 5.7.25", "450 4.7.1"),
        (NameStatus.FAILED, "450 4.7.25", "450 4.7.1"),
    ],
)
def test_a_client_without_a_name(status: NameStatus, code: str, reverse_code: str) -> None:
    """A failure is temporary, whatever the parameter."""
    client = facts(name_status=status, reverse_name_status=status)
    verified = reply(client, recipient="reject_unknown_client_hostname", unknown_client_reject_code=550)
    bare = reply(client, recipient="reject_unknown_reverse_client_hostname", unknown_client_reject_code=550)

    assert verified == (code and f"{code} Client host rejected: cannot find your hostname, [192.0.2.7]")
    assert bare == (
        reverse_code and f"{reverse_code} Client host rejected: cannot find your reverse hostname, [192.0.2.7]"
    )


@pytest.mark.parametrize(
    ("name", "is_valid", "is_whole"),
    [
        (b"mx.far.example", True, True),
        (b"mx.far.example.", True, True),
        (b"a.b", True, True),
        (b"a_b.c", True, True),
        (b"localhost", True, False),
        (b"pc.", True, False),
        (b"1.2.3.4", True, False),
        (b"::1", True, False),
        (b"123", False, False),
        (b"1.2", False, False),
        (b"a_b.-c", False, False),
        (b"a-.b", False, False),
        (b"a..b", False, False),
        (b"a..", False, False),
        (b".a.b", False, False),
        (b"x" * 63 + b".b", True, True),
        (b"x" * 64 + b".b", False, False),
        (b"a." * 127 + b"b", True, True),
        (b"a." * 128 + b"b", False, False),
        (b"a b.c", False, False),
        (b"caf\xc3\xa9.example", False, False),
        (b"", False, False),
    ],
)
def test_the_syntax_of_a_helo_name(name: bytes, is_valid: bool, is_whole: bool) -> None:
    """reject_invalid_helo_hostname and reject_non_fqdn_helo_hostname."""
    assert (reply(facts(helo=name), helo="reject_invalid_helo_hostname") == "") is is_valid
    assert (reply(facts(helo=name), helo="reject_non_fqdn_helo_hostname") == "") is is_whole


@pytest.mark.parametrize("check", ["reject_invalid", "reject_non_fqdn", "reject_unknown"])
@pytest.mark.parametrize(
    ("literal", "is_valid"),
    [
        (b"[192.0.2.7]", True),
        (b"[IPv6:::1]", True),
        (b"[IPv6:2001:db8::7]", True),
        (b"[300.1.1.1]", False),
        (b"[::1]", False),
        (b"[0.1.2.3]", False),
        (b"[192.0.2.7", False),
        (b"[]", False),
    ],
)
def test_a_literal_is_only_an_address(check: str, literal: bytes, is_valid: bool) -> None:
    """Whatever the restriction is."""
    heard = reply(facts(helo=literal), helo=f"{check}_helo_hostname")

    assert heard == ("" if is_valid else f"501 5.5.2 <{literal.decode()}>: Helo command rejected: invalid ip address")


def test_the_words_about_helo_names() -> None:
    """Codes by parameter."""
    assert reply(facts(helo=b"-x"), helo="reject_invalid_helo_hostname") == (
        "501 5.5.2 <-x>: Helo command rejected: Invalid name"
    )
    assert reply(facts(helo=b"pc"), helo="reject_non_fqdn_helo_hostname", non_fqdn_reject_code=550) == (
        "550 5.5.2 <pc>: Helo command rejected: need fully-qualified hostname"
    )


def test_a_helo_name_is_kept_without_odd_signs() -> None:
    """At its own command it is as it was said (smtpd.c, NEUTER_CHARACTERS)."""
    odd = b"!~" + bytes((*b' <>()\\";@', 0x7F, 0x1F, 0xE9)) + b"x"
    early = reply(facts(Stage.HELO, helo=b"a@b"), helo="reject", smtpd_delay_reject=False)

    assert f"<!~{'?' * 12}x>" in reply(facts(helo=odd), helo="reject")
    assert "<a@b>" in early


@pytest.mark.parametrize(
    ("dns", "expected"),
    [
        ({"A": ["192.0.2.1"]}, ""),
        ({"AAAA": ["2001:db8::1"]}, ""),
        ({"MX": ["mx.example"]}, ""),
        ({"MX": [""]}, ""),
        ({"MX": ["-bad-"]}, f"450 4.7.1 <x.example>: Helo command rejected: {MALFORMED}"),
        ({}, "450 4.7.1 <x.example>: Helo command rejected: Host not found"),
        ({"A": DnsFailure.REFUSED}, "450 4.7.1 <x.example>: Helo command rejected: Host not found"),
        ({"A": AGAIN}, "550 5.7.1 <u@ours.example>: Recipient address rejected: Access denied"),
        ({"A": AGAIN, "MX": [""]}, "550 5.7.1 <u@ours.example>: Recipient address rejected: Access denied"),
        ({"A": AGAIN, "MX": ["mx.example"]}, ""),
    ],
)
def test_a_helo_name_must_be_known(dns: dict[str, list[str] | DnsFailure], expected: str) -> None:
    """Not found is said at once, a failure only where nothing else refuses."""
    world = World(dns={f"x.example {kind}": records for kind, records in dns.items()})
    refuses = expected.startswith("550")
    lists = {"helo": "reject_unknown_helo_hostname", "recipient": "reject" if refuses else "permit"}

    assert reply(facts(helo=b"x.example"), world, **lists, reject_code=550) == expected


def test_a_failure_defers_where_nothing_refuses() -> None:
    """Or at once, by parameter."""
    world = World(dns={"x.example MX": AGAIN})
    helo = {"helo": "reject_unknown_helo_hostname"}
    expected = "450 4.7.1 <x.example>: Helo command rejected: Host not found"

    assert reply(facts(helo=b"x.example"), world, **helo) == expected
    assert (
        reply(
            facts(helo=b"x.example"),
            world,
            **helo,
            recipient="reject",
            unknown_helo_hostname_tempfail_defers_if_permit=False,
        )
        == expected
    )


@pytest.mark.parametrize("name", [b"1.2.3.4", b"-x.example", b"x..example"])
def test_what_is_no_name_is_not_asked_for(name: bytes) -> None:
    """It is not found."""
    world = World()

    assert "Host not found" in reply(facts(helo=name), world, helo="reject_unknown_helo_hostname")
    assert world.names() == []


@pytest.mark.parametrize(
    ("dns", "sender", "recipient", "asked"),
    [
        ({"MX": ["mx.example"]}, "", "", ["MX"]),
        ({"MX": ["192.0.2.1"]}, "", "", ["MX"]),
        ({"A": ["192.0.2.1"]}, "", "", ["MX", "A"]),
        ({"AAAA": ["2001:db8::1"]}, "", "", ["MX", "A", "AAAA"]),
        ({}, "450 4.1.8 Domain not found", "450 4.1.2 Domain not found", ["MX", "A", "AAAA"]),
        ({"MX": ["-bad-"]}, f"450 4.1.8 {MALFORMED}", f"450 4.1.2 {MALFORMED}", ["MX"]),
        ({"MX": DnsFailure.MALFORMED}, f"450 4.1.8 {MALFORMED}", f"450 4.1.2 {MALFORMED}", ["MX"]),
        ({"A": AGAIN}, "450 4.1.8 Domain not found", "450 4.1.2 Domain not found", ["MX", "A", "AAAA"]),
        (
            {"MX": ["mx.example", ""]},
            "550 5.7.27 Domain x.example does not accept mail (nullMX)",
            "556 5.1.10 Domain x.example does not accept mail (nullMX)",
            ["MX"],
        ),
    ],
)
def test_a_domain_must_take_mail(
    dns: dict[str, list[str] | DnsFailure], sender: str, recipient: str, asked: list[str]
) -> None:
    """MX, A and AAAA records, up to what decides."""
    records = {f"x.example {kind}": found for kind, found in dns.items()}
    world = World(dns=records)
    as_sender = reply(facts(sender="a@X.example"), world, recipient="reject_unknown_sender_domain")
    as_recipient = reply(
        facts(recipient="a@x.example", relays=True), World(dns=records), recipient="reject_unknown_recipient_domain"
    )

    assert as_sender.replace("<a@X.example>: Sender address rejected: ", "") == sender
    assert as_recipient.replace("<a@x.example>: Recipient address rejected: ", "") == recipient
    assert world.names() == [f"x.example {kind}" for kind in asked]


@pytest.mark.parametrize("address", ["", "a", "a@[1.2.3.4]", "a@ours.example", "a@own.example"])
def test_about_ourselves_nobody_is_asked(address: str) -> None:
    """Nor about the null sender and literals."""
    world = World(own=("own.example",))

    assert reply(facts(sender=address), world, recipient="reject_unknown_sender_domain") == ""
    assert world.names() == []


@pytest.mark.parametrize(
    ("address", "passes"),
    [
        ("", True),
        ("joe", False),
        ("joe@host", False),
        ("joe@host.", False),
        ("joe@far.example", True),
        ("joe@far.example.", True),
        ("joe@[192.0.2.7]", True),
        ("joe@1.2", False),
        ("joe@-x.example", False),
    ],
)
def test_an_address_must_have_a_whole_domain(address: str, passes: bool) -> None:
    """The null sender has none."""
    heard = reply(facts(sender=address), recipient="reject_non_fqdn_sender")

    assert heard == ("" if passes else f"504 5.5.2 <{address}>: Sender address rejected: need fully-qualified address")


def test_a_recipient_must_have_a_whole_domain() -> None:
    """In its own words."""
    assert reply(facts(recipient="joe"), recipient="reject_non_fqdn_recipient") == (
        "504 5.5.2 <joe>: Recipient address rejected: need fully-qualified address"
    )


@pytest.mark.parametrize(("smtputf8", "passes"), [(True, True), (False, False)])
def test_other_letters_are_for_who_announced_them(smtputf8: bool, passes: bool) -> None:
    """SMTPUTF8 (RFC 6531)."""
    client = facts(sender="a@b\u00fccher.example", recipient="u@\u00fc.ours.example", smtputf8=smtputf8, relays=True)

    assert (reply(client, recipient="reject_non_fqdn_sender") == "") is passes
    assert (reply(client, recipient="reject_non_fqdn_recipient") == "") is passes


def test_what_is_no_utf8_stays_as_it_is() -> None:
    """It is not found then."""
    assert in_ascii(b"\xff.example") == b"\xff.example"


def test_without_helo_its_restrictions_say_nothing() -> None:
    """It is not obligatory."""
    names = ("reject_invalid_helo_hostname", "reject_non_fqdn_helo_hostname", "reject_unknown_helo_hostname")

    assert reply(facts(helo=None), recipient=", ".join(names)) == ""


@pytest.mark.parametrize(
    ("restriction", "client", "asked"),
    [
        ("check_client_mx_access", facts(name=b"unknown"), []),
        ("check_reverse_client_hostname_ns_access", facts(reverse_name=b"unknown"), []),
        ("check_helo_a_access", facts(helo=None), []),
        ("check_sender_mx_access", facts(sender=""), []),
        ("check_helo_a_access", facts(helo=b"x y"), []),
        ("check_reverse_client_hostname_mx_access", facts(reverse_name=b"ptr.example"), ["ptr.example MX"]),
        ("check_client_mx_access", facts(name=b"again.example"), ["again.example MX"]),
        ("check_client_ns_access", facts(name=b"a.again.example"), ["a.again.example NS", "again.example NS"]),
        ("check_sender_mx_access", facts(sender="a@bad.example"), ["bad.example MX"]),
    ],
)
def test_servers_are_looked_for_only_of_names(restriction: str, client: Facts, asked: list[str]) -> None:
    """Where nobody can tell the servers, the restriction says nothing."""
    failing: dict[str, list[str] | DnsFailure] = {
        "again.example MX": AGAIN,
        "again.example NS": AGAIN,
        "bad.example MX": ["-bad-"],
        "ptr.example MX": [""],
    }
    world = World(dns=failing, tables={"hash:/t": {}})

    assert reply(client, world, recipient=f"{restriction} hash:/t") == ""
    assert world.names() == asked


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("B\u00dcCHER.example", b"xn--bcher-kva.example"),
        ("stra\u00dfe.example", b"xn--strae-oqa.example"),
        ("a.example", b"a.example"),
    ],
)
def test_dns_and_zones_have_names_in_ascii(name: str, expected: bytes) -> None:
    """Punycode (RFC 3492)."""
    world = World(dns={f"{expected.decode()} MX": ["mx.example"]})
    client = facts(sender=f"a@{name}", smtputf8=True)

    assert in_ascii(name.encode()) == expected
    assert reply(client, world, recipient="reject_unknown_sender_domain, reject_rhsbl_sender dbl.example") == ""
    assert world.names() == [f"{expected.decode()} MX"]


BLOCKED = "554 5.7.1 Service unavailable; Client host [192.0.2.7] blocked using bl.example"


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        ("", BLOCKED),
        ("see https://bl.example/", f"{BLOCKED}; see https://bl.example/"),
        ("x" * 600, f"{BLOCKED}; {'x' * 600}"[:510]),
        (ZoneFailure.NOT_LISTED, ""),
        (ZoneFailure.UNKNOWN, ""),
    ],
)
def test_a_listed_client_is_refused(found: str | ZoneFailure, expected: str) -> None:
    """A zone that cannot be believed refuses nobody."""
    world = World(zones={"192.0.2.7 bl.example": found})

    assert reply(None, world, recipient="reject_rbl_client bl.example=127.0.0.[2..11]") == expected


@pytest.mark.parametrize(
    ("restriction", "subject", "expected"),
    [
        ("reject_rhsbl_client", "mx.far.example", "Client host [mx.far.example]"),
        ("reject_rhsbl_reverse_client", "mx.far.example", "Unverified Client host [mx.far.example]"),
        ("reject_rhsbl_helo", "mx.far.example", "Helo command [mx.far.example]"),
        ("reject_rhsbl_sender", "far.example", "Sender address [a@far.example]"),
        ("reject_rhsbl_recipient", "ours.example", "Recipient address [u@ours.example]"),
    ],
)
def test_a_listed_domain_is_refused(restriction: str, subject: str, expected: str) -> None:
    """Of whomever it is."""
    world = World(zones={f"{subject} dbl.example": ""})

    assert reply(None, world, recipient=f"{restriction} dbl.example") == (
        f"554 5.7.1 Service unavailable; {expected} blocked using dbl.example"
    )


@pytest.mark.parametrize("address", ["", "a", "a@[1.2.3.4]", "a@1.2.3.4", "a@x.123", "a@-x.example"])
def test_zones_are_not_asked_about_what_is_no_domain(address: str) -> None:
    """A bare local part looks like a name, and is asked about, as in Postfix."""
    world = World()
    reply(facts(sender=address), world, recipient="reject_rhsbl_sender dbl.example")

    assert len(world.asked) == (address == "a")


def test_a_client_without_a_name_is_not_asked_about() -> None:
    """Neither for it nor against it."""
    world = World()
    client = facts(name=b"unknown", reverse_name=b"unknown")
    lists = ("reject_rhsbl_client", "reject_rhsbl_reverse_client", "permit_rhswl_client")

    assert reply(client, world, recipient=", ".join(f"{one} dbl.example" for one in lists)) == ""
    assert world.asked == []


@pytest.mark.parametrize(
    ("restriction", "subject"), [("permit_dnswl_client", "192.0.2.7"), ("permit_rhswl_client", "mx.far.example")]
)
def test_a_zone_speaks_for_a_client_but_lets_nobody_relay(restriction: str, subject: str) -> None:
    """A failure makes a later refusal temporary: it might have spoken."""
    lists = {"recipient": f"{restriction} wl.example, reject"}
    listed, failed = (World(zones={f"{subject} wl.example": found}) for found in ("", ZoneFailure.UNKNOWN))

    assert reply(None, listed, **lists) == ""
    assert reply(None, failed, **lists) == f"450 4.7.1 <{subject}>: Client host rejected: Service unavailable"
    assert reply(facts(recipient="u@other.example"), listed, **lists).startswith("554 5.7.1 ")
    assert len(listed.asked) == 2


HOSTS = {
    "far.example MX": ["mx1.example", "192.0.2.99"],
    "far.example NS": ["ns.example"],
    "mx1.example A": ["192.0.2.1"],
    "mx1.example AAAA": ["2001:db8::1"],
    "ns.example A": ["192.0.2.53"],
    "far.example A": ["192.0.2.80"],
}


PARTS = ["192.0.2", "192.0", "192"]


@pytest.mark.parametrize(
    ("restriction", "expected"),
    [
        (
            "mx",
            [
                "mx1.example",
                "example",
                "192.0.2.1",
                *PARTS,
                "2001:db8::1",
                "2001:db8:",
                "2001:db8",
                "2001",
                "192.0.2.99",
            ],
        ),
        ("ns", ["ns.example", "example", "192.0.2.53", *PARTS]),
        ("a", ["192.0.2.80", *PARTS]),
    ],
)
def test_the_servers_of_a_domain_are_looked_up(restriction: str, expected: list[str]) -> None:
    """By name, then by address; a host itself by its addresses only."""
    world = World(dns=HOSTS, tables={"hash:/t": {}})
    judged(settings(recipient=f"check_sender_{restriction}_access hash:/t"), facts(), world)

    assert world.looked_up() == expected


def test_a_server_is_refused_by_its_address() -> None:
    """In the words of whose server it is."""
    world = World(dns=HOSTS, tables={"hash:/t": {"192.0.2.1": "REJECT no"}})

    assert reply(None, world, recipient="check_sender_mx_access hash:/t") == (
        "554 5.7.1 <a@far.example>: Sender address rejected: no"
    )


def test_a_domain_without_mx_is_its_own_server() -> None:
    """One with a null MX has none, and name servers may be those of what is above it."""
    world = World(
        dns={"x.example A": ["192.0.2.5"], "null.example MX": [""], "far.example NS": ["ns.example"]},
        tables={"hash:/t": {"192.0.2.5": "REJECT", "ns.example": "REJECT"}},
    )

    assert "554" in reply(facts(sender="a@x.example"), world, recipient="check_sender_mx_access hash:/t")
    assert reply(facts(sender="a@null.example"), world, recipient="check_sender_mx_access hash:/t") == ""
    assert "554" in reply(facts(sender="a@b.c.far.example"), world, recipient="check_sender_ns_access hash:/t")


def test_a_dot_may_end_the_name_of_a_server() -> None:
    """Its addresses are found, its other records are not asked for."""
    world = World(dns={"far.example A": ["192.0.2.80"]}, tables={"hash:/t": {"192.0.2.80": "REJECT"}})

    assert "554" in reply(facts(helo=b"far.example."), world, helo="check_helo_mx_access hash:/t")
    assert world.names() == ["far.example A", "far.example AAAA"]


def test_a_literal_is_its_own_server() -> None:
    """It has no name server."""
    world = World(tables={"hash:/t": {"192.0.2.5": "REJECT"}})
    client = facts(sender="a@[192.0.2.5]")

    assert "554" in reply(client, world, recipient="check_sender_a_access hash:/t")
    assert "554" in reply(client, world, recipient="check_sender_mx_access hash:/t")
    assert reply(client, world, recipient="check_sender_ns_access hash:/t") == ""


@pytest.mark.parametrize("text", [b"1.2.3.4", b"0.0.0.0", b"010.1.1.1", b"255.255.255.255"])
def test_ipv4(text: bytes) -> None:
    """Also with leading zeros."""
    assert is_ipv4(text)
    assert not is_hostname(text)


@pytest.mark.parametrize("text", [b"", b"1.2.3", b"1.2.3.4.5", b"256.1.1.1", b"0.1.2.3", b"1..2.3", b"1.2.3.4."])
def test_no_ipv4(text: bytes) -> None:
    """valid_ipv4_hostaddr."""
    assert not is_ipv4(text)


@pytest.mark.parametrize("text", [b"::", b"::1", b"1::", b"1:2:3", b"1:2:3:4:5:6:7:8", b"::ffff:1.2.3.4", b"1::2:3"])
def test_ipv6(text: bytes) -> None:
    """Postfix's own automaton takes ``1:2:3``."""
    assert is_ipv6(text)


@pytest.mark.parametrize(
    "text",
    [b"", b":", b"1:2", b":1:2", b"1:2:", b":::", b"1::2::3", b"12345::", b"1:2:3:4:5:6:7:8:9", b"::g", b"fe80::1%e"],
)
def test_no_ipv6(text: bytes) -> None:
    """valid_ipv6_hostaddr."""
    assert not is_ipv6(text)
