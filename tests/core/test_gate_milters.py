"""Milters in a configuration: how they are written, what they are told beside events, what is heard where one fails."""

import re
from dataclasses import replace

import pytest

from ucspi_py.core.errors import AskedWrongly
from ucspi_py.core.gate.language import syntax
from ucspi_py.core.gate.language.configuration import Configuration
from ucspi_py.core.gate.language.words import Fragment, split
from ucspi_py.core.gate.maps.names import MapName
from ucspi_py.core.gate.milter import words
from ucspi_py.core.gate.milter.configured import gate_milters
from ucspi_py.core.gate.milter.failing import reply_for
from ucspi_py.core.gate.milter.macros import ClientFacts, MacroFacts, client_facts, values
from ucspi_py.core.gate.milter.service import milters_of, parse_milter, parse_milters
from ucspi_py.core.gate.milter.settings import (
    DEFAULT_MACROS,
    DefaultAction,
    GateMilters,
    MacroTexts,
    Milter,
    MilterSettings,
)
from ucspi_py.core.gate.server import InetServer, UnixServer
from ucspi_py.core.gate.visitor import Visitor
from ucspi_py.core.milter.failure import MilterFailed
from ucspi_py.core.milter.negotiation import Offer
from ucspi_py.core.milter.words import Event
from ucspi_py.core.smtp.path import NULL, Path
from ucspi_py.core.smtp.reply import Reply, reply
from ucspi_py.core.tls.facts import TlsFacts

VERSION = b"Postfix 3.7.11"
ME = Path(b"me", b"example.org")


@pytest.mark.parametrize(
    ("word", "server"),
    [
        ("unix:/run/opendkim.sock", UnixServer("/run/opendkim.sock")),
        ("unix:opendkim/opendkim.sock", UnixServer("opendkim/opendkim.sock")),
        ("local:opendkim.sock", UnixServer("opendkim.sock")),
        ("inet:127.0.0.1:8891", InetServer("127.0.0.1", 8891)),
        ("inet:localhost:11332", InetServer("localhost", 11332)),
        ("inet:[::1]:8891", InetServer("::1", 8891)),
        ("{ inet:localhost:8891 }", InetServer("localhost", 8891)),
    ],
)
def test_milters(word: str, server: object) -> None:
    """As guides write them."""
    milter = parse_milter(word)

    assert milter.server == server
    assert milter.settings(MilterSettings()) == MilterSettings()


def test_a_milter_with_settings() -> None:
    """What stands in its braces is its own."""
    text = "{ inet:h.example:1, connect_timeout=10s, command_timeout=1m, {content_timeout = 5}, %s }"
    text %= "default_action=accept, protocol=2"
    settings = parse_milter(text).settings(MilterSettings())

    assert settings == MilterSettings(10, 60, 5, DefaultAction.ACCEPT, Offer(2))


def test_a_list() -> None:
    """Several, in their order, with blanks or commas between them."""
    found = parse_milters(split((Fragment("unix:a, {unix:b,default_action=reject}\n unix:c", "main.cf"),)))

    assert [str(milter) for milter in found] == ["unix:a", "unix:b", "unix:c"]
    assert found[1] == Milter(UnixServer("b"), "unix:b", (("default_action", DefaultAction.REJECT),))


@pytest.mark.parametrize(
    ("word", "sentence"),
    [
        ("opendkim.sock", "a milter is unix:PATH or inet:HOST:PORT, and not 'opendkim.sock'"),
        ("inet:localhost:spam", "a milter has a number as its port, and 'inet:localhost:spam' has none"),
        ("inet:8891@localhost", "write inet:localhost:8891: 'inet:8891@localhost' is how filters themselves have it"),
        ("{ unix:a, color=red }", "a milter takes connect_timeout, "),
        ("{ unix:a, protocol=5 }", "protocol must be one of 2, 3, 4, 6, and perhaps no_header_reply"),
        (
            "{ unix:a, default_action=quarantine }",
            "default_action must be one of accept, reject, tempfail, shutdown: the gate has no queue in which mail",
        ),
        ("{ unix:a, default_action=drop }", "default_action must be one of accept, reject, tempfail, shutdown, not"),
        ("{ unix:a, connect_timeout=soon }", "connect_timeout "),
        ("{ unix:a", "a brace is not closed: { unix:a"),
    ],
)
def test_what_is_no_milter(word: str, sentence: str) -> None:
    """The operator hears why."""
    with pytest.raises(ValueError, match=re.escape(sentence)):
        parse_milter(word)


