"""What one client may do: the parameters, who is excepted, and the words for who has too much."""

import pytest

from ucspi_py.core.client.window import Event
from ucspi_py.core.errors import AskedWrongly
from ucspi_py.core.gate import event_limits
from ucspi_py.core.gate.language.configuration import Configuration
from ucspi_py.core.gate.language.syntax import option, settings
from ucspi_py.core.gate.settings import EventLimits
from ucspi_py.core.gate.visitor import Visitor
from ucspi_py.core.rules.cidr import Network

WHO = b"a.example[192.0.2.7]"
GUEST = Visitor(b"a.example", b"192.0.2.7")
NET = (Network(32, (192 << 24) + (2 << 8), 24),)


def limits(text: str | None, *options: str) -> EventLimits | None:
    """Those of a file and options. text: None = there is no file."""
    said = settings("main.cf", text) if text is not None else []
    directory = "" if text is None else "/etc/here"
    return Configuration([*said, *map(option, options)], directory).gate_settings().event_limits


def test_with_a_file_postfixs_default_holds() -> None:
    """50 connections at once, which nobody has asked for."""
    assert limits("mynetworks = 192.0.2.0/24\n") == EventLimits(smtpd_client_connection_count_limit=50)


def test_without_a_file_there_is_no_limit() -> None:
    """But one that an option names."""
    assert limits(None, "mynetworks=192.0.2.0/24") is None
    asked = limits(None, "smtpd_client_message_rate_limit=9", "anvil_rate_time_unit=2m")
    where = "-o: smtpd_client_message_rate_limit"
    assert asked == EventLimits(0, 0, 9, 0, anvil_rate_time_unit=120, where=where)


def test_0_is_no_limit() -> None:
    """As in Postfix."""
    assert limits("smtpd_client_connection_count_limit = 0\nsmtpd_client_recipient_rate_limit = 0\n") is None


def test_the_first_that_was_asked_for_is_named() -> None:
    """With its line, for who cannot count it."""
    asked = limits("smtpd_client_connection_count_limit = 0\nsmtpd_client_connection_rate_limit = 30\n")

    assert asked is not None
    assert asked.where == "main.cf line 2: smtpd_client_connection_rate_limit"
    assert asked.rates == (30, 0, 0, 0)


def test_limits_are_no_lists() -> None:
    """Who asks for them alone is judged by no list."""
    asked = Configuration(settings("main.cf", "smtpd_client_message_rate_limit = 9\n"), "/etc/here")

    assert not asked.has_lists


@pytest.mark.parametrize("value", ["", "-1", "many"])
def test_a_limit_that_is_no_number_is_refused(value: str) -> None:
    """As Postfix does."""
    with pytest.raises(AskedWrongly, match=r"^main\.cf line 1: smtpd_client_message_rate_limit must be a number"):
        limits(f"smtpd_client_message_rate_limit = {value}\n")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("smtpd_client_event_limit_exceptions = 192.0.2.0/24\n", NET),
        ("smtpd_client_event_limit_exceptions = $mynetworks\nmynetworks = 192.0.2.0/24\n", NET),
        ("smtpd_client_event_limit_exceptions =\n", ()),
        ("smtpd_client_connection_limit_exceptions = 192.0.2.0/24\n", ()),
    ],
)
def test_exceptions_are_networks(text: str, expected: tuple[Network, ...]) -> None:
    """Who has set the old name, has none, as in Postfix (postconf -x)."""
    asked = limits(text)

    assert asked is not None
    assert asked.smtpd_client_event_limit_exceptions == expected


def test_everybody_may_be_excepted() -> None:
    """A network of all addresses makes no relay here."""
    asked = limits("smtpd_client_event_limit_exceptions = 0.0.0.0/0\n")

    assert asked is not None
    assert event_limits.excepts(asked, GUEST)


@pytest.mark.parametrize(
    ("exceptions", "relays", "expected"),
    [(None, True, True), (None, False, False), (NET, False, True), ((), True, False)],
)
def test_who_is_excepted(exceptions: tuple[Network, ...] | None, relays: bool, expected: bool) -> None:
    """Who may relay, unless others are named."""
    asked = EventLimits(smtpd_client_event_limit_exceptions=exceptions)

    assert event_limits.excepts(asked, GUEST._replace(relays=relays)) is expected


SAID = {
    Event.CONNECTION: (
        b"421 4.7.0 mx.example.org Error: too many connections from 192.0.2.7\r\n",
        b"smtpgate: warning: Connection rate limit exceeded: 3 from a.example[192.0.2.7] for service smtp\n",
    ),
    Event.MESSAGE: (
        b"450 4.7.1 Error: too much mail from 192.0.2.7\r\n",
        b"smtpgate: warning: Message delivery request rate limit exceeded: 3 from %b for service smtp\n" % WHO,
    ),
    Event.RECIPIENT: (
        b"450 4.7.1 Error: too many recipients from 192.0.2.7\r\n",
        b"smtpgate: warning: Recipient address rate limit exceeded: 3 from a.example[192.0.2.7] for service smtp\n",
    ),
    Event.AUTH: (
        b"450 4.7.1 Error: too many AUTH commands from 192.0.2.7\r\n",
        b"smtpgate: warning: AUTH command rate limit exceeded: 3 from a.example[192.0.2.7] for service smtp\n",
    ),
}


@pytest.mark.parametrize("event", Event)
def test_what_is_said_of_too_many(event: Event) -> None:
    """From the first beyond the limit on; 0 is none."""
    asked = EventLimits(2, 2, 2, 2, 2)

    assert event_limits.too_many(asked, GUEST, event, 2, b"mx.example.org") is None
    assert event_limits.too_many(EventLimits(2), GUEST, event, 3, b"mx.example.org") is None
    found = event_limits.too_many(asked, GUEST, event, 3, b"mx.example.org")
    assert found is not None
    assert (found.reply.wire, found.line) == SAID[event]


def test_what_is_said_of_too_many_at_once() -> None:
    """To the client the same as of too many in a while; the service is that of master.cf."""
    asked = EventLimits(2, service=b"submission")

    assert event_limits.too_many_at_once(asked, GUEST, 2, b"mx.example.org") is None
    assert event_limits.too_many_at_once(EventLimits(0, 2), GUEST, 3, b"mx.example.org") is None
    found = event_limits.too_many_at_once(asked, GUEST, 3, b"mx.example.org")
    assert found is not None
    assert found.reply.wire == SAID[Event.CONNECTION][0]
    line = b"warning: Connection concurrency limit exceeded: 3 from a.example[192.0.2.7] for service submission\n"
    assert found.line == b"smtpgate: " + line
