"""Who a client of the gate is, and what its backend finds in the environment."""

import pytest

from ucspi_py.core.gate.language.words import Word
from ucspi_py.core.gate.restrictions.parse import parse_leniently
from ucspi_py.core.gate.restrictions.settings import RestrictionSettings
from ucspi_py.core.gate.settings import GateSettings
from ucspi_py.core.gate.visitor import backend_environment, visitor, within_tls
from ucspi_py.core.rules.cidr import Network
from ucspi_py.core.smtp.verdict import Refuse
from ucspi_py.core.tls.facts import TlsFacts

SETTINGS = GateSettings()
STRANGER = {b"TCPREMOTEIP": b"192.0.2.7", b"TCPREMOTEHOST": b"mx.example.net"}


def test_a_stranger_is_named_and_may_not_relay() -> None:
    """By name and address."""
    assert visitor(STRANGER, SETTINGS)[:4] == (b"mx.example.net", b"192.0.2.7", False, None)


def test_what_the_server_does_not_know_is_unknown() -> None:
    """As Postfix says it."""
    assert visitor({}, SETTINGS)[:3] == (b"unknown", b"unknown", False)


@pytest.mark.parametrize("ip", [b"127.0.0.1", b"127.255.255.255", b"::1", b"0:0::1", b"::ffff:127.0.0.1"])
def test_without_mynetworks_this_host_may_relay(ip: bytes) -> None:
    """Over either family, in any spelling."""
    client = visitor({b"TCPREMOTEIP": ip}, SETTINGS)

    assert client.relays
    assert backend_environment({b"A": b"b"}, client) == {b"A": b"b", b"RELAYCLIENT": b""}


@pytest.mark.parametrize("ip", [b"128.0.0.0", b"126.255.255.255", b"::2", b"::", b"10.0.0.1", b"", b"junk", b"\xff"])
def test_nobody_else_may(ip: bytes) -> None:
    """Neither who is beside a network, nor what is no address."""
    assert not visitor({b"TCPREMOTEIP": ip}, SETTINGS).relays


def test_mynetworks_says_who_may() -> None:
    """All of its networks and no others; an IPv4 network holds no IPv6 address."""
    settings = GateSettings(mynetworks=(Network(32, 10 << 24, 8), Network(128, 0x20010DB8 << 96, 32)))
    allowed = {ip: visitor({b"TCPREMOTEIP": ip}, settings).relays for ip in (b"10.9.8.7", b"2001:db8::1", b"::1")}

    assert allowed == {b"10.9.8.7": True, b"2001:db8::1": True, b"::1": False}
    assert not visitor({b"TCPREMOTEIP": b"::a00:1"}, settings).relays


@pytest.mark.parametrize("ip", [b"192.0.2.7", b"127.0.0.1"])
def test_the_value_of_a_rule_stays(ip: bytes) -> None:
    """qmail appends it to each recipient."""
    environment = {b"TCPREMOTEIP": ip, b"RELAYCLIENT": b"@fixme"}
    client = visitor(environment, SETTINGS)

    assert client.relays
    assert backend_environment(environment, client) == environment


def test_the_verdict_of_a_screen_is_kept() -> None:
    """For RCPT."""
    assert visitor(STRANGER, SETTINGS, Refuse(451, b"later")).refusal == Refuse(451, b"later")


@pytest.mark.parametrize(
    ("value", "refusal"), [(b"go away", Refuse(451, b"go away")), (b"-never", Refuse(553, b"never")), (b"", None)]
)
def test_rblsmtpd_is_a_verdict_too(value: bytes, refusal: Refuse | None) -> None:
    """Of a rule, or of ``pyrblsmtpd -i`` in front."""
    assert visitor({**STRANGER, b"RBLSMTPD": value}, SETTINGS).refusal == refusal


def test_the_verdict_of_a_screen_beats_rblsmtpd() -> None:
    """It has read the variable itself."""
    assert visitor({b"RBLSMTPD": b"other"}, SETTINGS, Refuse(553, b"listed")).refusal == Refuse(553, b"listed")