@pytest.mark.parametrize(
    ("text", "offer"), [("6", Offer(6)), ("2, no_header_reply", Offer(2, no_header_reply=True)), ("4", Offer(4))]
)
def test_protocol(text: str, offer: Offer) -> None:
    """A version, and an extension."""
    assert words.protocol(text) == offer


@pytest.mark.parametrize("text", ["", "6 4", "7", "no_header_reply", "6 fast"])
def test_no_protocol(text: str) -> None:
    """Exactly one version."""
    with pytest.raises(ValueError, match="must be one of"):
        words.protocol(text)


@pytest.mark.parametrize("text", ["auth_type", "{}", "{a", "{a}b}", "\xe4"])
def test_no_macro(text: str) -> None:
    """Names of more than one letter stand in braces."""
    with pytest.raises(ValueError, match="has names of one letter"):
        words.macros(text)


def asked(text: str) -> GateMilters | None:
    """The milters of a main.cf."""
    return gate_milters(Configuration(syntax.settings("main.cf", text)))


def test_without_a_word_all_is_as_postfix_has_it() -> None:
    """The text of each default says what the settings have."""
    milters = asked("smtpd_milters = unix:a")

    assert milters == GateMilters((Milter(UnixServer("a"), "unix:a"),), MilterSettings(), MacroTexts(version=VERSION))


@pytest.mark.parametrize(
    ("option", "has_milters", "has_checks"),
    [
        ("", True, True),
        ("no_address_mappings, no_milters", False, True),
        ("no_header_body_checks no_unknown_recipient_checks", True, False),
    ],
)
def test_what_a_service_leaves_out(option: str, *, has_milters: bool, has_checks: bool) -> None:
    """As one of master.cf that mail comes back to, from a filter."""
    text = f"smtpd_milters = unix:a\nheader_checks = pcre:/b\nreceive_override_options = {option}\n"
    configuration = Configuration(syntax.settings("main.cf", text))

    assert (configuration.has_milters, configuration.has_checks) == (has_milters, has_checks)


@pytest.mark.parametrize(
    "text", ["", "smtpd_milters =\n", "milter_default_action = accept\nnon_smtpd_milters = unix:a\n"]
)
def test_no_milters(text: str) -> None:
    """Settings of milters are none yet; those for other mail are passed over."""
    assert asked(text) is None


def test_what_a_main_cf_says() -> None:
    """Each parameter, with names of others in it."""
    text = """
dkim = local:opendkim/opendkim.sock
smtpd_milters = inet:127.0.0.1:11332, $dkim,
  { unix:/run/clamav/milter, connect_timeout=5s, { default_action = accept } }
non_smtpd_milters = $smtpd_milters
milter_default_action = reject
milter_connect_timeout = 1m
milter_command_timeout = 20s
milter_content_timeout = 2m
milter_protocol = 4
milter_mail_macros = i {auth_authen}, {mail_addr}
milter_helo_macros =
queue_directory = /var/spool/mx
"""
    milters = asked(text)

    assert milters is not None
    assert [one.server for one in milters.milters] == [
        InetServer("127.0.0.1", 11332),
        UnixServer("opendkim/opendkim.sock"),
        UnixServer("/run/clamav/milter"),
    ]
    macros = {**DEFAULT_MACROS, Event.MAIL: (b"i", b"{auth_authen}", b"{mail_addr}"), Event.HELO: ()}
    of_all = MilterSettings(60, 20, 120, DefaultAction.REJECT, Offer(4), macros, "/var/spool/mx")
    assert milters.settings == of_all
    own = milters.milters[2].settings(of_all)
    assert own == replace(of_all, connect_timeout=5, default_action=DefaultAction.ACCEPT)


def by_name(names: tuple[bytes, ...], facts: MacroFacts) -> dict[bytes, bytes]:
    """The values of macros."""
    found = values(names, facts)
    return dict(zip(found[::2], found[1::2], strict=True))


