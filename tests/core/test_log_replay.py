"""Logs of tcpserver, and the clients in them."""

import pytest

from ucspi_py.core.log_replay import Client, Replay

STAMPS = [
    b"",
    b"@400000005f5e100123456789 ",
    b"2026-11-21_18:16:01.12345 ",
    b"Nov 21 18:16:01 mx smtpd: ",
    b"Nov 21 18:16:01 mx tcpserver[123]: ",
]


def _clients(*lines: bytes) -> dict[Client, int]:
    replay = Replay()
    for line in lines:
        replay.read(line + b"\n")
    return dict(replay.clients())


@pytest.mark.parametrize("stamp", STAMPS, ids=repr)
def test_stamps_do_not_matter(stamp: bytes) -> None:
    lines = [
        b"tcpserver: status: 1/40",
        b"tcpserver: pid 7 from 10.1.2.3",
        b"tcpserver: ok 7 mx.example.org:192.0.2.1:25 mail.example.net:10.1.2.3::4321",
        b"tcpserver: end 7 status 0",
        b"tcpserver: deny 8 mx.example.org:192.0.2.1:25 mail.example.net:10.1.2.3::999",
        b"tcpserver: ok 9 :192.0.2.1:25 :10.1.2.4:joe:1",
    ]

    assert _clients(*(stamp + line for line in lines)) == {
        Client(b"10.1.2.3", b"mail.example.net"): 2,
        Client(b"10.1.2.4", None, b"joe"): 1,
    }


@pytest.mark.parametrize("stamp", STAMPS, ids=repr)
def test_a_log_of_arrivals_only_counts_these(stamp: bytes) -> None:
    arrivals = [b"tcpserver: pid 7 from 10.1.2.3", b"tcpserver: pid 8 from ::ffff:10.1.2.4"]

    assert _clients(*(stamp + line for line in arrivals)) == {Client(b"10.1.2.3"): 1, Client(b"10.1.2.4"): 1}


@pytest.mark.parametrize("stamp", [b"", b"@400000005f5e100123456789 "])
def test_bare_addresses_count(stamp: bytes) -> None:
    assert _clients(stamp + b"10.1.2.3", stamp + b"2001:DB8::1", stamp + b"10.1.2.3") == {
        Client(b"10.1.2.3"): 2,
        Client(b"2001:db8::1"): 1,
    }


def test_an_ipv6_client_keeps_its_colons() -> None:
    assert _clients(b"tcpserver: ok 7 mx:2001:db8::9:25 mail.example.net:2001:db8::1:joe:4321") == {
        Client(b"2001:db8::1", b"mail.example.net", b"joe"): 1
    }


def test_a_field_that_was_cut_or_made_safe_is_not_known() -> None:
    long = b"a" * 100 + b"..."

    assert _clients(b"tcpserver: ok 7 mx:1.1.1.1:25 " + long + b":10.1.2.3:a?b:4321") == {Client(b"10.1.2.3"): 1}


@pytest.mark.parametrize("line", [b"", b"hello", b"rblsmtpd: 1.2.3.4 pid 7: 451 no", b"tcpserver: ok 7 a b", b":"])
def test_other_lines_do_not_count(line: bytes) -> None:
    assert _clients(line) == {}