def test_the_backend_does_not_repeat_what_the_gate_has_done() -> None:
    """Neither a verdict nor a delay, nor TLS; nobody forges a login. All else stays, an empty RBLSMTPD too."""
    kept = {**STRANGER, b"DATABYTES": b"1000", b"SPFBEHAVIOR": b"1"}
    gone = {b"RBLSMTPD": b"-no", b"SMTPD_GREETDELAY": b"20", b"DROP_PRE_GREET": b"1"}
    gone |= dict.fromkeys((b"SMTPS", b"FORCETLS", b"STARTTLS", b"UCSPITLS", b"SMTPAUTH"), b"1")
    gone |= dict.fromkeys((b"SMTPAUTHUSER", b"SMTP_AUTH_USER", b"SMTPAUTHMETHOD", b"AUTHINFO", b"AUTHENTICATED"), b"1")
    spared = {**kept, b"RBLSMTPD": b""}

    assert backend_environment(kept | gone, visitor(kept | gone, SETTINGS)) == kept
    assert backend_environment(spared, visitor(spared, SETTINGS)) == spared


def test_the_backend_has_the_id_of_the_connection() -> None:
    """Ours, whatever the server has said."""
    environment = {**STRANGER, b"UNIQUE_ID": b"another"}
    client = visitor(environment, SETTINGS, unique_id=b"17")

    assert client.unique_id == b"17"
    assert backend_environment(environment, client) == {**STRANGER, b"UNIQUE_ID": b"17"}
    assert backend_environment(environment, visitor(environment, SETTINGS)) == environment


def test_the_class_of_clients_is_the_rules() -> None:
    """CHANNEL; the backend has it as it stands."""
    environment = {b"TCPREMOTEIP": b"192.0.2.7", b"CHANNEL": b"internal"}
    client = visitor(environment, SETTINGS)

    assert client.channel == b"internal"
    assert backend_environment(environment, client)[b"CHANNEL"] == b"internal"
    assert visitor({b"TCPREMOTEIP": b"192.0.2.7"}, SETTINGS).channel == b""


def test_a_certificate_lets_relay_where_a_list_permits_it() -> None:
    """Nobody else relays by one: who has signed it may be anybody."""
    facts = TlsFacts(b"TLSv1.3", b"TLS_AES_256_GCM_SHA384", 256, fingerprint=b"ab" * 32)
    permits = parse_leniently([Word("permit_tls_all_clientcerts", "-o")])
    lists = GateSettings(restrictions=RestrictionSettings(smtpd_relay_restrictions=permits))
    client = visitor({b"TCPREMOTEIP": b"192.0.2.7"}, lists)

    certified = within_tls(client, facts, lists)

    assert certified.is_trusted
    assert backend_environment({}, certified) == {b"DISABLETLS": b"1", b"RELAYCLIENT": b""}
    never = visitor({b"TCPREMOTEIP": b"192.0.2.7", b"RELAY": b"never"}, lists)
    for other in (
        within_tls(never, facts, lists),
        within_tls(client, facts._replace(fingerprint=b""), lists),
        within_tls(client, facts, GateSettings(restrictions=RestrictionSettings())),
        within_tls(client, facts, GateSettings()),
    ):
        assert other.tls is not None
        assert not other.is_trusted
        assert backend_environment({}, other) == {b"DISABLETLS": b"1"}


def test_a_proxys_own_connection_is_nobodys() -> None:
    """Neither mynetworks nor a rule nor a certificate lets it relay."""
    permits = parse_leniently([Word("permit_tls_all_clientcerts", "-o")])
    settings = GateSettings(restrictions=RestrictionSettings(smtpd_relay_restrictions=permits))
    environment = {b"TCPREMOTEIP": b"127.0.0.1", b"RELAYCLIENT": b"@fixme", b"PROXYLOCAL": b"1"}
    client = visitor(environment, settings)
    secured = within_tls(client, TlsFacts(b"TLSv1.3", b"x", 128, fingerprint=b"ab"), settings)

    assert client.is_local
    assert not client.is_trusted
    assert not secured.is_trusted
    assert b"RELAYCLIENT" not in backend_environment(environment, secured)
    assert visitor({b"TCPREMOTEIP": b"127.0.0.1"}, settings).is_trusted
