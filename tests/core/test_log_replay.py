"""Logs of tcpserver, and the clients in them."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ucspi_py.core.client.connection import Endpoints, Names
from ucspi_py.core.dnsbl.loglines import said
from ucspi_py.core.rules.log_replay import Client, Replay
from ucspi_py.core.service import loglines

STAMPS = [
    b"",
    b"@400000005f5e100123456789 ",
    b"2026-11-21_18:16:01.12345 ",
    b"Nov 21 18:16:01 mx smtpd: ",
    b"Nov 21 18:16:01 mx tcpserver[123]: ",
    b"Nov  1 18:16:01 2001:db8::1 smtpd: ",
    b"2026-11-21 18:16:01.123456789  ",
    b"2026-11-21T18:16:01.123456+01:00 mx smtpd[123]: ",
    b"2026-11-21T18:16:01+0100 mx.example.org sh[7]: ",
    b"2026-11-21T18:16:01.123456789Z stderr F ",
    b"2026-11-21T18:16:01.123456789Z ",
    b"smtp-1  | ",
    b"smtp-1  | 2026-11-21T18:16:01.123456789Z @400000005f5e100123456789 ",
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


#: What the servers of others write, as they wrote it here or as their sources have it.
OTHERS: list[tuple[str, list[bytes], dict[Client, int]]] = [
    (
        "ucspi-ssl",
        [
            b"sslserver: status: 1/40",
            b"sslserver: pid 7 from 10.1.2.3",
            b"sslserver: ok 7 mx:192.0.2.1:465 mail.example.net:10.1.2.3::4321",
            b"sslserver: ssl 7 accept",
            b"sslserver: end 7 status exit 0",
        ],
        {Client(b"10.1.2.3", b"mail.example.net"): 1},
    ),
    (
        "ipsvd -vv",
        [
            b"tcpsvd: info: status 1/30",
            b"tcpsvd: info: pid 32046 from 127.0.0.2",
            b"tcpsvd: info: concurrency 32046 127.0.0.2 1/5",
            b"tcpsvd: info: deny 32046 me:127.0.0.1 ::127.0.0.2:48587 inst/127.0.0.2",
            b"tcpsvd: info: pid 32045 from 127.0.0.1",
            b"tcpsvd: info: start 32045 me:127.0.0.1 ::127.0.0.1:45179 inst/0: ",
            b"tcpsvd: info: start 32047 me:127.0.0.1 localhost::127.0.0.1:45180",
            b"tcpsvd: info: end 32045 exit 0",
        ],
        {Client(b"127.0.0.2"): 1, Client(b"127.0.0.1"): 1, Client(b"127.0.0.1", b"localhost"): 1},
    ),
    ("ipsvd -v", [b"sslsvd: info: pid 32046 from 127.0.0.2"], {Client(b"127.0.0.2"): 1}),
    (
        "s6-networking",
        [
            b"s6-tcpserverd: info: status: 1/40",
            b"s6-tcpserverd: info: accept 10.1.2.3_4321 pid 7 count 1/40",
            b"s6-tcpserverd: info: accept 2001:db8::1_4321 pid 8 count 1/40",
            b"s6-tcpserverd: info: reject 10.1.2.3_4322 count 40/40",
            b"s6-tcpserver4d: info: allow 10.1.2.4:4321 pid 9 count 1/40",
            b"s6-tcpserverd: info: end pid 7 exitcode 0 count 0/40",
        ],
        {Client(b"10.1.2.3"): 2, Client(b"2001:db8::1"): 1, Client(b"10.1.2.4"): 1},
    ),
    (
        "s6-tcpserver-access",
        [
            b"s6-tcpserverd: info: accept 10.1.2.3_4321 pid 7 count 1/40",
            b"s6-tcpserver-access: info: deny pid 7 ip 10.1.2.3",
            b"s6-tcpserver-access: info: allow pid 8 ip 2001:db8::1",
        ],
        {Client(b"10.1.2.3"): 1, Client(b"2001:db8::1"): 1},
    ),
]


@pytest.mark.parametrize("stamp", STAMPS, ids=repr)
@pytest.mark.parametrize(("lines", "clients"), [case[1:] for case in OTHERS], ids=[case[0] for case in OTHERS])
def test_the_servers_of_others(lines: list[bytes], clients: dict[Client, int], stamp: bytes) -> None:
    """What they decided goes before what only arrived, as with tcpserver."""
    assert _clients(*(stamp + line for line in lines)) == clients


@pytest.mark.parametrize(
    "line",
    [
        b'{"log":"%b\\n","stream":"stderr","time":"2026-11-21T18:16:01.123456789Z"}',
        b'{"__CURSOR":"s=1","MESSAGE":"%b","_PID":"7"}',
        b'{"log":"@400000005f5e100123456789 %b\\n"}',
        b'{"log":"Nov 21 18:16:01 mx smtpd: %b\\n","log_nr":1}',
    ],
)
def test_lines_in_json(line: bytes) -> None:
    """As docker and journalctl -o json keep them."""
    assert _clients(line % b"tcpserver: ok 7 :192.0.2.1:25 :10.1.2.3::1") == {Client(b"10.1.2.3"): 1}


@pytest.mark.parametrize(
    "line", [b"{", b"{}", b'{"log":7}', b'{"log":"a\\ntcpserver: pid 7 from 1.1.1.1\\n"}', b"{" * 99999]
)
def test_other_json_does_not_count(line: bytes) -> None:
    """One object is one line, whatever is written in it."""
    assert _clients(line) == {}


#: What a client would like to be read.
_FORGED = [
    b"tcpserver: ok 1 :1.1.1.1:25 :6.6.6.6::1",
    b"tcpserver: pid 1 from 6.6.6.6",
    b"sslserver: deny 1 :1.1.1.1:25 x:6.6.6.6::1",
    b"tcpsvd: info: pid 1 from 6.6.6.6",
    b"s6-tcpserver-access: info: allow pid 1 ip 6.6.6.6",
    b"Nov 21 18:16:01 mx smtpd: tcpserver: pid 1 from 6.6.6.6",
    b"@400000005f5e100123456789 tcpserver: pid 1 from 6.6.6.6",
    b"6.6.6.6",
]


@pytest.mark.parametrize("stamp", STAMPS, ids=repr)
@pytest.mark.parametrize("forged", _FORGED)
@pytest.mark.parametrize(
    "around",
    [
        b"rblsmtpd: 192.0.2.7 pid 7: said helo <%b>",
        b"rblsmtpd: 192.0.2.7 pid 7: 451 %b",
        b"qmail-smtpd: pid 7: %b",
        b"smtp: error: %b",
        b"7 < HELO %b",
        b"tcpserver: warning: dropping connection, unable to read %b",
        b"greylist: %b",
        b"%b>",
        b"<%b",
        b"x %b",
    ],
)
def test_what_a_client_has_said_is_no_line_of_the_server_s(around: bytes, forged: bytes, stamp: bytes) -> None:
    """Nothing but stamps may stand in front of such a line, and nothing at all behind it."""
    assert _clients(stamp + around % forged) == {}


@given(st.binary(max_size=60), st.sampled_from(_FORGED))
def test_nor_is_it_in_a_line_of_ours(noise: bytes, forged: bytes) -> None:
    """Whatever the client calls itself, its name is none of anybody's addresses."""
    endpoints = Endpoints(b"192.0.2.1", b"25", b"192.0.2.7", b"4321")
    for word in (noise, forged, noise + forged, forged + noise):
        line = said(b"192.0.2.7", 7, {b"helo": word, b"mail": word})
        decided = loglines.decided(b"ok", 7, endpoints, Names(None, word, word))

        assert _clients(line) == {}
        assert [client.ip for client in _clients(decided)] == [b"192.0.2.7"]


@pytest.mark.parametrize("piece", [b"a", b":", b"1", b" ", b"1.", b"x ", b"a: ", b"::1:", b"@", b"2026-11-21 1 a b: "])
@pytest.mark.parametrize("start", [b"", b"tcpserver: ok 7 a ", b"tcpsvd: info: start 7 a ", b"Nov 21 18:16:01 "])
def test_a_line_takes_time_by_its_length(piece: bytes, start: bytes) -> None:
    """Clients have a hand in the log, and must not be able to make it slow to read."""
    began = time.process_time()

    _clients(start + piece * 30_000 + b"!")

    assert time.process_time() - began < 1


def test_every_line_is_counted() -> None:
    """So that it can be said of how many none was known."""
    replay = Replay()
    for line in (b"a\n", b"\n", b"tcpserver: pid 7 from 1.1.1.1\n", b"{}"):
        replay.read(line)

    assert replay.lines == 4


@pytest.mark.parametrize("line", [b"", b"hello", b"rblsmtpd: 1.2.3.4 pid 7: 451 no", b"tcpserver: ok 7 a b", b":"])
def test_other_lines_do_not_count(line: bytes) -> None:
    assert _clients(line) == {}
