"""Records back to source."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.rules_tools import text
from ucspi_py.core.rules import ipv6 as rules_ipv6
from ucspi_py.core.rules.dump import dump, dumped, instructions_text, rule_text
from ucspi_py.core.rules.source import Record, compiled


def _records(source: bytes) -> list[Record]:
    return list(compiled(source))


@pytest.mark.parametrize(
    "line",
    [
        b":deny",
        b"1.2.3.4:allow",
        b'10.:allow,RELAYCLIENT="",X="a b"',
        b"=host:deny,X='\"'",
        b'a@=b:allow,X="\'"',
        b":allow,X=/\"'/",
        b"2001:db8::/32:deny",
        b"2001:db8::1:deny",
        b"joe@::1:deny",
        b"::/0:deny",
        b' 1.2.3.4 :allow, X=" "',
    ],
)
def test_what_is_said_in_the_usual_way_comes_back_as_it_was(line: bytes) -> None:
    (back,) = dump(_records(line))

    assert back.text == line


@pytest.mark.parametrize(
    ("record", "line"),
    [
        ((b"10.0.0.0/8", b"D\0"), b"10-10.0.0.0/8:deny"),
        ((b"1.3-4.", b""), b"1-1.3-4.:allow"),
        ((b"", b"+X=a\0D\0"), b':allow,X="a\0D"'),
        ((b"", b"D\0+X=1\0"), b':deny,X="1"'),
        ((b"", b"+X=\"'/|!%+\0"), b":allow,X=#\"'/|!%+#"),
    ],
)
def test_what_could_be_read_otherwise_is_said_with_care(record: Record, line: bytes) -> None:
    assert dumped(record).text == line
    assert _records(line) == [record]


@pytest.mark.parametrize(
    "record",
    [
        (b"#", b""),
        (b"a:b", b""),
        (b"a\nb", b""),
        (b"a-b", b""),
        (b"", b"Zfoo\0"),
        (b"", b"+X\0"),
        (b"", b"D"),
        (b"", b"+X=\n\0"),
        (b"2001:DB8::1", b""),
        (b":01x", b""),
    ],
)
def test_what_no_source_compiles_to_is_told(record: Record) -> None:
    assert dumped(record).text is None
    assert rule_text(*record)


def test_provenance_is_told_beside_the_rule() -> None:
    (one, two) = dump(compiled(b"# c\n10.:deny\n1.2.3.4:allow\n", b"tcp.smtp"))

    assert (one.text, one.source, two.text, two.source) == (b"10.:deny", b"tcp.smtp:2", b"1.2.3.4:allow", b"tcp.smtp:3")
    assert instructions_text(one.record[1]) == "deny"


def test_the_list_of_prefix_lengths_comes_by_itself() -> None:
    records = _records(b"2001:db8::/32:deny\n::/0:allow\n")

    lines = [line.text or b"" for line in dump(records)]

    assert records[-1][0] == rules_ipv6.LENGTHS
    assert _records(text(lines)) == records


_DJBS = [b"1.2.3.4", b"1.2-4.", b"1-2.3-4.", b"10-10.0.0.0/8", b"10.0.0.1/8", b"a-b.c/8@=d", b"=a-b", b"", b" a", b"#"]
_OURS = [b"10.0.0.0/8", b"10.0.0.0/13", b"0.0.0.0/1", b"::ffff:0:0/97", b"2001:db8::/33", b"[::1]", b"x@::1", b"::/0"]
_ADDRESSES = st.sampled_from(_DJBS + _OURS)
_VALUES = st.lists(st.sampled_from([b"a", b"D", b"+", b"=", b"\0", b"'", b",", b":", b"#", b"\t", b"\xff"]), max_size=5)


@given(st.lists(st.tuples(_ADDRESSES, st.booleans(), st.lists(_VALUES.map(b"".join), max_size=3)), max_size=10))
def test_the_dump_compiles_to_the_same_records(rules: list[tuple[bytes, bool, list[bytes]]]) -> None:
    lines = []
    for address, deny, values in rules:
        variables = b"".join(b',V%d="%b"' % (number, value) for number, value in enumerate(values))
        lines.append(address + (b":deny" if deny else b":allow") + variables)
    records = _records(text(lines))

    back = [line.text for line in dump(records)]

    assert None not in back
    assert _records(text([line or b"" for line in back])) == records
