"""The words of $DNSCACHEIP and of resolv.conf: which name servers they mean, and which mean nothing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ucspi_py.core.dns.servers import Server, from_resolv_conf, from_variable
from ucspi_py.core.errors import AskedWrongly

VARIABLES = [
    ("", []),
    (" , ", []),
    ("192.0.2.9", [("192.0.2.9", 53)]),
    ("192.0.2.009", [("192.0.2.9", 53)]),
    ("192.0.2.9.192.0.2.8", [("192.0.2.9", 53), ("192.0.2.8", 53)]),
    (".192.0.2.9..192.0.2.8.", [("192.0.2.9", 53), ("192.0.2.8", 53)]),
    (".".join(["192.0.2.9"] * 17), [("192.0.2.9", 53)] * 16),
    ("192.0.2.9@5353, ::1@54", [("192.0.2.9", 5353), ("::1", 54)]),
    ("2001:DB8::1 192.0.2.9@00053", [("2001:db8::1", 53), ("192.0.2.9", 53)]),
    ("fe80::1%eth0@5353", [("fe80::1%eth0", 5353)]),
]

MEANINGLESS = [
    ("127.0.0.1@99999", "127.0.0.1@99999"),
    ("127.0.0.1@65536", "127.0.0.1@65536"),
    ("127.0.0.1@" + "9" * 5000, "127.0.0.1@"),
    ("127.0.0.1@-5", "127.0.0.1@-5"),
    ("127.0.0.1@0", "127.0.0.1@0"),
    ("127.0.0.1@", "127.0.0.1@"),
    ("127.0.0.1@domain", "127.0.0.1@domain"),
    ("127.0.0.1:5353", "127.0.0.1:5353"),
    ("[::1]@53", "[::1]@53"),
    ("localhost", "localhost"),
    ("127.0.0.1 localhost", "localhost"),
    ("127.0.0.1.127.0", "127.0"),
    ("127.0.0.256", "127.0.0.256"),
    ("1" * 5000, "1"),
    ("127.0.0.1;127.0.0.2", "127.0.0.1;127.0.0.2"),
    ("fe80::1", "fe80::1"),
    ("fe80::1%", "fe80::1%"),
]


@pytest.mark.parametrize(("text", "expected"), VARIABLES)
def test_the_servers_of_the_variable(text: str, expected: list[tuple[str, int]]) -> None:
    """As C writes them, and with ports, IPv6 and interfaces."""
    assert list(from_variable(text)) == expected


@pytest.mark.parametrize(("text", "word"), MEANINGLESS)
def test_a_word_that_means_nothing_is_named(text: str, word: str) -> None:
    """Whoever wrote it must not believe that this server is asked; the sentence says what was expected."""
    with pytest.raises(AskedWrongly) as raised:
        from_variable(text)

    assert word in raised.value.sentence
    assert "$DNSCACHEIP" in raised.value.sentence
    assert "expected" in raised.value.sentence
    assert raised.value.exit_code == 100


@given(st.lists(st.tuples(st.ip_addresses(), st.none() | st.integers(1, 65535)), max_size=16))
def test_every_list_of_addresses_is_read_as_it_is_written(servers: list[tuple[object, int | None]]) -> None:
    """Of both families, with ports or without."""
    words = [f"{ip}" if port is None else f"{ip}@{port}" for ip, port in servers]
    expected = [Server(str(ip), port or 53) for ip, port in servers]
    if any(word.startswith(("fe8", "fe9", "fea", "feb")) for word in words):
        return

    assert list(from_variable(" ".join(words))) == expected
    assert list(from_variable(",".join(words))) == expected


@given(st.text(alphabet="0123456789.:@%, abcdef[]-", max_size=30))
def test_every_text_is_servers_or_asked_wrongly(text: str) -> None:
    """No other exception, and no server that could not be asked."""
    try:
        servers = from_variable(text)
    except AskedWrongly:
        return
    assert all(0 < server.port < 65536 for server in servers)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("search example.org\nnameserver nonsense\n", []),
        ("nameserver 192.0.2.1\n# x\nnameserver 192.0.2.2\n", ["192.0.2.1", "192.0.2.2"]),
        ("nameserver\t192.0.2.1 192.0.2.3\nnameserver\n;nameserver 192.0.2.2\n", ["192.0.2.1"]),
        ("nameserver 2001:db8::1\nnameserver fe80::1%eth0\n", ["2001:db8::1", "fe80::1%eth0"]),
        ("nameserver 192.0.2.1@5353\nnameserver 192.0.2.1:53\n", []),
    ],
)
def test_the_servers_of_resolv_conf(text: str, expected: list[str]) -> None:
    """resolv.conf(5): what is no address is passed over, as the system passes it over."""
    assert list(from_resolv_conf(text)) == [(ip, 53) for ip in expected]
