"""The rules language, line by line."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ucspi_py.core.errors import UnparsableLine
from ucspi_py.core.rules.data import instructions
from ucspi_py.core.rules.djb_source import records

Records = list[tuple[bytes, bytes]]

ACCEPTED: list[tuple[bytes, Records]] = [
    (b"1.2.3.4:allow", [(b"1.2.3.4", b"")]),
    (b"1.2.3.4:deny", [(b"1.2.3.4", b"D\0")]),
    (b":deny", [(b"", b"D\0")]),
    (b"=.example.org:allow", [(b"=.example.org", b"")]),
    (b"joe@1.2.3.4:deny", [(b"joe@1.2.3.4", b"D\0")]),
    (b'127.:allow,RELAYCLIENT=""', [(b"127.", b"+RELAYCLIENT=\0")]),
    (b':deny,A=xbx,C="d\'e"', [(b"", b"D\0+A=b\0+C=d'e\0")]),
    (b":allow,A==b=", [(b"", b"+A=b\0")]),
    (b":allow,A=,b,,C=:d:", [(b"", b"+A=b\0+C=d\0")]),
    (b":allow,A=\0b\0", [(b"", b"+A=b\0")]),
    (b':allow, A="b"', [(b"", b"+ A=b\0")]),
    (b':allow,,A="b"', [(b"", b"+,A=b\0")]),
    (b':allow,="b"', [(b"", b"+=b\0")]),
    (b':allow,A="b\0D"', [(b"", b"+A=b\0D\0")]),
    (b":allow,\xff=\xe9\x80\xe9", [(b"", b"+\xff=\x80\0")]),
    (b"1.2.3.4:deny \t \n", [(b"1.2.3.4", b"D\0")]),
    (b" 1.2.3.4:deny", [(b" 1.2.3.4", b"D\0")]),
    (b" #1.2.3.4:deny", [(b" #1.2.3.4", b"D\0")]),
    (b"10.0.0.0/8:deny", [(b"10.0.0.0/8", b"D\0")]),
]

NOTHING = [b"", b"\n", b" \t\n", b"# 1.2.3.4:deny\n", b"#", b"1.2.3.4 deny\n", b"allow", b"-"]

RANGES: list[tuple[bytes, list[bytes]]] = [
    (b"1.2.3.4-6", [b"1.2.3.4", b"1.2.3.5", b"1.2.3.6"]),
    (b"1.2-3.4.", [b"1.2.4.", b"1.3.4."]),
    (b"9-11.", [b"9.", b"10.", b"11."]),
    (b"1.2.3.007-8", [b"1.2.3.7", b"1.2.3.8"]),
    (b"1.2.3.254-999", [b"1.2.3.254", b"1.2.3.255"]),
    (b"1.2.3.5-5", [b"1.2.3.5"]),
    (b"1.2.3.9-5", []),
    (b"1.2.3.256-999", []),
    (b"1.2.3.5-", []),
    (b"1-2.3-4.", [b"1.3-4.", b"2.3-4."]),
    (b"-", [b"0"]),
    (b"-2", [b"0", b"1", b"2"]),
    (b"18446744073709551615-5.", []),
    (b"18446744073709551616-1.", [b"0.", b"1."]),
    (b"1\0x-2.", [b"1.", b"2."]),
    (b"joe@1.2.3.4-6", [b"joe@1.2.3.4-6"]),
    (b"=a-b.example", [b"=a-b.example"]),
    (b"a-b=", [b"a-b="]),
]

REJECTED = [
    b"1.2.3.4: deny",
    b":Deny",
    b":denyx",
    b":den",
    b":allowed",
    b":",
    b"::deny",
    b":deny,",
    b":allow,X",
    b":allow,X=",
    b':allow,X="a',
    b':allow,X="',
    b':allow,X="a" ,Y="b"',
    b':allow,X="a"b,Y="c"',
    b"1.2.3.4:deny # no comment here",
    b":deny\r",
    b"1.2.3.4:deny\0",
    b"2001:db8::1:deny",
    b"my-host.example:deny",
    b"1.2.3.a-b:deny",
    b"1.2.3. 4-5:deny",
    b"1--2:deny",
]

addresses = st.binary(max_size=20).map(lambda raw: raw.translate(None, b":-\n#"))
names = st.binary(max_size=8).map(lambda raw: raw.translate(None, b"=\n\0"))
values = st.binary(max_size=8).map(lambda raw: raw.translate(None, b"\n\0"))
few = st.sampled_from(
    [b":allow", b':allow,A="b"', b":deny", b':deny,A="b"', b"1-2:deny", b"#:x", b":x", b"", b":deny "]
)
quotes = st.sampled_from([bytes([byte]) for byte in range(256) if byte not in b"\n \t"])


@pytest.mark.parametrize(("line", "expected"), ACCEPTED, ids=repr)
def test_a_line_has_its_records(line: bytes, expected: Records) -> None:
    """Words, variables with any quote, and raw bytes."""
    assert list(records([line])) == expected


@pytest.mark.parametrize("line", NOTHING, ids=repr)
def test_a_line_without_a_rule_has_no_records(line: bytes) -> None:
    """Comments begin in the first column; a line without a colon is passed over."""
    assert list(records([line])) == []


@pytest.mark.parametrize(("address", "keys"), RANGES, ids=repr)
def test_a_range_is_expanded(address: bytes, keys: list[bytes]) -> None:
    """The first dash, inside one octet, and never behind = or @."""
    assert list(records([address + b":deny"])) == [(key, b"D\0") for key in keys]


@pytest.mark.parametrize("line", REJECTED, ids=repr)
def test_a_line_outside_the_language_is_shown(line: bytes) -> None:
    """Up to its first NUL, as C shows it, with exit code 100."""
    with pytest.raises(UnparsableLine) as caught:
        list(records([line + b" \t\n"]))

    shown = line.partition(b"\0")[0]
    assert caught.value.sentence.encode("utf-8", "surrogateescape") == b"unable to parse this line: " + shown
    assert caught.value.exit_code == 100


def test_records_before_a_bad_line_are_given() -> None:
    """The caller meets the error where the line stands, so that it can stop there."""
    given_records = records([b"1.2.3.4:deny\n", b"bad:line\n", b"5.6.7.8:deny\n"])

    assert next(given_records) == (b"1.2.3.4", b"D\0")
    with pytest.raises(UnparsableLine):
        next(given_records)


@given(addresses, st.booleans(), st.lists(st.tuples(names, values, quotes), max_size=4))
def test_what_is_written_is_what_is_stored(
    address: bytes, deny: bool, variables: list[tuple[bytes, bytes, bytes]]
) -> None:
    """Any address, names and values come back from the record; what a quote ends is over."""
    variables = [(name, value.replace(quote, b""), quote) for name, value, quote in variables]
    source = b"deny" if deny else b"allow"
    source += b"".join(b",%b=%b%b%b" % (name, quote, value, quote) for name, value, quote in variables)

    ((key, data),) = records([address + b":" + source + b"\n"])

    assert key == address
    assert instructions(data).deny == deny
    assert instructions(data).variables == tuple((name, value) for name, value, _ in variables if name)


@given(st.lists(few | st.binary(max_size=30).map(lambda raw: raw.replace(b"\n", b"")), max_size=8))
def test_lines_know_nothing_of_each_other(lines: list[bytes]) -> None:
    """All at once or one by one, with a newline or without: the same records, or the same error at the same line."""
    expected = [outcome([line]) for line in lines]
    bad = next((number for number, (_, error) in enumerate(expected) if error), len(expected))

    together, error = outcome([line + b"\n" for line in lines])

    assert together == [record for found, _ in expected[: bad + 1] for record in found]
    assert error == (expected[bad][1] if bad < len(expected) else "")


@given(st.lists(st.sampled_from([b"allow", b"deny", b",", b"A", b"=", b'"', b"x", b" ", b":", b"1-3", b"."])))
def test_any_line_has_records_or_is_shown(words: list[bytes]) -> None:
    """There is no third way; and what is stored can be read."""
    found, _ = outcome([b"".join(words)])

    for _, data in found:
        instructions(data)


def outcome(lines: list[bytes]) -> tuple[Records, str]:
    """The records up to the first error, and its sentence."""
    found = []
    try:
        for record in records(lines):
            found.append(record)
    except UnparsableLine as error:
        return found, error.sentence
    return found, ""