def test_texts_of_macros() -> None:
    """Our name may be one that is known when a client comes."""
    text = """
smtpd_milters = unix:a
milter_macro_daemon_name = in.$myhostname
milter_macro_v = Postfix 9
milter_macro_defaults = auth_type=login, {auth_authen}=x, { auth_author = a, b } i=
"""
    milters = asked(text)

    assert milters is not None
    facts = client_facts({}, Visitor(b"unknown", b"192.0.2.1"), b"mx.example", milters.texts)
    names = (b"{daemon_name}", b"v", b"{auth_type}", b"{auth_authen}", b"{auth_author}", b"i", b"{cipher}", b"j")
    assert by_name(names, MacroFacts(facts, method=b"PLAIN")) == {
        b"{daemon_name}": b"in.mx.example",
        b"v": b"Postfix 9",
        b"{auth_type}": b"PLAIN",
        b"{auth_authen}": b"x",
        b"{auth_author}": b"a, b",
        b"i": b"",
        b"j": b"mx.example",
    }


def test_milters_of_a_table() -> None:
    """Where only a table has some, there is a list without any."""
    milters = asked("smtpd_milter_maps = cidr:/etc/milters, inline:{192.0.2.1=DISABLE}")

    assert milters is not None
    assert milters.milters == ()
    assert milters.maps == (MapName("cidr", "/etc/milters"), MapName("inline", "{192.0.2.1=DISABLE}"))
    assert milters_of(b"Disable") == ()
    assert milters_of(b"unix:a, { unix:b, protocol=2 }")[1] == Milter(
        UnixServer("b"), "unix:b", (("protocol", Offer(2)),)
    )


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("smtpd_milter_maps = mysql:/x", "main.cf line 1: table mysql:/x: the gate asks no database"),
        (
            "smtpd_milters = unix:a\nmilter_macro_defaults = i=1, auth_type",
            "main.cf line 2: milter_macro_defaults has pairs of a macro, = and a value, and not 'auth_type'",
        ),
        (
            "smtpd_milters = unix:a,\n opendkim.sock",
            "main.cf line 2: smtpd_milters: a milter is unix:PATH or inet:HOST",
        ),
        (
            "smtpd_milters = unix:a\nmilter_default_action = quarantine",
            "main.cf line 2: milter_default_action must be one of accept, reject, tempfail, shutdown:"
            " the gate has no queue in which mail could be held",
        ),
        ("smtpd_milters = unix:a\nmilter_rcpt_macros = rcpt_addr", "main.cf line 2: milter_rcpt_macros has names of"),
        ("smtpd_milters = unix:a\nmilter_protocol = 5", "main.cf line 2: milter_protocol must be one of 2, 3, 4, 6"),
    ],
)
def test_a_wrong_main_cf(text: str, sentence: str) -> None:
    """The line that has it is named."""
    with pytest.raises(AskedWrongly, match=re.escape(sentence)):
        asked(text)


@pytest.mark.parametrize(
    ("action", "failed", "misconfigured"),
    [
        (DefaultAction.ACCEPT, None, None),
        (DefaultAction.REJECT, 550, 451),
        (DefaultAction.TEMPFAIL, 451, 451),
        (DefaultAction.SHUTDOWN, 421, 421),
    ],
)
def test_a_milter_that_fails(action: DefaultAction, failed: int | None, misconfigured: int | None) -> None:
    """Postfix's words; one that cannot be understood refuses nobody for good."""
    heard = (reply_for(MilterFailed("x", misconfigured=wrong), action) for wrong in (False, True))

    assert [answer and answer.code for answer in heard] == [failed, misconfigured]


CLIENT = ClientFacts(
    hostname=b"mx.example.org",
    daemon_name=b"mx.example.org",
    version=b"Postfix",
    name=b"client.example",
    reverse_name=b"client.example",
    ip=b"192.0.2.1",
    port=b"4711",
    server_ip=b"192.0.2.9",
    server_port=b"25",
)
FACTS = MacroFacts(CLIENT)


def told(event: Event, facts: MacroFacts) -> dict[str, str]:
    """What Postfix's own list of an event says."""
    return {name.decode(): value.decode() for name, value in by_name(DEFAULT_MACROS[event], facts).items()}


