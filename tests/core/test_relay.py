"""Whether a client may relay by a grant: what a rule says before it, what a program is told, and in which words."""

from collections.abc import Mapping

import pytest

from ucspi_py.core.ledger import relay
from ucspi_py.core.ledger.grant import Grant, How
from ucspi_py.core.ledger.settings import RelaySettings
from ucspi_py.core.rules.cidr import Network
from ucspi_py.core.smtp.verdict import Accept

NOW = 1_800_000_000
GRANT = Grant(NOW + 100, NOW - 800, NOW - 5000, 3, How.POP3, b"joe", b"89@mx1")
SETTINGS = RelaySettings("db", (Network(32, 127 << 24, 8), Network(128, 1, 128)))
CLIENT = {b"TCPREMOTEIP": b"192.0.2.7"}


@pytest.mark.parametrize(
    ("environment", "is_asked"),
    [
        (CLIENT, True),
        ({}, False),
        ({b"TCPREMOTEIP": b"unknown"}, False),
        (CLIENT | {b"RELAYCLIENT": b""}, False),
        (CLIENT | {b"RELAYCLIENT": b"@fixup"}, False),
        (CLIENT | {b"RELAY": b"never"}, False),
        (CLIENT | {b"RELAY": b""}, True),
        (CLIENT | {b"RBLSMTPD": b"-no"}, True),
        ({b"TCPREMOTEIP": b"127.0.0.1"}, False),
        ({b"TCPREMOTEIP": b"::ffff:127.0.0.1"}, False),
        ({b"TCPREMOTEIP": b"::1"}, False),
        ({b"TCPREMOTEIP": b"2001:db8::1"}, True),
    ],
)
def test_about_whom_the_ledger_is_asked(environment: Mapping[bytes, bytes], *, is_asked: bool) -> None:
    """Not about who may relay anyhow, by a rule or an address in mynetworks, nor about who never may."""
    assert (relay.why_unasked(environment, SETTINGS) is None) == is_asked


def test_what_a_grant_does() -> None:
    """The client relays, and is spared by what stands behind; a line says so."""
    found = relay.outcome(CLIENT, [GRANT], NOW, 77)

    assert found.verdict == Accept(vouched=True)
    assert found.variables == {b"RELAYCLIENT": b"", b"RELAYUSER": b"joe", b"RBLSMTPD": b""}
    assert found.lines == (b"relay: 192.0.2.7 pid 77: granted to joe by pop3, for 100 more seconds\n",)


@pytest.mark.parametrize("grants", [(), (GRANT._replace(expires=NOW),)])
def test_what_no_grant_does(grants: tuple[Grant, ...]) -> None:
    """The client is let in, and nothing is set, not to nothing either."""
    found = relay.outcome(CLIENT, grants, NOW, 77)

    assert (found.verdict, found.variables, found.lines) == (Accept(), {}, ())


def test_a_grant_of_the_future() -> None:
    """It does not count, and is said: somebody's clock is wrong."""
    found = relay.outcome(CLIENT, [GRANT._replace(renewed=NOW + 301, expires=NOW + 1201)], NOW, 77)

    assert found.variables == {}
    assert found.lines == (
        b"relay: warning: 192.0.2.7 pid 77: the grant to joe is of the future: is the clock right?\n",
    )


def test_a_rule_keeps_what_it_says_to_screens() -> None:
    """A RBLSMTPD of a rule is not changed by a grant."""
    assert b"RBLSMTPD" not in relay.variables(CLIENT | {b"RBLSMTPD": b"-no"}, GRANT)
