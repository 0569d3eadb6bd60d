"""The lines of the log, to the byte, and safe whatever a client calls itself."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ucspi_py.core import logline
from ucspi_py.core.connection import Endpoints, Names

HERE = Endpoints(b"10.0.0.1", b"25", b"192.0.2.7", b"4321")
UNKNOWN = Names(None, None, None)

LINES = [
    (logline.status(3, 40), b"tcpserver: status: 3/40\n"),
    (logline.arrived(77, b"192.0.2.7"), b"tcpserver: pid 77 from 192.0.2.7\n"),
    (logline.decided(b"ok", 77, HERE, UNKNOWN), b"tcpserver: ok 77 :10.0.0.1:25 :192.0.2.7::4321\n"),
    (
        logline.decided(b"deny", 77, HERE, Names(b"mx.example", b"client.example", b"joe")),
        b"tcpserver: deny 77 mx.example:10.0.0.1:25 client.example:192.0.2.7:joe:4321\n",
    ),
    (
        logline.decided(b"ok", 77, Endpoints(b"::1", b"25", b"2001:db8::7", b"4321"), UNKNOWN),
        b"tcpserver: ok 77 :::1:25 :2001:db8::7::4321\n",
    ),
    (logline.ended(77, 25600), b"tcpserver: end 77 status 25600\n"),
    (logline.warning("beware"), b"tcpserver: warning: beware\n"),
    (
        logline.dropping("unable to read \udcff: access denied"),
        b"tcpserver: warning: dropping connection, unable to read \xff: access denied\n",
    ),
    (logline.refused(b"rblsmtpd", b"192.0.2.7", 77, b"451 listed"), b"rblsmtpd: 192.0.2.7 pid 77: 451 listed\n"),
]

FIELDS = [
    (b"a b\tc\nd", b"a?b?c?d"),
    (b"50%:\x7f\x80\xff", b"50?????"),
    (b"$(reboot)`'\"\\", b"$(reboot)`'\"\\"),
    (b"x" * 99, b"x" * 99),
    (b"x" * 100, b"x" * 100 + b"..."),
    (b"x" * 300, b"x" * 100 + b"..."),
]

anything = st.none() | st.binary(max_size=150)


@pytest.mark.parametrize(("line", "expected"), LINES, ids=[expected.decode("latin-1") for _, expected in LINES])
def test_lines_are_those_of_c(line: bytes, expected: bytes) -> None:
    """Log parsers of 25 years read them."""
    assert line == expected


@pytest.mark.parametrize(("name", "shown"), FIELDS, ids=repr)
def test_a_name_is_made_safe(name: bytes, shown: bytes) -> None:
    """As safecats does it, with dots from 100 bytes on."""
    line = logline.decided(b"ok", 77, HERE, Names(None, name, None))

    assert line == b"tcpserver: ok 77 :10.0.0.1:25 %b:192.0.2.7::4321\n" % shown


@given(anything, anything, anything)
def test_no_name_can_forge_a_line_or_a_field(local: bytes | None, remote: bytes | None, info: bytes | None) -> None:
    """One line of printable bytes, with every field in its place."""
    line = logline.decided(b"ok", 77, HERE, Names(local, remote, info))

    assert line.endswith(b"\n")
    assert all(33 <= byte <= 126 or byte == ord(" ") for byte in line[:-1])
    _, _, _, ours, theirs = line[:-1].split(b" ")
    assert ours.split(b":")[1:] == [b"10.0.0.1", b"25"]
    _, ip, _, port = theirs.split(b":")
    assert (ip, port) == (b"192.0.2.7", b"4321")
    assert len(line) < 4 * 120
