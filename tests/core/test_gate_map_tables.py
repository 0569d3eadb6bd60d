"""Tables of lines, of networks, and those that stand in main.cf."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ucspi_py.core.gate.maps.names import KINDS
from ucspi_py.core.gate.maps.parse import parse_table
from ucspi_py.core.gate.maps.table import Flaw, told

_SOURCE = b"""\
# who may send
Spam@Example.com  REJECT  go away
 # why not
\tplease # this too
example.com OK
EXAMPLE.com REJECT
lonely
"""


@pytest.mark.parametrize("kind", ["texthash", "hash", "btree", "lmdb"])
def test_the_source_of_an_indexed_table_is_read_as_postmap_reads_it(kind: str) -> None:
    """Lines are continued, keys have no case, the first of two counts, and flaws have their lines."""
    table = parse_table(kind, _SOURCE)

    assert table.get(b"spam@EXAMPLE.com") == b"REJECT  go away\tplease # this too"
    assert table.get(b"example.com") == b"OK"
    assert table.get(b"lonely") is None
    assert [(flaw.line, flaw.is_error) for flaw in table.flaws] == [(6, False), (7, False)]
    assert told(table.flaws) == ""


@pytest.mark.parametrize(
    ("source", "key", "value"),
    [
        (b"10.0.0.0/8 OK", b"10.1.2.3", b"OK"),
        (b"10.0.0.0/8 OK", b"11.1.2.3", None),
        (b"10.0.0.0/8 OK", b"host.example", None),
        (b"!10.0.0.0/8 OK", b"11.1.2.3", b"OK"),
        (b"!10.0.0.0/8 OK", b"::1", None),
        (b"if 10.0.0.0/8\n10.1.0.0/16 REJECT\nendif\n0.0.0.0/0 OK", b"10.1.2.3", b"REJECT"),
        (b"if !10.0.0.0/8\n0.0.0.0/0 REJECT\nendif\n0.0.0.0/0 OK", b"10.1.2.3", b"OK"),
        (b"[2001:db8::]/32 OK", b"2001:DB8:0::5", b"OK"),
        (b"::/0 OK", b"10.0.0.1", None),
    ],
)
def test_the_first_network_around_an_address_decides(source: bytes, key: bytes, value: bytes | None) -> None:
    """Names have no value, and a network holds addresses of its own family, also where it is negated."""
    assert parse_table("cidr", source).get(key) == value


@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        (b"10.0.0.0/8 OK\n10.0.0.1/8 OK", "line 2: 10.0.0.1/8: it has bits beyond its prefix"),
        (b"10.0.0.0/8", "line 1: there is a network and no value behind it"),
        (b"if 10.0.0.0/8\n10.0.0.1 OK", "line 1: this if has no endif"),
        (b"endif", "line 1: there is no if before this endif"),
        (b" 10.0.0.0/8 OK", "line 1: a blank at its start continues a line, and there is none"),
    ],
)
def test_a_network_that_postfix_passes_over_is_an_error(source: bytes, sentence: str) -> None:
    """What is lost might be a REJECT."""
    assert told(parse_table("cidr", source).flaws) == sentence


@pytest.mark.parametrize(
    ("kind", "text", "key", "value"),
    [
        ("static", b"OK", b"any", b"OK"),
        ("static", b"{ REJECT go away }", b"any", b"REJECT go away"),
        ("inline", b"{a=b, {C = REJECT no, never} a=last}", b"c", b"REJECT no, never"),
        ("inline", b"{a=b, {C = REJECT no, never} a=last}", b"A", b"last"),
        ("inline", b"{a=b}", b"b", None),
    ],
)
def test_a_table_may_stand_in_main_cf(kind: str, text: bytes, key: bytes, value: bytes | None) -> None:
    """Braces are around all of it, and around a pair with blanks."""
    table = parse_table(kind, text)

    assert table.flaws == ()
    assert table.get(key) == value


@pytest.mark.parametrize("text", [b"", b"{}", b"{ }", b"a=b", b"{a}", b"{a=}", b"{{a=b}c}", b"{a=b}}"])
def test_what_is_no_table_in_main_cf_is_an_error(text: bytes) -> None:
    """It has no lines, and so the sentence names none."""
    flaws = parse_table("inline", text).flaws

    assert flaws[0] == Flaw(0, flaws[0].sentence)
    assert told(flaws) == flaws[0].sentence


@given(st.sampled_from([kind for kind in KINDS if kind != "cdb"]), st.binary(max_size=200), st.binary(max_size=50))
def test_any_bytes_are_a_table_or_have_flaws(kind: str, source: bytes, key: bytes) -> None:
    """Nothing is raised, and nothing goes on for ever."""
    table = parse_table(kind, source)

    assert all(flaw.line >= 0 and flaw.sentence for flaw in table.flaws)
    assert isinstance(table.get(key), bytes | None)


@given(st.dictionaries(st.from_regex(rb"[a-z0-9.@-]+", fullmatch=True), st.from_regex(rb"[!-~]+", fullmatch=True)))
def test_what_is_written_is_found(values: dict[bytes, bytes]) -> None:
    """Each key of a source has its value, in any case."""
    table = parse_table("texthash", b"".join(b"%b\t%b\n" % record for record in values.items() if record[0]))

    assert {key: table.get(key.upper()) for key in values} == values
