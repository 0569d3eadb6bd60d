"""What is found about a service before it starts, and who holds its port."""

import pytest

from ucspi_py.core.gate.check import finding as gate_findings
from ucspi_py.core.service.check.finding import Finding, can_start, error, of_gate, warning
from ucspi_py.core.service.check.port import holders
from ucspi_py.core.service.environment import oddities

HEAD = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
REST = "00000000:00000000 00:00000000 00000000"
#: 127.0.0.1:25 and 0.0.0.0:26 listen, a connection to 127.0.0.1:27 does not.
TCP = (
    f"{HEAD}   0: 0100007F:0019 00000000:0000 0A {REST}   101        0 4711 1 0 100 0 0 10 0\n"
    f"   1: 00000000:001A 00000000:0000 0A {REST}     0        0 4712 1 0 100 0 0 10 0\n"
    f"   2: 0100007F:001B 0100007F:9999 01 {REST}     0        0 4713 1 0 100 0 0 10 0\n"
)
#: [::]:25 and [2001:db8::1]:26.
TCP6 = (
    f"{HEAD}   0: {'0' * 32}:0019 {'0' * 32}:0000 0A {REST}     0        0 4714 1 0 100 0 0 10 0\n"
    f"   1: B80D0120000000000000000001000000:001A {'0' * 32}:0000 0A {REST}     0        0 4715 1 0 100 0 0 10 0\n"
)


@pytest.mark.parametrize(
    ("table", "address", "port", "inodes"),
    [
        (TCP, "127.0.0.1", 25, [4711]),
        (TCP, "0.0.0.0", 25, [4711]),
        (TCP, "::", 25, [4711]),
        (TCP, "::ffff:127.0.0.1", 25, [4711]),
        (TCP, "127.0.0.2", 25, []),
        (TCP, "::1", 25, []),
        (TCP, "192.0.2.1", 26, [4712]),
        (TCP, "::1", 26, []),
        (TCP, "127.0.0.1", 27, []),
        (TCP6, "127.0.0.1", 25, [4714]),
        (TCP6, "2001:db8::2", 25, [4714]),
        (TCP6, "2001:db8::1", 26, [4715]),
        (TCP6, "::", 26, [4715]),
        (TCP6, "0.0.0.0", 26, []),
    ],
)
def test_a_socket_that_keeps_others_from_an_address_is_found(
    table: str, address: str, port: int, inodes: list[int]
) -> None:
    """The wide addresses collide with all of their family, and :: with both."""
    assert [one.inode for one in holders(table, address, port, "little")] == inodes


def test_a_holder_is_told_with_its_address_and_its_user() -> None:
    """In the order of bytes of either kind of machine."""
    assert holders(TCP, "0.0.0.0", 25, "little") == (("127.0.0.1", 101, 4711),)
    assert holders(TCP.replace("0100007F", "7F000001"), "0.0.0.0", 25, "big") == (("127.0.0.1", 101, 4711),)


def test_a_line_that_ends_too_early_tells_of_no_socket() -> None:
    """That with an inode is enough."""
    line = f"   0: 0100007F:0019 00000000:0000 0A {REST}   101        0 4711"

    assert len(holders(HEAD + line, "127.0.0.1", 25, "little")) == 1
    assert holders(HEAD + line.rpartition(" ")[0], "127.0.0.1", 25, "little") == ()


def test_a_finding_is_one_line_with_its_kind() -> None:
    """What is fine has no word for it."""
    assert str(Finding("program", "/bin/true")) == "program: /bin/true"
    assert str(warning("zone", "x: it is dead")) == "zone: warning: x: it is dead"
    assert str(error("user", "no")) == "user: error: no"


def test_only_an_error_keeps_a_service_from_its_work() -> None:
    """A warning does not."""
    assert can_start([Finding("a", "b"), warning("a", "b")])
    assert not can_start([error("a", "b"), Finding("a", "b")])


def test_what_the_gates_configuration_has_keeps_its_place() -> None:
    """But for what is only worth knowing."""
    found = (
        gate_findings.warning("main.cf line 3", "a trap", "a way out"),
        gate_findings.error("-o: no such parameter"),
        gate_findings.Finding(gate_findings.Kind.NOTE, "main.cf line 4", "passed over"),
    )

    assert [str(one) for one in of_gate(found)] == [
        "gate: main.cf:3: warning: a trap; a way out",
        "gate: -o: error: no such parameter",
    ]
    assert [str(one) for one in of_gate(found[2:])] == ["gate: its configuration has no trap that we know"]


def test_an_environment_that_lets_everybody_relay_is_odd() -> None:
    """And a number that is none; anything else is not."""
    assert list(oddities({b"PATH": b"/bin"})) == []
    relay, number = oddities({b"RELAYCLIENT": b"", b"DATABYTES": b"ten"})

    assert relay == "RELAYCLIENT is set in the environment of the server: every client may relay"
    assert number.endswith(", in the environment of the server")
