"""The restriction lists of a main.cf."""

import pytest

from ucspi_py.core.errors import AskedWrongly
from ucspi_py.core.gate.language.configuration import Configuration
from ucspi_py.core.gate.language.syntax import settings
from ucspi_py.core.gate.maps.names import MapName
from ucspi_py.core.gate.restrictions.addresses.resolved import Kind
from ucspi_py.core.gate.restrictions.configured import restriction_settings
from ucspi_py.core.gate.restrictions.settings import Codes, DomainPattern, RestrictionSettings

SAFE = "compatibility_level = 3.6\n"
MAIN_CF = """compatibility_level = 3.6
myhostname = mail.ours.example
mydestination = $myhostname, ours.example
relay_domains = relayed.example, hash:/etc/postfix/relayed
virtual_mailbox_domains = virtual.example
proxy_interfaces = 198.51.100.1, [2001:DB8::1], nat
virtual_mailbox_maps = hash:/etc/postfix/users
recipient_delimiter = +
smtpd_relay_before_recipient_restrictions = no
unknown_address_reject_code = 550
unknown_address_tempfail_action = defer
smtpd_restriction_classes = greedy
greedy = permit_mynetworks, reject_unknown_sender_domain
smtpd_helo_restrictions = permit_mynetworks,
    reject_invalid_hostname,
    greedy
smtpd_recipient_restrictions = reject_rbl_client bl.example
"""


def read(text: str) -> RestrictionSettings:
    """The lists of a file."""
    return restriction_settings(Configuration(settings("main.cf", text)), lambda: [b"192.0.2.1"])


def complaint(text: str) -> str:
    """The sentence with which a file is refused."""
    with pytest.raises(AskedWrongly) as refused:
        read(text)
    return refused.value.sentence


def test_each_parameter_finds_its_field() -> None:
    """Lists, classes, codes and domains."""
    found = read(MAIN_CF)

    assert [one.name for one in found.smtpd_helo_restrictions] == [
        "permit_mynetworks",
        "reject_invalid_helo_hostname",
        ":class",
    ]
    assert [one.name for one in found.smtpd_relay_restrictions] == [
        "permit_mynetworks",
        "permit_sasl_authenticated",
        "defer_unauth_destination",
    ]
    assert set(found.smtpd_restriction_classes) == {"greedy"}
    assert found.codes == Codes(unknown_address_reject_code=550)
    assert (found.smtpd_delay_reject, found.smtpd_relay_before_recipient_restrictions) == (True, False)
    assert not found.unknown_address_tempfail_defers_if_permit
    assert found.unknown_helo_hostname_tempfail_defers_if_permit
    assert found.recipient_delimiter == b"+"
    assert {"relay_domains", "smtpd_access_maps"} <= found.parent_domain_matches_subdomains
    ours = found.destinations
    assert ours.mydestination == (DomainPattern(b"mail.ours.example"), DomainPattern(b"ours.example"))
    assert ours.relay_domains[1] == DomainPattern(MapName("hash", "/etc/postfix/relayed"))
    assert ours.virtual_mailbox_maps == (MapName("hash", "/etc/postfix/users"),)
    assert (ours.myorigin, ours.mydomain, ours.local_recipient_maps) == (b"mail.ours.example", b"ours.example", ())
    assert ours.own_addresses == {b"192.0.2.1", b"198.51.100.1", b"2001:db8::1"}
    assert ours.unwritten == frozenset()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", {b"192.0.2.1"}),
        ("inet_interfaces = ALL\n", {b"192.0.2.1"}),
        ("inet_interfaces = loopback-only\n", {b"127.0.0.1", b"::1"}),
        ("inet_interfaces = 198.51.100.1, localhost\n", {b"198.51.100.1"}),
        ("inet_interfaces = 198.51.100.1\nproxy_interfaces = all\n", {b"198.51.100.1", b"192.0.2.1"}),
    ],
)
def test_the_addresses_of_this_host(text: str, expected: set[bytes]) -> None:
    """By default all that it has; a name is looked up by nobody."""
    assert read(SAFE + text).destinations.own_addresses == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", {Kind.LOCAL, Kind.RELAY}),
        ("relay_domains = a.example\n", {Kind.LOCAL}),
        ("relay_domains =\n", {Kind.LOCAL}),
        ("mydestination = a.example\n", set()),
        ("mydestination =\nrelay_domains = a.example\n", set()),
    ],
)
def test_what_nobody_has_written(text: str, expected: set[Kind]) -> None:
    """The default of relay_domains is mydestination."""
    assert read(SAFE + text).destinations.unwritten == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("myhostname = a.example\n", False),
        ("relay_domains = a.example, b.example\n", False),
        ("relay_domains =\n", False),
        ("relay_domains = a.example, hash:/etc/relayed\n", True),
        ("relay_domains = !a.b.example, b.example\n", True),
        ("relay_domains = inline:{a.example=x, b.example=x}\n", True),
        ("mydestination = a.example\n", True),
        ("virtual_alias_maps = hash:/etc/virtual\n", True),
        ("compatibility_level = 1\n", True),
        ("compatibility_level = 0\n", False),
    ],
)
def test_when_lists_judge(text: str, expected: bool) -> None:
    """Once something is written that only they can do."""
    configuration = Configuration(settings("main.cf", text))

    assert configuration.has_lists == expected
    assert bool(configuration.gate_settings().relay_domains) == ("= a.example, b.example" in text)


