"""What a program is told of its connection."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ucspi_py.core.client.connection import Endpoints, Names, environ

IPV4 = Endpoints(b"192.0.2.1", b"25", b"10.1.2.3", b"4321")
IPV6 = Endpoints(b"2001:db8::1", b"25", b"2001:db8::2", b"4321")
KNOWN = Names(b"mx.example.org", b"mail.example.net", b"joe")
NOTHING = Names(None, None, None)
_MAY_BE_UNKNOWN = {b"TCPLOCALHOST", b"TCPREMOTEHOST", b"TCPREMOTEINFO"}
_NAMES = st.one_of(st.none(), st.binary(max_size=5))


def test_an_ipv4_client() -> None:
    """tcpserver.c, doit: PROTO and seven variables; the rest is as it was."""
    assert environ({b"PATH": b"/bin"}, IPV4, KNOWN) == {
        b"PATH": b"/bin",
        b"PROTO": b"TCP",
        b"TCPLOCALIP": b"192.0.2.1",
        b"TCPLOCALPORT": b"25",
        b"TCPLOCALHOST": b"mx.example.org",
        b"TCPREMOTEIP": b"10.1.2.3",
        b"TCPREMOTEPORT": b"4321",
        b"TCPREMOTEHOST": b"mail.example.net",
        b"TCPREMOTEINFO": b"joe",
    }


def test_an_ipv6_client_is_told_twice() -> None:
    """As TCP6... for programs of ucspi-tcp6, and as TCP... for all others."""
    told = environ({}, IPV6, KNOWN)

    assert told[b"PROTO"] == b"TCP6"
    assert {name: told[b"TCP6" + name] for name in (b"REMOTEIP", b"LOCALHOST")} == {
        b"REMOTEIP": b"2001:db8::2",
        b"LOCALHOST": b"mx.example.org",
    }
    assert {name: value for name, value in told.items() if name.startswith(b"TCP6")} == {
        b"TCP6" + name[3:]: value
        for name, value in told.items()
        if name.startswith(b"TCP") and not name.startswith(b"TCP6")
    }


@pytest.mark.parametrize("endpoints", [IPV4, IPV6])
@given(local=_NAMES, remote=_NAMES, info=_NAMES)
def test_what_is_unknown_is_taken_away(
    endpoints: Endpoints, local: bytes | None, remote: bytes | None, info: bytes | None
) -> None:
    """What the server inherited must never be taken for what it found out; an empty name is a name."""
    inherited = {prefix + name[3:]: b"forged" for name in _MAY_BE_UNKNOWN for prefix in (b"TCP", b"TCP6")}
    told = environ(inherited, endpoints, Names(local, remote, info))

    for name, value in ((b"TCPLOCALHOST", local), (b"TCPREMOTEHOST", remote), (b"TCPREMOTEINFO", info)):
        assert told.get(name) == value
        if endpoints is IPV6:
            assert told.get(b"TCP6" + name[3:]) == value


def test_a_rule_has_the_last_word() -> None:
    """Even about what the connection says, and the later of two variables wins."""
    variables = [(b"TCPREMOTEIP", b"1.1.1.1"), (b"PROTO", b"X"), (b"RELAYCLIENT", b"a"), (b"RELAYCLIENT", b"")]
    told = environ({}, IPV4, NOTHING, variables)

    assert (told[b"TCPREMOTEIP"], told[b"PROTO"], told[b"RELAYCLIENT"]) == (b"1.1.1.1", b"X", b"")


def test_what_was_given_stays_as_it_was() -> None:
    """Every client begins from the same environment."""
    base = {b"TCPREMOTEHOST": b"x"}

    environ(base, IPV4, NOTHING, [(b"A", b"b")])

    assert base == {b"TCPREMOTEHOST": b"x"}
