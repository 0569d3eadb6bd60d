"""The lines of the log, to the byte, and safe whatever a client calls itself."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ucspi_py.core.client.connection import Endpoints, Names
from ucspi_py.core.dnsbl import loglines as dnsbl
from ucspi_py.core.greylist.loglines import store_failed
from ucspi_py.core.service import loglines
from ucspi_py.core.smtp.loglines import refused, totals

HERE = Endpoints(b"10.0.0.1", b"25", b"192.0.2.7", b"4321")
UNKNOWN = Names(None, None, None)

LINES = [
    (loglines.status(3, 40), b"tcpserver: status: 3/40\n"),
    (loglines.arrived(77, b"192.0.2.7"), b"tcpserver: pid 77 from 192.0.2.7\n"),
    (loglines.decided(b"ok", 77, HERE, UNKNOWN), b"tcpserver: ok 77 :10.0.0.1:25 :192.0.2.7::4321\n"),
    (
        loglines.decided(b"deny", 77, HERE, Names(b"mx.example", b"client.example", b"joe")),
        b"tcpserver: deny 77 mx.example:10.0.0.1:25 client.example:192.0.2.7:joe:4321\n",
    ),
    (
        loglines.decided(b"ok", 77, Endpoints(b"::1", b"25", b"2001:db8::7", b"4321"), UNKNOWN),
        b"tcpserver: ok 77 :::1:25 :2001:db8::7::4321\n",
    ),
    (loglines.ended(77, 25600), b"tcpserver: end 77 status 25600\n"),
    (loglines.reloading(77, 2), b"tcpserver: reload 77: 2 new workers follow\n"),
    (loglines.stopping(77, 3, 40), b"tcpserver: stop 77: 3/40 programs go on\n"),
    (loglines.warning("beware"), b"tcpserver: warning: beware\n"),
    (
        loglines.dropping("unable to read \udcff: access denied"),
        b"tcpserver: warning: dropping connection, unable to read \xff: access denied\n",
    ),
    (refused(b"rblsmtpd", b"192.0.2.7", 77, b"451 listed"), b"rblsmtpd: 192.0.2.7 pid 77: 451 listed\n"),
    (totals(b"greylist", 1, 2, 3, 4), b"greylist: totals: accepted 1 refused 2 bounced 3 held now 4\n"),
    (
        dnsbl.zone_results(b"192.0.2.7", 77, [(b"b l", b"clean", 0.0014)], b"accepted"),
        b"dnsbl: zones for 192.0.2.7 pid 77: b?l=clean/1ms: accepted\n",
    ),
    (dnsbl.zone_totals(b"bl", {"asked": 2, "listed": 1}), b"dnsbl: zone bl: asked 2 listed 1\n"),
    (dnsbl.zone_warning(b"bl", "timed out\n"), b"dnsbl: warning: zone bl: timed out?\n"),
    (
        store_failed("/var/db", "disk full"),
        b"greylist: warning: unable to use /var/db: disk full, everybody is let in\n",
    ),
]

#: What a client says of itself, by verb, and how it is quoted.
SAID = [
    ({}, b"nothing"),
    ({b"helo": b"mx.example.org"}, b"helo <mx.example.org>"),
    ({b"mail": b"FROM:<a@b> SIZE=9", b"rcpt": b"to: c@d x"}, b"mail <a@b> rcpt <c@d>"),
    ({b"mail": b"FROM:<>", b"rcpt": b'TO:<"a b"@c>'}, b'mail <> rcpt <"a?b"@c>'),
    ({b"helo": b" x> mail <a@b "}, b"helo <x??mail??a@b>"),
    ({b"mail": b"a <b> c:d"}, b"mail <a??b??c?d>"),
    ({b"mail": b"FROM:<a b: c"}, b"mail <a?b??c>"),
    ({b"helo": b"[IPv6:::1]", b"rcpt": b""}, b"helo <[IPv6???1]> rcpt <>"),
    ({b"helo": b"\x1b[2J\xff%d\x80"}, b"helo <?[2J??d?>"),
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
    line = loglines.decided(b"ok", 77, HERE, Names(None, name, None))

    assert line == b"tcpserver: ok 77 :10.0.0.1:25 %b:192.0.2.7::4321\n" % shown


@given(anything, anything, anything)
def test_no_name_can_forge_a_line_or_a_field(local: bytes | None, remote: bytes | None, info: bytes | None) -> None:
    """One line of printable bytes, with every field in its place."""
    line = loglines.decided(b"ok", 77, HERE, Names(local, remote, info))

    assert line.endswith(b"\n")
    assert all(33 <= byte <= 126 or byte == ord(" ") for byte in line[:-1])
    _, _, _, ours, theirs = line[:-1].split(b" ")
    assert ours.split(b":")[1:] == [b"10.0.0.1", b"25"]
    _, ip, _, port = theirs.split(b":")
    assert (ip, port) == (b"192.0.2.7", b"4321")
    assert len(line) < 4 * 120


@pytest.mark.parametrize(("words", "quoted"), SAID)
def test_what_a_client_says_of_itself(words: dict[bytes, bytes], quoted: bytes) -> None:
    """One word for each verb, and of a path nothing but the address."""
    assert dnsbl.said(b"192.0.2.7", 77, words) == b"dnsbl: said by 192.0.2.7 pid 77: " + quoted + b"\n"


#: How filters for fail2ban and scripts look for clients and fields, without an anchor.
_SEARCHES = [
    rb"rblsmtpd: (\S+) pid \d+",
    rb"(?:rblsmtpd|greylist|qmail-smtpd): (\S+) ",
    rb"pid \d+ from (\S+)",
    rb": (\S+) pid \d+:",
    rb"(\S+) pid \d+: [45]\d\d",
    rb"helo <([^<>]*)>",
    rb"mail <([^<>]*)>",
    rb" rcpt <([^ ]*)>",
]
_FORGED = b"6.6.6.6 pid 7: 451 x> rcpt <z> mail <z> rblsmtpd: 6.6.6.6 pid 7: 451 tcpserver: pid 7 from 6.6.6.6 helo <z>"


@pytest.mark.parametrize("pattern", _SEARCHES, ids=repr)
@given(st.lists(st.one_of(st.binary(max_size=20), st.sampled_from(_FORGED.split(b" ")), st.just(_FORGED)), max_size=9))
def test_no_filter_finds_a_field_in_what_a_client_says(pattern: bytes, pieces: list[bytes]) -> None:
    """A search finds at most the one field that is there, and never one that the client has written."""
    word = b" ".join(pieces)
    line = dnsbl.said(b"192.0.2.7", 77, {b"helo": word, b"mail": b"FROM:<" + word, b"rcpt": word})

    found = re.findall(pattern, line)

    assert len(found) <= 1
    assert line.count(b"\n") == 1
    assert not pattern.endswith(b">") or b"6.6.6.6" not in found or word.strip() == b"6.6.6.6"
    assert pattern.endswith(b">") or b"6.6.6.6" not in found
