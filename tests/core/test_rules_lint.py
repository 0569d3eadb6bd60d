"""Every form that cannot bite, or bites the wrong one: its sentence, its place and the line that was meant."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.rules_tools import table, text
from ucspi_py.core.lint.finding import Finding
from ucspi_py.core.lint.line import line_findings
from ucspi_py.core.lint.lint import lint
from ucspi_py.core.rules.match import match

MARK = "\ufeff".encode()
RELAY = b':allow,RELAYCLIENT=""'

#: line, column, a part of the sentence, what was meant.
NEVER_MATCHES: list[tuple[bytes, int, str, tuple[str, ...]]] = [
    (b"10.0:deny", 1, "10.0 has no dot at its end", ("10.0.:deny",)),
    (b"10:deny", 1, "10 has no dot at its end", ("10.:deny",)),
    (b"1.2.3.4.:deny", 8, "behind a whole address stands no dot", ("1.2.3.4:deny",)),
    (b"1.2.3.4.5:deny", 1, "an address has four octets", ()),
    (b"1..2.:deny", 3, "an octet is missing", ()),
    (b".1.2.:deny", 1, "an octet is missing", ()),
    (b".:deny", 1, "not the default rule", (":deny",)),
    (b"01.2.3.4:deny", 1, "without leading zeros", ("1.2.3.4:deny",)),
    (b"1.2.03.:deny", 5, "without leading zeros", ("1.2.3.:deny",)),
    (b"999.1.1.1:deny", 1, "no octet is above 255", ()),
    (b"1.2.256.:deny", 5, "no octet is above 255", ()),
    (b" 1.2.3.4:deny", 1, "a blank belongs to the address", ("1.2.3.4:deny",)),
    (b"1.2.3.4 :deny", 8, "a blank belongs to the address", ("1.2.3.4:deny",)),
    (b"1.2. 3.:deny", 5, "a blank belongs to the address", ("1.2.3.:deny",)),
    (b"1.2.3.4\x00:deny", 8, "the byte 0 belongs to the address", ()),
    (MARK + b":deny", 1, "a byte order mark", (":deny",)),
    (MARK + b"1.2.3.4:deny", 1, "a byte order mark", ("1.2.3.4:deny",)),
    ("1.2.3．:deny".encode(), 6, "is not plain ASCII", ()),  # noqa: RUF001  # a full-width dot, as Asian keyboards give
    # networks
    (b"10.0.0.1/8:deny", 1, "10.0.0.1 has bits beyond its prefix", ("10.0.0.0/8:deny",)),
    (b"10/8:deny", 1, "a network has four octets", ("10.0.0.0/8:deny",)),
    (b"10.1./16:deny", 1, "a network has four octets", ("10.1.0.0/16:deny",)),
    (b"10.0.0.0/255.0.0.0:deny", 10, "a netmask is not understood", ("10.0.0.0/8:deny",)),
    (b"10.0.0.0/33:deny", 10, "/33 is no prefix length", ()),
    (b"10.0.0.0/:deny", 10, "/ is no prefix length", ()),
    (b"10.0.0.0/08:deny", 10, "/08 is no prefix length", ("10.0.0.0/8:deny",)),
    (b"010.0.0.0/8:deny", 1, "without leading zeros", ("10.0.0.0/8:deny",)),
    (b"256.0.0.0/8:deny", 1, "no octet is above 255", ()),
    (b"example.org/24:deny", 1, "example.org/24 is no network", ()),
    (b"[1.2.3.4]:deny", 1, "no brackets", ("1.2.3.4:deny",)),
    # nobody
    (b"0.0.0.0:deny", 1, "no client has the address 0.0.0.0; the default rule has no address", (":deny",)),
    (b"0.0.0.0" + RELAY, 1, "no client has the address 0.0.0.0", (":allow",)),
    (b"0.0.0.0/32:deny", 1, "no client has an address in 0.0.0.0/32", ()),
    (b"0.0.0.0/8:deny", 1, "no client has an address in 0.0.0.0/8", ()),
    (b"0.1-9.:deny", 1, "no client has an address in 0.1-9.", ()),
    (b"0.:deny", 1, "no client has an address in 0.", ()),
    (b"255.255.255.255:deny", 1, "no client has an address in 255.255.255.255", ()),
    (b"255.:deny", 1, "no client has an address in 255.", ()),
    (b"224-239." + RELAY, 1, "no client has an address in 224-239.", ()),
    (b"224.0.0.0/4:deny", 1, "no client has an address in 224.0.0.0/4", ()),
    (b"joe@255.255.255.255:deny", 5, "no client has an address in 255.255.255.255", ()),
    (b":::deny", 1, "no client has the address ::", (":deny",)),
    (b"::/128:deny", 1, "no client has an address in ::/128", ()),
    (b"ff02::1:deny", 1, "no client has an address in ff02::1", ()),
    (b"ff00::/8:deny", 1, "no client has an address in ff00::/8", ()),
    # more digits than int() takes
    (b"1" * 5000 + b".:deny", 1, "no octet is above 255", ()),
    (b"0" * 5000 + b"1.:deny", 1, "without leading zeros", ("1.:deny",)),
    (b"1.2.3." + b"9" * 5000 + b"-5:deny", 7, "matches nothing", ("1.2.3.5-255:deny",)),
    (b"10.0.0.0/" + b"8" * 5000 + b":deny", 10, "is no prefix length", ()),
    (b"1-" + b"2" * 5000 + b".1-2.:deny", 5005, "only the first range is expanded", ()),
    (b"10.*:deny", 4, "a * has no meaning", ("10.:deny",)),
    (b"10.1.*.*:deny", 6, "a * has no meaning", ("10.1.:deny",)),
    # ranges
    (b"1.2.3.9-5:deny", 7, "runs backwards", ("1.2.3.5-9:deny",)),
    (b"1.2.3.5-:deny", 7, "a range without an end", ("1.2.3.5-255:deny",)),
    (b"1.300-400.:deny", 3, "no octet is above 255", ()),
    (b"1-2.3-4.:deny", 6, "only the first range is expanded", ("1.3-4.:deny", "2.3-4.:deny")),
    (b"0-255.3-4.:deny", 8, "only the first range is expanded", ()),
    (b"a@1-2-3.4:deny", 6, "only the first range is expanded", ()),
    (b"@--:deny", 3, "only the first range is expanded", ()),
    (b"1.2-3:deny", 1, "1.2-3 has no dot at its end", ("1.2-3.:deny",)),
    (b"10.0.0.0-10.0.0.255:deny", 1, "a range stands inside one octet", ("10.0.0.0/24:deny",)),
    (b"10.0.0.9-10.0.0.1:deny", 1, "a range stands inside one octet", ()),
    # names
    (b"badhost.net:deny", 1, "badhost.net is a host name without =", ("=badhost.net:deny",)),
    (b".BadHost.net:deny", 1, "a host name without =", ("=.badhost.net:deny",)),
    (b"*.example.org:deny", 1, "a host name without =", ("=.example.org:deny",)),
    (b"=HOST.Example:deny", 2, "in small letters", ("=host.example:deny",)),
    (b"=mail.Example.org.:deny", 7, "in small letters", ("=mail.example.org:deny",)),
    (b"=host.example.:deny", 14, "without a dot at their end", ("=host.example:deny",)),
    (b"=.:deny", 2, "without a dot at their end", ("=:deny",)),
    (b"=*.example.org:deny", 2, "is no host name", ("=.example.org:deny",)),
    (b"==example.org:deny", 2, "is no host name", ("=example.org:deny",)),
    (b"=a..b:deny", 2, "is no host name", ()),
    (b"=1.2.3.4:deny", 1, "1.2.3.4 is an address", ("1.2.3.4:deny",)),
    (b"=1.2.3:deny", 1, "1.2.3 is an address", ("1.2.3.:deny",)),
    (b"ALL:deny", 1, "ALL has no meaning here", (":deny",)),
    (b"*:deny", 1, "* has no meaning here", (":deny",)),
    (b"a=b:deny", 1, "a=b is no address", ()),
    (b"<b>1.2.3.4</b>:deny", 1, "HTML (<b>) stands in the address", ("1.2.3.4:deny",)),
    # ident
    (b"spamboy@spamhouse.com:deny", 1, "control/badmailfrom", ()),
    (b"bob@Example.ORG.:deny", 1, "would be bob@=example.org", ()),
    (b"a@1.2.3.4-6:deny", 3, "knows single addresses", ("a@1.2.3.4:deny", "a@1.2.3.5:deny", "a@1.2.3.6:deny")),
    (b"a@1.2.3.4-9:deny", 3, "knows single addresses", ()),
    (b"a@1.2.3.:deny", 3, "knows single addresses", ()),
    (b"a@10.0.0.0/31:deny", 3, "knows single addresses", ("a@10.0.0.0:deny", "a@10.0.0.1:deny")),
    (b"a@1-2/24:deny", 3, "knows single addresses", ()),
    (b"a@1.2.3.4-/24-ex-1:deny", 3, "knows single addresses", ()),
    (b"a@01.2.3.4:deny", 3, "without leading zeros", ("a@1.2.3.4:deny",)),
    (b"a@=.example.org:deny", 3, "knows single hosts", ()),
    (b"a@=:deny", 3, "knows single hosts", ()),
    (b"a@=Host:deny", 4, "in small letters", ("a@=host:deny",)),
    (b"=a@host:deny", 1, "stands behind the @", ("a@=host:deny",)),
    (b"a@:deny", 3, "nothing is no address", ()),
    (b"a@1.2.3.4 :deny", 10, "a blank belongs to the address", ("a@1.2.3.4:deny",)),
]

#: The same for rules that match, and do not do what they seem to do.
DANGEROUS: list[tuple[bytes, int, str, tuple[str, ...]]] = [
    (b"-5.:deny", 1, "a range without a beginning", ("0-5.:deny",)),
    (b"-.:deny", 1, "a range without a beginning", ("0-255.:deny",)),
    (b"1.2.3.250-300:deny", 7, "the range ends there", ("1.2.3.250-255:deny",)),
    (b":allow, X=''", 8, "a blank belongs to the name of the variable X", (':allow,X=""',)),
    (b":allow,X =''", 8, "a blank belongs to the name of the variable X", (':allow,X=""',)),
    (b":allow,=''", 8, "the variable has no name", ()),
    (b":allow,X-Y=''", 8, "X-Y is no usual name", ()),
    (b'1.2.3.4:allow,RelayClient=""', 15, "in capital letters", ('1.2.3.4:allow,RELAYCLIENT=""',)),
    (b':allow,X="",rblsmtpd="a"', 13, "in capital letters", (':allow,X="",RBLSMTPD="a"',)),
    (b':allow,X="a\0D"', 8, "a NUL in X", ()),
    (b":allow,DATABYTES=1000001", 18, "so that it is '00000'", (':allow,DATABYTES="1000001"',)),
    (b":allow,X=1deny1", 10, "so that it is 'deny'", (':allow,X="1deny1"',)),
    (b":allow,X=1,Y=1", 10, "so that it is ',Y='", (':allow,X="1",Y="1"',)),
    (b":allow, X='a\"b'", 8, "a blank belongs to the name of the variable X", (":allow,X='a\"b'",)),
    # what a denied client has
    (b'1.2.3.:deny,RBLSMTPD="-go"', 13, "nobody reads RBLSMTPD", ('1.2.3.:allow,RBLSMTPD="-go"',)),
    (b'1.2.3.:deny,RBLSMTPD=""', 13, "nobody reads RBLSMTPD", ("1.2.3.:deny",)),
    (b'1.2.3.4:deny,RELAYCLIENT="",RBLSMTPD="-go"', 14, "nobody reads", ('1.2.3.4:allow,RBLSMTPD="-go"',)),
    (b'62.:deny,RELAYCLIENT=""', 10, "nobody reads RELAYCLIENT", ("62.:deny",)),
    (b"2001:db8::/32:deny,X=''", 20, "nobody reads X", ("2001:db8::/32:deny",)),
    # numbers
    (b':allow,MAXCONNIP="0"', 19, "MAXCONNIP 0 refuses everybody", ()),
    (b':allow,MAXCONNC="000"', 18, "MAXCONNC 0 refuses everybody", ()),
    (b':allow,MAXCONNIP=""', 19, "MAXCONNIP '' is read as the number 0, which refuses everybody", ()),
    (b'1.2.3.4:allow,MAXCONNIP="many"', 26, "is read as the number 0, which refuses everybody", ()),
    (b':allow,MAXCONNC="-1"', 18, "is read as the number 0, which refuses everybody", ()),
    (b':allow,MAXCONNIP="5x"', 19, "MAXCONNIP '5x' is read as the number 5", ()),
    (b':allow,MAXCONNIP=" 5"', 19, "is read as the number 0, which refuses everybody", (':allow,MAXCONNIP="5"',)),
    (b':allow,MAXCONNIP="' + b"9" * 5000 + b'"', 19, "larger than 999999999", ()),
    (b':allow,maxconnip="5"', 8, "in capital letters", (':allow,MAXCONNIP="5"',)),
    (b':allow,MAXLOAD="3.5"', 17, "MAXLOAD '3.5' is read as the number 3", (':allow,MAXLOAD="350"',)),
    (b':allow,MAXLOAD="4"', 17, "4 is a load average of 0.04", (':allow,MAXLOAD="400"',)),
    (b'1.2.3.4:allow,DATABYTES="10M"', 26, "DATABYTES '10M' is read as the number 10", ()),
    (b':allow,DIEMSG_MAXLOAD="",diemsg="a"', 26, "in capital letters", (':allow,DIEMSG_MAXLOAD="",DIEMSG="a"',)),
    (b':allow,RELAY="Never"', 15, "keeps nobody from relaying by a grant", (':allow,RELAY="never"',)),
    (b':allow,relay="never"', 8, "in capital letters", (':allow,RELAY="never"',)),
    (b':allow,channel="internal"', 8, "in capital letters", (':allow,CHANNEL="internal"',)),
    (RELAY, 1, "the default rule lets everybody relay", (":allow",)),
    (b"=.example.org" + RELAY, 1, "a client chooses its own name", ()),
    (b"=" + RELAY, 1, "a client chooses its own name", ()),
    (b"joe@=host" + RELAY, 1, "a client chooses its own name", ()),
    (b"62." + RELAY, 1, "a /8 of public addresses", ()),
    (b"9-12." + RELAY, 1, "a /8 of public addresses", ()),
    (b"62.0-255." + RELAY, 1, "a /8 of public addresses", ()),
    (b"8.0.0.0/7" + RELAY, 1, "a /8 of public addresses", ()),
    (b"0.0.0.0/0" + RELAY, 1, "a /8 of public addresses", ()),
    (b"::ffff:0:0/96" + RELAY, 1, "a /8 of public addresses", ()),
    (b"::/0" + RELAY, 1, "an IPv6 /0", ()),
    (b"2001::/16" + RELAY, 1, "an IPv6 /16", ()),
    (b"127.0.0.1 allow", 1, "a line without a colon", ("127.0.0.1:allow",)),
    (b"10.1.=allow,X=''", 1, "a line without a colon", ("10.1.:allow,X=''",)),
    (b"10.1.=deny,X=''", 1, "a line without a colon", ("10.1.:deny",)),
    (b"clients we allow", 1, "a line without a colon", ()),
    (b"Deny 10.1.", 1, "a line without a colon", ("10.1.:deny",)),
    (b"deny", 1, "a line without a colon", (":deny",)),
    (b"127.0.0.1", 1, "a line without a colon", ()),
    (MARK + b"# rules", 1, "a line without a colon", ()),
]

#: The same for lines that tcprules refuses.
REFUSED: list[tuple[bytes, int, str, tuple[str, ...]]] = [
    (b":deny\r", 6, "a carriage return", (":deny",)),
    (MARK + b"# a: b", 1, "a byte order mark", ("# a: b",)),
    (b":Deny", 2, "deny is written in small letters", (":deny",)),
    (b":ALLOW,X='1'", 2, "allow is written in small letters", (":allow,X='1'",)),
    (b":denyx", 6, "behind deny stands a comma or nothing, not x", ()),
    (b"1.2.3.4: deny", 9, "a blank stands before deny", ("1.2.3.4:deny",)),
    (b":reject", 2, "not reject", (":deny",)),
    (b"::deny", 1, ": is no IPv6 address", ()),
    (b":", 2, "not nothing", ()),
    (b":deny,", 6, "nothing stands behind the comma", (":deny",)),
    (b":allow,X", 8, "the variable X has no value", (':allow,X=""',)),
    (':allow,A="\u00e9",B'.encode(), 14, "the variable B has no value", (':allow,A="\u00e9",B=""',)),
    (b":allow,X=", 10, "the variable X has no quoted value", (':allow,X=""',)),
    (b":allow,HIDE_IP=1", 16, "the value of HIDE_IP has no quotes", (':allow,HIDE_IP="1"',)),
    (b":allow,HIDE_IP=1,Y=no", 16, "the value of HIDE_IP has no quotes", (':allow,HIDE_IP="1",Y="no"',)),
    (b':allow,X= "a"', 10, "the value of X has no quotes", (':allow,X="a"',)),
    (b":Deny # c", 2, "deny is written in small letters", (":deny",)),
    (b'a.example:DENY,RBLSMTPD="-no"', 11, "small letters", ('=a.example:allow,RBLSMTPD="-no"',)),
    (b':allow,X="a', 10, 'the value of X has no " at its end', (':allow,X="a"',)),
    (b':allow,X="a" ,Y="b"', 13, "a blank stands before the comma", (':allow,X="a",Y="b"',)),
    (b':allow,X="a"Y="b"', 13, 'behind X="a" stands a comma', ()),
    (b"1.2.3.4:deny # c", 13, "a comment stands on a line of its own", ("1.2.3.4:deny",)),
    (b"  # a: b", 1, "a comment begins in column 1", ("# a: b",)),
    (b"my-host.example:deny", 3, "a host name begins with =", ("=my-host.example:deny",)),
    (b"1.2.3.a-b:deny", 8, "a - in an address is a range", ("=1.2.3.a-b:deny",)),
    (b"1.2.3.4:deny\0", 13, "behind deny stands", ()),
    (":allow,R=””".encode(), 10, "curly quotes (”) are no quotes", (':allow,R=""',)),
    (":allow,R=‘x’".encode(), 10, "curly quotes", (":allow,R='x'",)),  # noqa: RUF001  # that is the fault
    (b":allow,R=\x93x\x94", 10, "curly quotes", (':allow,R="x"',)),
    (b'<a href="mailto:a@b">a@b</a>:deny', 1, 'HTML (<a href="mailto:a@b">) stands in the line', ()),
    (b":allow,R=&quot;&quot;", 10, "HTML (&quot;) stands in the line", (':allow,R=""',)),
    (b"2001:db8::1/32:deny", 1, "the network is 2001:db8::/32", ()),
    (b"2001:db8::zz:deny", 1, "is no IPv6 address", ()),
    (b"2001:db8::/129:deny", 1, "/129 is no prefix length", ()),
    (b"fe80::1%eth0:deny", 1, "has a zone", ()),
    (b"joe@2001:db8::/32:deny", 5, "knows single addresses", ()),
    (b"1.2.3.4:25:deny", 1, "1.2.3.4:25 is no IPv6 address", ()),
]

FINE = [
    b"",
    b"# a: b",
    b"  # a comment that tcprules passes over",
    b"   ",
    b":deny",
    b"1.2.3.4:allow",
    b"1.2.3.:deny",
    b"1.:deny",
    b"1.2.3.4-9:deny",
    b"1.0-255.:deny",
    b"1.2-3.4.:deny",
    b"10.0.0.0/8:deny",
    b"10.0.0.0/9:deny",
    b"2001:db8::/32" + RELAY,
    b"fc00::/7" + RELAY,
    b"j@2001:db8::1:deny",
    b"=:deny",
    b"=host:deny",
    b"=.example.org:deny",
    b"=1host.example-2.org:deny",
    b"=a\\056b.example.org:deny",
    b"joe@1.2.3.4:deny",
    b"@1.2.3.4:deny",
    b"Joe@=host.example:deny",
    b"127." + RELAY,
    b"10." + RELAY,
    b"192.168.1." + RELAY,
    b"62.1." + RELAY,
    b"1-255.:deny",
    b"223.:deny",
    b"0-1.:deny",
    b"0.0.0.0/0:deny",
    b"::/0:deny",
    b"::1:deny",
    b"fe80::/10:deny",
    b':allow,MAXCONNIP="1",MAXCONNC="20",MAXLOAD="350",DIEMSG="421 no",DIEMSG_MAXLOAD="421 later"',
    b':allow,MAXLOAD="0",DATABYTES="0",MAXCONNIP="999999999"',
    b":allow,RBLSMTPD='-text',X=/a/  ",
]


def _one(line: bytes) -> Finding:
    found = list(line_findings(1, line))
    assert len(found) == 1, (line, found)
    return found[0]


@pytest.mark.parametrize(("line", "column", "sentence", "meant"), NEVER_MATCHES)
def test_a_rule_that_never_matches(line: bytes, column: int, sentence: str, meant: tuple[str, ...]) -> None:
    found = _one(line)

    assert sentence in found.sentence
    assert (found.column, found.meant, found.error) == (column, meant, False)
    assert any(words in found.sentence for words in ("never match", "matches nothing", "default rule", "stands before"))


@pytest.mark.parametrize(("line", "column", "sentence", "meant"), DANGEROUS)
def test_a_rule_that_does_something_else(line: bytes, column: int, sentence: str, meant: tuple[str, ...]) -> None:
    found = _one(line)

    assert sentence in found.sentence
    assert (found.column, found.meant, found.error) == (column, meant, False)


@pytest.mark.parametrize(("line", "column", "sentence", "meant"), REFUSED)
def test_why_a_line_is_refused(line: bytes, column: int, sentence: str, meant: tuple[str, ...]) -> None:
    found = _one(line)

    assert sentence in found.sentence
    assert (found.column, found.meant, found.error) == (column, meant, True)


@pytest.mark.parametrize("line", FINE)
def test_a_line_with_nothing_wrong(line: bytes) -> None:
    assert list(line_findings(1, line)) == []


@pytest.mark.parametrize("line", [line for line, _, _, _ in NEVER_MATCHES])
def test_what_is_said_never_to_match_never_does(line: bytes) -> None:
    get = table(line)

    for ip in (b"10.0.0.1", b"1.2.3.4", b"1.3.3.4", b"2.4.3.4", b"10.0.0.9", b"10.1.2.3", b"1.2.256.1"):
        for host in (None, b"host.example", b"badhost.net", b"mail.example.org", b"x.badhost.net", b"host"):
            for info in (None, b"a", b"bob", b"spamboy"):
                decided = match(get, ip, host, info)
                assert decided is None or line.startswith((b"1.2.3.5-", b"999", b"1.2.256"))


@pytest.mark.parametrize(
    ("line", "left"),
    [
        (b'62.1:allow, X=""', ('62.1.:allow,X=""',)),
        (b"62" + RELAY, ()),
        (b"all" + RELAY, (":allow",)),
        (b"1-2.3-4.:Deny # all", ("1.3-4.:deny", "2.3-4.:deny")),
        (b"spamboy@host :deny", ()),
    ],
)
def test_what_was_meant_has_no_flaw_left(line: bytes, left: tuple[str, ...]) -> None:
    """A suggestion is put right until nothing is wrong with it, and not offered where something stays wrong."""
    assert next(line_findings(1, line)).meant == left


def test_two_faults_of_one_line_are_both_told() -> None:
    found = list(line_findings(7, b'62.1:allow, X=""'))

    assert [(one.line, one.column) for one in found] == [(7, 1), (7, 12)]


def test_many_odd_variables_are_not_all_told() -> None:
    """One line cannot bury what is said about the others."""
    found = list(line_findings(1, b":allow" + b",x-y=''" * 100))

    assert len(found) == 6
    assert "more variables" in found[-1].sentence


_ADDRESS_PIECES = [
    b"1",
    b"25",
    b"256",
    b"01",
    b".",
    b"-",
    b"=",
    b"a",
    b"ex-1",
    b"B",
    b"@",
    b"@1-2-3",
    b"/",
    b":",
    b"::",
    b"#",
    b"*",
]
_RULE_PIECES = [b":deny", b":allow", b"deny", b",", b'X="y"', b"RELAYCLIENT", b'=""', b'"', b"\r", b"\0", b" ", b"\t"]
_PIECES = st.sampled_from([*_ADDRESS_PIECES, *_RULE_PIECES, MARK, "”".encode(), b"<b>"])
_LINES = st.lists(_PIECES, max_size=12).map(b"".join)


_ODD_ADDRESSES = st.lists(st.sampled_from([*_ADDRESS_PIECES, b"/24"]), max_size=9).map(b"".join)


@given(st.one_of(_LINES, _ODD_ADDRESSES.map(lambda address: address + b":deny")))
def test_every_suggestion_is_a_line_with_nothing_wrong(line: bytes) -> None:
    """Whatever is offered may be pasted as it stands."""
    for found in line_findings(1, line):
        for meant in found.meant:
            assert list(line_findings(1, meant.encode())) == []


_LONG = 30_000
_TOKENS = b': , = <a & &a - 1. 1 a a. / @ [ # *. ,X= ,x=\'y\' ,X="y" ,=" deny :deny ; \xe2\x80\x9d 1- \r \0'.split(b" ")
_TOKENS += [b" ", b"\t", b"deny ", b", =", b"; "]


@pytest.mark.parametrize("end", [b"", b":deny", b":allow", b",", b'="x"', b"!"], ids=repr)
@pytest.mark.parametrize("start", [b"", b":allow", b"1.2.3.4:allow,X="], ids=repr)
@pytest.mark.parametrize(
    "piece",
    _TOKENS,
    ids=repr,
)
def test_a_line_takes_time_by_its_length(piece: bytes, start: bytes, end: bytes) -> None:
    """Forty seconds for a line of 30,000 colons is what a web form must not be able to ask for."""
    line = start + piece * _LONG + end
    began = time.process_time()

    found = lint(line)

    assert time.process_time() - began < 2
    assert len(found) < 20
    assert all(len(one.sentence) < 300 for one in found)


@given(st.lists(_LINES, max_size=12))
def test_a_whole_source_is_told_line_by_line(lines: list[bytes]) -> None:
    """The quick pass over lines that are surely fine hides nothing, and numbers stay right."""
    expected = [found for number, line in enumerate(lines, 1) for found in line_findings(number, line)]

    found = [one for one in lint(text(lines)) if " decides about " not in one.sentence and "every " not in one.sentence]

    assert found == sorted(expected)


_ADDRESSES = st.sampled_from([b"1.2.3.4", b"1.2.3.", b"10.", b"256.", b"1.2", b"=a.b", b"=.b", b"=A", b"=1", b""])
_REST = st.sampled_from([b":deny", b":allow", b':allow,X="y"', RELAY, b':deny,X=" "', b":Deny", b":deny ", b""])


@given(st.lists(st.tuples(_ADDRESSES, _REST).map(b"".join), max_size=40))
def test_a_source_of_ordinary_lines_is_told_line_by_line(lines: list[bytes]) -> None:
    expected = [found for number, line in enumerate(lines, 1) for found in line_findings(number, line)]

    found = [one for one in lint(text(lines)) if " decides about " not in one.sentence and "every " not in one.sentence]

    assert found == sorted(expected)


def test_every_number_that_may_stand_in_an_address() -> None:
    """The quick pass knows octets as well as the slow one does."""
    numbers = [b"%0*d" % (width, number) for width in (1, 2, 3) for number in range(1000)]
    lines = [
        pattern % number + b":deny" for number in numbers for pattern in (b"%b.", b"1.%b.", b"1.2.%b.", b"1.2.3.%b")
    ]
    lines = list(dict.fromkeys(lines))

    found = {one.line for one in lint(text(lines)) if " never match" in one.sentence or "no client" in one.sentence}

    fine = {b"%d" % number for number in range(256)}
    first = {b"%d" % number for number in range(1, 224)}
    octets = [line[:-5].removesuffix(b".").split(b".") for line in lines]
    assert found == {number for number, (head, *rest) in enumerate(octets, 1) if head not in first or set(rest) - fine}


def test_a_last_line_without_its_newline_counts() -> None:
    assert [one.line for one in lint(b":deny\n10.0:deny")] == [2]
    assert lint(b"") == []
