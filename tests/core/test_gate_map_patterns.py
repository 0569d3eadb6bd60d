"""regexp and pcre tables: the rows of the translation, actions with $1, if and endif."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ucspi_py.core.expressions.search import TooLong
from ucspi_py.core.gate.maps.parse import parse_table
from ucspi_py.core.gate.maps.patterns.table import pattern_table
from ucspi_py.core.gate.maps.table import told


@pytest.mark.parametrize(
    ("kind", "rule", "key", "value"),
    [
        ("both", b"/^spam@/ REJECT", b"SPAM@example", b"REJECT"),
        ("both", b"/^spam@/i REJECT", b"SPAM@example", None),
        ("both", b"/^spam@/ii REJECT", b"SPAM@example", b"REJECT"),
        ("both", b"!/example$/ REJECT", b"a.example", None),
        ("both", b"!/example$/ $$REJECT", b"a.org", b"$REJECT"),
        ("both", b"/(X)(b)/ <$1>$2", b"xb", b"<x>b"),
        ("both", b"/a.b/ OK", b"a\nb", b"OK"),
        ("both", b"/a.b/m OK", b"a\nb", {"regexp": None, "pcre": b"OK"}),
        ("both", b"/^b/m OK", b"a\nb", b"OK"),
        ("both", b"/a[^x]b/m OK", b"a\nb", {"regexp": None, "pcre": b"OK"}),
        ("both", b"/a$/ OK", b"a\n", {"regexp": None, "pcre": b"OK"}),
        ("both", rb"/[\s]/ OK", b" ", {"regexp": None, "pcre": b"OK"}),
        ("both", rb"/[a\]b]/ OK", b"ab]", b"OK"),
        ("both", b"/[[:alpha:]]{2}/ OK", b"1ab", b"OK"),
        ("both", rb"|a\|b| OK", b"a|b", b"OK"),
        ("both", b"/\xc3\xa9/ OK", b"\xc3\x89", None),
        ("both", b"/a{,2}$/ OK", b"b", {"regexp": b"OK", "pcre": None}),
        ("both", b"/^ab+?c/ OK", b"ac", {"regexp": b"OK", "pcre": None}),
        ("both", b"/[A-z]/ OK", b"_", {"regexp": None, "pcre": b"OK"}),
        ("both", rb"/\<ab\>/ OK", b"x ab y", {"regexp": b"OK", "pcre": None}),
        ("both", b"/(a)?(b)/ <$1> ${2} $(2) $$", b"xB", b"<> B B $"),
        ("regexp", rb"/\`a\'/ OK", b"a", b"OK"),
        ("regexp", b"/a**b/ OK", b"b", b"OK"),
        ("pcre", rb"/\d\h\x41\Q.*\E\e?$/ OK", b"5\tA.*", b"OK"),
        ("pcre", b"/a(?i)b|c/i OK", b"C", b"OK"),
        ("pcre", b"/a(?i)b|c/i OK", b"AB", None),
        ("pcre", b"/a b # c/x OK", b"ab", b"OK"),
        ("pcre", b"/b/A OK", b"ab", None),
        ("pcre", b"/a$/E OK", b"a\n", None),
        ("pcre", b"/a.b/s OK", b"a\nb", None),
        ("pcre", rb"/a\Z/ OK", b"a\n", b"OK"),
        ("pcre", rb"/a\z/ OK", b"a\n", None),
        ("pcre", rb"/(?<n>a)\k<n>/ OK", b"aA", b"OK"),
        ("pcre", rb"/(a)\g{-1}/ OK", b"ab", None),
        ("pcre", b"/[[:<:]]ab[[:>:]]/ OK", b"x ab y", b"OK"),
        ("pcre", b"/[[:^digit:][:word:]]/ OK", b"5", b"OK"),
        ("pcre", b"/a{2/ OK", b"a{2", b"OK"),
        ("pcre", rb"/^\R$/ OK", b"\r\n", b"OK"),
    ],
)
def test_an_expression_means_what_it_means_to_postfix(
    kind: str, rule: bytes, key: bytes, value: bytes | dict[str, bytes | None] | None
) -> None:
    """Where POSIX and Perl differ, each kind of table has its own meaning."""
    for one in ("regexp", "pcre") if kind == "both" else (kind,):
        table = parse_table(one, rule)

        assert told(table.flaws) == ""
        assert table.get(key) == (value[one] if isinstance(value, dict) else value), one


@pytest.mark.parametrize(
    ("kind", "rule", "sentence"),
    [
        ("regexp", rb"/\d/ OK", r"line 1: \d is known to pcre only"),
        ("regexp", b"/(?:a)/ OK", "line 1: (? is known to pcre only"),
        ("regexp", b"/[[.-.]]/ OK", "line 1: [.-.]] is no class of bytes"),
        ("regexp", b"/a/x OK", "line 1: 'x' is no flag that is translated; a value stands behind a blank"),
        ("regexp", b"/^*/ OK", "line 1: '*' has nothing before it that can be repeated"),
        ("regexp", b"/a{2/ OK", r"line 1: a { has no numbers and } behind it; a brace is written \{"),
        ("regexp", b"/[:alpha:]/ OK", "line 1: a class stands in two pairs of brackets, as in [[:alpha:]]"),
        ("pcre", b"/[:alpha:]/ OK", "line 1: a class stands in two pairs of brackets, as in [[:alpha:]]"),
        ("pcre", rb"/a\K/ OK", r"line 1: \K is not translated"),
        ("pcre", b"/a++/ OK", "line 1: a + behind a repeat, which then gives nothing back, is not translated"),
        ("pcre", b"/(?>a)/ OK", "line 1: (?>a is not translated"),
        ("pcre", b"/(?R)/ OK", "line 1: (?R) is not translated"),
        ("pcre", b"/(*UTF8)a/ OK", "line 1: (* is not translated"),
        ("pcre", b"/a/U OK", "line 1: 'U' is no flag that is translated; a value stands behind a blank"),
        ("pcre", b"/+a/ OK", "line 1: '+' has nothing before it that can be repeated"),
        ("pcre", b"# x\n/a/OK", "line 2: 'OK' is no flag that is translated; a value stands behind a blank"),
        ("pcre", b"/a OK", "line 1: the expression does not end in '/' as it begins"),
        ("pcre", b"/(a)/ $1b", "line 1: '$1b' is no $1; a dollar is written $$"),
        ("pcre", b"/(a)/ $0", "line 1: '$0' is no $1; a dollar is written $$"),
        ("pcre", b"/(a)/ $2", "line 1: $2 stands behind an expression with 1 groups"),
        ("pcre", b"!/(a)/ $1", "line 1: $1 stands behind an expression with ! and so for nothing"),
        ("pcre", b"/(a/ OK", "line 1: a ( has no )"),
        ("pcre", b"/a/", "line 1: there is no value behind the expression"),
        ("pcre", b"if /a/\n/b/ OK", "line 1: this if has no endif"),
        ("pcre", b"endif", "line 1: there is no if before this endif"),
        ("pcre", b"a OK", "line 1: it begins with no sign that could stand around an expression"),
        ("pcre", b"/" + 60 * b"(" + b"a" + 60 * b")" + b"/ OK", "line 1: groups stand too deep within groups"),
    ],
)
def test_what_is_not_known_is_an_error_with_its_line(kind: str, rule: bytes, sentence: str) -> None:
    """Nothing is guessed: a rule that is lost may be a REJECT."""
    assert told(parse_table(kind, rule).flaws).startswith(sentence)


@pytest.mark.parametrize("kind", ["regexp", "pcre"])
def test_a_block_holds_for_keys_that_its_if_holds_for(kind: str) -> None:
    """Blocks stand in blocks, and an if may have a !."""
    source = b"if /@/\nIF !/example/\n/./ other\nEndif\n/^a/ a\nendif\n/./ none\n"
    table = parse_table(kind, source)

    assert [table.get(key) for key in (b"b@elsewhere", b"a@example", b"b@example", b"b")] == [
        b"other",
        b"a",
        b"none",
        b"none",
    ]


def test_an_if_that_is_lost_is_one_flaw() -> None:
    """Its endif is none too many."""
    assert [flaw.line for flaw in pattern_table("pcre", b"if /(a/\n/b/ OK\nendif\n").flaws] == [1]


@pytest.mark.parametrize(
    ("kind", "rule", "warning"),
    [
        ("regexp", b"/^(a|ab)/ $1", "$1 may be shorter than in Postfix"),
        ("pcre", b"/spam/i REJECT", "the flag i makes capitals and small letters differ"),
        ("pcre", b"/spam/ REJECT # no", "the # and what is behind it belong to the value"),
    ],
)
def test_what_is_rarely_meant_is_warned_of(kind: str, rule: bytes, warning: str) -> None:
    """The table is used all the same."""
    flaws = parse_table(kind, rule).flaws

    assert [flaw.is_error for flaw in flaws] == [False]
    assert flaws[0].sentence.startswith(warning)


def test_a_rule_whose_search_takes_too_long_does_not_match() -> None:
    """The rules behind it are asked all the same, also where it has a ! or is an if."""

    def find(_text: bytes) -> None:
        raise TooLong

    table = pattern_table("pcre", b"/a/ first\n!/a/ second\nif /a/\n/b/ third\nendif\n/b/ last")
    for rule in table.rules[:3]:
        rule.find = find
    late: list[int] = []

    assert table.get(b"ab", late.append) == b"last"
    assert late == [1, 2, 3]


@given(
    st.sampled_from(["regexp", "pcre"]),
    st.text(st.sampled_from(r"ab(){}[]|*+?\.^$/:-<>=!,12i "), max_size=12),
    st.binary(max_size=6),
)
def test_any_text_is_an_expression_or_refused(kind: str, text: str, key: bytes) -> None:
    """Nothing but flaws comes of noise."""
    table = parse_table(kind, f"/{text}/ OK".encode())

    assert isinstance(table.get(key), bytes | None)


@given(st.sampled_from(["regexp", "pcre"]), st.binary(min_size=1, max_size=8))
def test_what_is_escaped_is_itself(kind: str, text: bytes) -> None:
    """Each byte that is no letter or number may have a backslash, four signs of GNU apart; case is nothing."""
    text = text.translate(None, b"\0\n\r\t\f\v /<>'`") or b"x"
    escaped = b"".join(bytes([byte]) if bytes([byte]).isalnum() else b"\\%c" % byte for byte in text)
    table = parse_table(kind, b"/^%b$/ OK" % escaped)

    assert told(table.flaws) == ""
    assert table.get(text.swapcase()) == b"OK"
    assert table.get(text + b"x") is None
