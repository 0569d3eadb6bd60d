"""What qmail's control files say, read as qmail reads them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ucspi_py.core.gate.control_files import databytes, first_line, greeting, hosts, is_known, is_ours, number
from ucspi_py.core.gate.settings import GateSettings
from ucspi_py.core.smtp.path import Path
from ucspi_py.core.smtp.settings import Greeting

SETTINGS = GateSettings()


@pytest.mark.parametrize(
    ("data", "line"),
    [
        (b"mx.example\n", b"mx.example"),
        (b"mx.example", b"mx.example"),
        (b"mx.example \t \nother\n", b"mx.example"),
        (b" mx\n", b" mx"),
        (b"\nmx\n", b""),
        (b"", b""),
    ],
)
def test_a_file_of_one_line(data: bytes, line: bytes) -> None:
    """Trailing blanks are cut, and nothing else is looked at."""
    assert first_line(data) == line


@pytest.mark.parametrize(("data", "expected"), [(b"1000\n", 1000), (b"1000 bytes\n", 1000), (b"x\n", 0), (b"", 0)])
def test_a_file_of_one_number(data: bytes, expected: int) -> None:
    """The digits at its start."""
    assert number(data) == expected


def test_a_file_of_hosts() -> None:
    """Comments, blank lines and blanks at the end count for nothing; a comment is one from the first column on."""
    assert hosts(b"# ours\nOurs.Example \t\n\n.below.example\n #not\nlast.example") == {
        b"ours.example",
        b".below.example",
        b" #not",
        b"last.example",
    }


@pytest.mark.parametrize(
    ("domain", "expected"),
    [
        (b"ours.example", True),
        (b"OURS.example", True),
        (b"a.ours.example", False),
        (b"below.example", False),
        (b"a.below.example", True),
        (b"b.a.Below.example", True),
        (b"xbelow.example", False),
        (b"example", False),
        (b"other.example", False),
        (b"", False),
        (b".below.example", True),
        (b"[192.0.2.1]", False),
    ],
)
def test_a_domain_is_in_rcpthosts(domain: bytes, expected: bool) -> None:
    """By its name, or by that of a domain above with a dot before it."""
    listed = hosts(b"ours.example\n.below.example\n")

    assert is_ours(domain, listed, None) is expected
    assert is_ours(domain, frozenset(), dict.fromkeys(listed, b"").get) is expected


@given(st.text("ab.", max_size=12), st.lists(st.text("ab.", min_size=1, max_size=6), max_size=5))
def test_a_domain_is_in_rcpthosts_as_qmail_finds_it(domain: str, listed: list[str]) -> None:
    """rcpthosts.c: the domain, or what of it begins with a dot, is a line."""
    found = any((not j or domain[j] == ".") and domain[j:] in listed for j in range(len(domain)))

    assert is_ours(domain.encode(), hosts("\n".join(listed).encode()), None) == found


VALID = {
    b"joe@ours.example": b"",
    b"list-default@ours.example": b"",
    b"list-owner@ours.example": b"-",
    b"a-b-default@ours.example": b"x",
    b"@all.example": b"",
    b"gone@all.example": b"-",
    b"local": b"",
}


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        (b"joe@ours.example", True),
        (b"JOE@Ours.Example", True),
        (b"jim@ours.example", False),
        (b"joe-x@ours.example", False),
        (b"list-x@ours.example", True),
        (b"list-x-y@ours.example", True),
        (b"list@ours.example", False),
        (b"list-owner@ours.example", False),
        (b"a-b-c@ours.example", True),
        (b"a-c@ours.example", False),
        (b"anybody@all.example", True),
        (b"gone@all.example", False),
        (b"joe@other.example", False),
        (b"local", True),
        (b"joe", False),
    ],
)
def test_a_recipient_is_in_validrcptto(address: bytes, expected: bool) -> None:
    """The nearest key decides, and its value may say that there is nobody."""
    local, at, domain = address.rpartition(b"@")

    assert is_known(Path(local, domain) if at else Path(domain, None), VALID.get) is expected


@pytest.mark.parametrize(
    ("variable", "said", "expected"),
    [(None, None, 0), (None, 500, 500), (b"900", 500, 900), (b"0", 500, 0), (b"", 500, 0), (b"x", 500, 0)],
)
def test_the_variable_stands_over_the_file(variable: bytes | None, said: int | None, expected: int) -> None:
    """As for qmail-smtpd, whatever is in it."""
    environment = {} if variable is None else {b"DATABYTES": variable}

    assert databytes(environment, said) == expected


@pytest.mark.parametrize(
    ("ours", "most", "size", "content_limit"),
    [
        (None, 0, 0, 0),
        (None, 500, 500, 0),
        (0, 500, 500, 0),
        (300, 0, 300, 300),
        (300, 500, 300, 300),
        (700, 500, 500, 0),
        (500, 500, 500, 0),
    ],
)
def test_the_smaller_limit_counts(ours: int | None, most: int, size: int, content_limit: int) -> None:
    """Where the backend's is the smaller one it refuses the message itself."""
    said = greeting(GateSettings(message_size_limit=ours), b"mx", None, most)

    assert (said.size, said.content_limit) == (size, content_limit)


def test_the_banner_is_qmail_s() -> None:
    """smtpgreeting, or our name."""
    assert greeting(SETTINGS, b"mx.example", None, 0) == Greeting(b"mx.example", b"mx.example ESMTP")
    assert greeting(SETTINGS, b"mx.example", b"front.example hello", 0) == Greeting(
        b"mx.example", b"front.example hello ESMTP"
    )


def test_a_banner_of_ones_own() -> None:
    """Our name stands where the operator wants it."""
    settings = GateSettings(smtpd_banner=(b"", b" ESMTP ", b"!"))

    assert greeting(settings, b"mx", b"front", 0).banner == b"mx ESMTP mx!"