def test_a_file_that_says_nothing_has_postfixs_defaults() -> None:
    """As they stand in RestrictionSettings."""
    found, defaults = read(SAFE), RestrictionSettings()

    for name in ("codes", "smtpd_delay_reject", "soft_bounce", "smtpd_null_access_lookup_key", "recipient_delimiter"):
        assert getattr(found, name) == getattr(defaults, name)
    assert found.destinations.mydestination == ()
    assert found.destinations.swap_bangpath


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", False),
        ("mynetworks = 192.0.2.0/24\ncompatibility_level = 0\n", False),
        ("compatibility_level = 1\n", True),
        ("local_recipient_maps = hash:/users\n", True),
        ("smtpd_helo_restrictions =\n", True),
    ],
)
def test_a_configuration_has_lists_or_none(text: str, expected: bool) -> None:
    """Without any the gate asks nobody, and its own check is enough."""
    assert Configuration(settings("main.cf", text)).has_lists is expected


def test_below_level_1_nothing_refuses_by_itself() -> None:
    """The default relay list is empty there; what Postfix would not start with, where no list is set, is empty."""
    assert read("compatibility_level = 0\n").smtpd_relay_restrictions == ()
    assert "one of these must stand" in complaint("smtpd_relay_restrictions =\n")
    assert "one of these must stand" in complaint("smtpd_sender_restrictions = reject_non_fqdn_sender\n")
    found = read("compatibility_level = 0\nsmtpd_recipient_restrictions = reject_unauth_destination\n")

    assert found.smtpd_relay_restrictions == ()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "smtpd_sender_restrictions = permit,\n  reject_unknwon_sender_domain",
            "main.cf line 3: there is no restriction",
        ),
        ("smtpd_data_restrictions = hash:/t", "main.cf line 2: before the table hash:/t"),
        ("smtpd_restriction_classes = a\na = a", "main.cf line 3: restriction class a holds itself"),
        ("smtpd_restriction_classes = a\na =", "restriction class a needs a definition"),
        ("smtpd_recipient_restrictions = check_policy_service x:x", "main.cf line 2: a policy service is unix:PATH"),
        ("mydestination = mysql:/etc/x.cf", "main.cf line 2: table mysql:/etc/x.cf"),
        ("soft_bounce = 1", "main.cf line 2: soft_bounce must be yes or no"),
        ("mydestination = /etc/domains", "main.cf line 2: the gate reads no list of domains from a file"),
        ("mydestination = $myhostname", "main.cf line 2: mydestination refers to $myhostname"),
        ("myorigin = $myhostname", "main.cf line 2: myorigin refers to $myhostname"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(text: str, expected: str) -> None:
    """Of the word that is wrong."""
    assert complaint(SAFE + text).startswith(expected)


def test_an_origin_in_a_file_is_our_name() -> None:
    """Debian's main.cf has /etc/mailname."""
    found = read(f"{SAFE}myhostname = mail.ours.example\nmyorigin = /etc/mailname")

    assert found.destinations.myorigin == b"mail.ours.example"