def test_macros_at_connect() -> None:
    """Who we are, and who comes."""
    assert told(Event.CONNECT, FACTS) == {
        "j": "mx.example.org",
        "{daemon_name}": "mx.example.org",
        "{daemon_addr}": "192.0.2.9",
        "v": "Postfix",
        "_": "client.example [192.0.2.1]",
    }


def test_a_forged_name() -> None:
    """A name that is not verified."""
    facts = MacroFacts(CLIENT._replace(name=b"unknown"))

    assert values((b"_",), facts) == [b"_", b"client.example [192.0.2.1] (may be forged)"]


def test_macros_at_helo() -> None:
    """Nothing without TLS; a subject only of a certificate that is trusted."""
    tls = TlsFacts(b"TLSv1.3", b"TLS_AES_256_GCM_SHA384", 256)

    assert told(Event.HELO, FACTS) == {}
    assert told(Event.HELO, FACTS._replace(tls=tls)) == {
        "{tls_version}": "TLSv1.3",
        "{cipher}": "TLS_AES_256_GCM_SHA384",
        "{cipher_bits}": "256",
    }
    certified = FACTS._replace(tls=tls._replace(subject=b"CN=client", issuer=b"CN=An Authority,O=x", fingerprint=b"ab"))
    assert told(Event.HELO, certified)["{cert_subject}"] == "client"
    assert told(Event.HELO, certified)["{cert_issuer}"] == "An Authority"
    unnamed = FACTS._replace(tls=tls._replace(issuer=b"OU=y,O=An Organization", fingerprint=b"ab"))
    assert told(Event.HELO, unnamed) | {"{cert_issuer}": "An Organization"} == told(Event.HELO, unnamed)


def test_macros_at_mail() -> None:
    """Whom it has logged in as: by that a signer decides."""
    client = CLIENT._replace(holds=lambda domain: domain == ME.domain)
    facts = MacroFacts(client, login=b"me", method=b"PLAIN", sender=ME)

    assert told(Event.MAIL, facts) == {
        "{auth_type}": "PLAIN",
        "{auth_authen}": "me",
        "{mail_addr}": "me@example.org",
        "{mail_host}": "example.org",
        "{mail_mailer}": "local",
    }
    assert told(Event.MAIL, FACTS._replace(sender=NULL))["{mail_addr}"] == ""


@pytest.mark.parametrize(
    ("refusal", "expected"),
    [
        (None, {"{rcpt_addr}": "me@example.org", "{rcpt_host}": "example.org", "{rcpt_mailer}": "smtp"}),
        (
            reply(554, b"5.7.1 <me@example.org>: Relay access denied"),
            {"{rcpt_addr}": "Relay access denied", "{rcpt_host}": "5.7.1", "{rcpt_mailer}": "error"},
        ),
        (reply(550, b"5.7.1"), {"{rcpt_host}": "5.7.1", "{rcpt_mailer}": "error"}),
    ],
)
def test_macros_at_rcpt(refusal: Reply | None, expected: dict[str, str]) -> None:
    """A recipient, or why it is refused."""
    assert told(Event.RCPT, FACTS._replace(recipient=ME, refusal=refusal)) == expected


def test_other_macros() -> None:
    """Names that rspamd and others may ask for; what nobody knows is left out."""
    names = (b"{client_addr}", b"{client_port}", b"{client_name}", b"{client_ptr}", b"{client_resolve}", b"{x}", b"i")
    found = by_name(names, MacroFacts(CLIENT._replace(ip=b"2001:db8::1"), queue_id=b"id.1"))

    assert found == {
        b"{client_addr}": b"IPv6:2001:db8::1",
        b"{client_port}": b"4711",
        b"{client_name}": b"client.example",
        b"{client_ptr}": b"client.example",
        b"{client_resolve}": b"OK",
        b"i": b"id.1",
    }


@pytest.mark.parametrize(("in_tables", "most"), [(0, 2), (1, 2), (3, 3)])
def test_a_client_has_the_list_or_what_a_table_has(in_tables: int, most: int) -> None:
    """The larger number counts."""
    milters = (parse_milter("unix:a"), parse_milter("unix:b"))
    assert GateMilters(milters, in_tables=in_tables).most == most
