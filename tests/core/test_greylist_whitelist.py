"""postgrey's whitelists: whom an entry lets in, and which lines are passed over."""

import pytest

from ucspi_py.core.expressions.search import TooLong
from ucspi_py.core.greylist.whitelist.clients import client_list, has_address, has_name
from ucspi_py.core.greylist.whitelist.lines import Expression, Source
from ucspi_py.core.greylist.whitelist.recipients import has_recipient, recipient_list


def _never(_expression: Expression) -> None:
    raise AssertionError("no search takes long")


@pytest.mark.parametrize(
    ("entry", "name", "expected"),
    [
        (b"Example.com # a comment", b"mx.eXample.com", True),
        (b"\t example.com \r", b"example.com", True),
        (b"example.com", b"anexample.com", False),
        (b"example.com", b"example.com.x", False),
        (b"#example.com", b"example.com", False),
        (b"/^mx\\d+\\.example\\.com$/", b"MX17.example.com", True),
        (b"/^mx\\d+\\.example\\.com$/", b"mx17.example.com.x", False),
        (b"/EXAMPLE/", b"an.example.com", True),
        (b"/a/b/", b"xa/bx", True),
        (b"unknown", b"unknown", True),
        (b"com", b"", False),
    ],
)
def test_a_client_by_its_name(entry: bytes, name: bytes, expected: bool) -> None:
    """A name and all below it, or an expression."""
    whitelist = client_list([Source("f", entry)])

    assert whitelist.flaws == ()
    assert has_name(whitelist, name, _never) is expected


@pytest.mark.parametrize(
    ("entry", "ip", "expected"),
    [
        (b"192.0.2.7", b"192.0.2.7", True),
        (b"192.0.2.7", b"192.0.2.8", False),
        (b"192.0.2.70/26", b"192.0.2.127", True),
        (b"192.0.2.70/26", b"192.0.2.128", False),
        (b"192.0.2", b"192.0.2.255", True),
        (b"192.0.2", b"192.0.3.0", False),
        (b"192.0", b"192.0.255.255", True),
        (b"192.0", b"192.1.0.0", False),
        (b"0.0.0.0/0", b"192.0.2.7", True),
        (b"0.0.0.0/0", b"2001:db8::1", False),
        (b"::/0", b"2001:db8::1", True),
        (b"::/0", b"192.0.2.7", False),
        (b"2001:DB8::7", b"2001:db8::7", True),
        (b"2001:db8:0:1::9/64", b"2001:db8:0:1:f::", True),
        (b"2001:db8:0:1::9/64", b"2001:db8:0:2::9", False),
        (b"192.0.2.7", b"unknown", False),
        (b"192.0.2.7", b"\xff", False),
    ],
)
def test_a_client_by_its_address(entry: bytes, ip: bytes, expected: bool) -> None:
    """An address, a network, or two or three octets of one."""
    whitelist = client_list([Source("f", entry)])

    assert whitelist.flaws == ()
    assert has_address(whitelist, ip) is expected


@pytest.mark.parametrize(
    ("entry", "recipient", "expected"),
    [
        (b"user@example.org", b"User@Example.org", True),
        (b"user@example.org", b"user+extension@example.org", True),
        (b"user@example.org", b"user+@example.org", False),
        (b"user@example.org", b"user+a+b@example.org", True),
        (b"user+a@example.org", b"user+a+b@example.org", True),
        (b"user+a@example.org", b"user@example.org", False),
        (b"user@example.org", b"anuser@example.org", False),
        (b"user@example.org", b"user@sub.example.org", False),
        (b"user@", b"user@anywhere", True),
        (b"user@", b"user+a@any@where", True),
        (b"user@", b"user", False),
        (b"example.org", b"any@example.org", True),
        (b"example.org", b"any@sub.example.org", True),
        (b"example.org", b"any@anexample.org", False),
        (b"example.org", b"example.org", False),
        (b"/^list-.*@EXAMPLE\\.org$/", b"List-17@example.org", True),
        (b"/^list-.*@example\\.org$/", b"alist-17@example.org", False),
    ],
)
def test_a_recipient(entry: bytes, recipient: bytes, expected: bool) -> None:
    """An address with its extensions, a user of any domain, a domain and all below it, or an expression."""
    whitelist = recipient_list([Source("f", entry)])

    assert whitelist.flaws == ()
    assert has_recipient(whitelist, recipient, _never) is expected


@pytest.mark.parametrize(
    ("entry", "sentence"),
    [
        (b"300.1.1.1", "it is no address and no network"),
        (b"192.0.2.0/33", "it is no address and no network"),
        (b"010.0.0.1", "it is no address and no network"),
        (b"300.1", "it is no address and no network"),
        (b"2001:db8::/129", "it is no address and no network"),
        (b"fe80::1%eth0/64", "it is no address and no network"),
        (b"192.0.2.0/255.255.255.0", "it is neither a name, nor a network, nor an expression between slashes"),
        (b"a name", "it is neither a name, nor a network, nor an expression between slashes"),
        (b"/an expression/", "it is neither a name, nor a network, nor an expression between slashes"),
        (b"/(/", "a ( has no )"),
        (b"/(?R)/", "is not translated"),
    ],
)
def test_a_line_about_clients_that_is_passed_over(entry: bytes, sentence: str) -> None:
    """It is named, and the others hold."""
    whitelist = client_list([Source("one", b"a.example\n\n" + entry + b"\nb.example"), Source("two", b"c.example")])

    (flaw,) = whitelist.flaws
    assert str(flaw).startswith("one line 3: ")
    assert sentence in str(flaw)
    assert whitelist.names == {b"a.example", b"b.example", b"c.example"}


def test_a_line_about_recipients_that_is_passed_over() -> None:
    """It is named, and the others hold."""
    whitelist = recipient_list([Source("one", b"postmaster@\na b\nabuse@")])

    assert [str(flaw) for flaw in whitelist.flaws] == [
        "one line 2: it is neither an address, nor a domain, nor an expression between slashes without a blank"
    ]
    assert whitelist.addresses == {b"postmaster@", b"abuse@"}


def test_a_search_that_takes_too_long_finds_nothing() -> None:
    """It is told where the expression stands, and the next one is asked."""
    whitelist, late = client_list([Source("f", b"/a/\n/b/")]), list[str]()

    def over(_text: bytes) -> None:
        raise TooLong

    first, second = whitelist.expressions
    whitelist = whitelist._replace(expressions=(first._replace(find=over), second))

    assert has_name(whitelist, b"ab", lambda one: late.append(str(one.place)))
    assert not has_name(whitelist, b"a", lambda one: late.append(str(one.place)))
    assert late == ["f line 1", "f line 1"]
