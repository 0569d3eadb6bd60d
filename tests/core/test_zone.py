"""One zone as the operator writes it."""

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ucspi_py.core.dns.message import A, question
from ucspi_py.core.dnsbl.zone import Zone, parse
from ucspi_py.core.errors import AskedWrongly

BL = Zone(b"bl.example", b"bl.example")
ANY = frozenset(range(256))


def octets(*sets: set[int]) -> tuple[frozenset[int], ...]:
    """127.0.0 and then the last ones."""
    first = [frozenset({127}), frozenset({0}), frozenset({0})]
    return (*first[: 4 - len(sets)], *map(frozenset, sets))


#: With the reversed address before it, a name of 255 bytes.
LONGEST = ".".join(["x" * 59] * 3 + ["x" * 57])

ZONES: list[tuple[str, Zone]] = [
    ("bl.example", BL),
    ("bl.example.", dataclasses.replace(BL, name=b"bl.example.", alias=b"bl.example.")),
    ("short@key.bl.example", dataclasses.replace(BL, name=b"key.bl.example", alias=b"short")),
    ("bl.example+v6", dataclasses.replace(BL, ipv6=True)),
    ("bl.example+notest", dataclasses.replace(BL, tested=False)),
    ("bl.example+notest+v6", dataclasses.replace(BL, tested=False, ipv6=True)),
    ("bl.example=127.0.0.2", dataclasses.replace(BL, codes=octets({2}))),
    ("bl.example=127.0.0.[2..4;40]", dataclasses.replace(BL, codes=octets({2, 3, 4, 40}))),
    ("bl.example=127.0.[0..255].[1;3;5]", dataclasses.replace(BL, codes=octets(set(ANY), {1, 3, 5}))),
    ("bl.example=127.0.0.[7]", dataclasses.replace(BL, codes=octets({7}))),
    ("bl.example*3", dataclasses.replace(BL, weight=3)),
    ("bl.example*-3", dataclasses.replace(BL, weight=-3)),
    ("bl.example*0", dataclasses.replace(BL, weight=0)),
    ("bl.example:see http://x/?%IP%*3", dataclasses.replace(BL, text=b"see http://x/?%IP%*3")),
    ("bl.example:", BL),
    ("bl.example:a\nb", dataclasses.replace(BL, text=b"a\nb")),
    ("bl.example:\udce9", dataclasses.replace(BL, text=b"\xe9")),
    (
        "s@k.bl.example+v6+notest=127.0.0.2*-5:no",
        Zone(b"k.bl.example", b"s", codes=octets({2}), weight=-5, text=b"no", ipv6=True, tested=False),
    ),
    ("x" * 63, Zone(b"x" * 63, b"x" * 63)),
    ("_dnsbl.xn--mnchen-3ya.Example", Zone(b"_dnsbl.xn--mnchen-3ya.Example", b"_dnsbl.xn--mnchen-3ya.Example")),
    ("bl", Zone(b"bl", b"bl")),
    ("2.bl", Zone(b"2.bl", b"2.bl")),
    (LONGEST, Zone(LONGEST.encode(), LONGEST.encode())),
    ("bl.example:see 2001", dataclasses.replace(BL, text=b"see 2001")),
]

WRONG = [
    "",
    "@bl.example",
    "a@b@bl.example",
    "bl.example+v7",
    "bl.example+",
    "+v6",
    "=127.0.0.2",
    "bl.example=",
    "bl.example=127.0.0",
    "bl.example=127.0.0.2.3",
    "bl.example=127.0.0.256",
    "bl.example=127.0.0.[2..256]",
    "bl.example=127.0.0.[4..2]",
    "bl.example=127.0.0.[]",
    "bl.example=127.0.0.[2..]",
    "bl.example=127.0.0.[2,3]",
    "bl.example=127.0.0.2-4",
    "bl.example=127.0.0.x",
    "bl.example=127.0.0.[0..99999999999]",
    "bl.example=127.0.0.٢",
    "bl.example*",
    "bl.example*x",
    "bl.example*+1",
    "bl.example*٢",
    "bl.example*99999",
    "bl.example*3=127.0.0.2",
    "bl.example=127.0.0.2+v6",
    "bl.example=10.0.0.2",
    "bl.example=[1..126].0.0.2",
    "bl.example=127.255.255.[0..255]",
]

#: What is no zone, and the word that says why.
NO_ZONES = [
    ("a.test b.test", "'test b' is no label"),
    ("a.test\tb.test", "is no label"),
    (" bl.example", "' bl' is no label"),
    ("bl.example ", "'example ' is no label"),
    ("a.test,b.test", "'test,b' is no label"),
    ("a,b", "'a,b' is no label"),
    ("http://bl.example/", "a URL is no zone"),
    ("https://bl.example/", "a URL is no zone"),
    ("bl.example/24", "'example/24' is no label"),
    ("zen..example", "empty label"),
    (".bl.example", "empty label"),
    ("bl.example..", "empty label"),
    (".", "empty label"),
    ("192.0.2.1", "an address is no zone"),
    ("192.0.2", "an address is no zone"),
    ("2001:db8::1", "an address is no zone"),
    ("[2001:db8::1]", "is no label"),
    ("bl.example:53", "a zone has no port"),
    ("$ZONE", "'$ZONE' is no label"),
    ("-r", "'-r' is no label"),
    ("bl.example-", "is no label"),
    ("bl.\u00e9xample", "is no label"),
    ("bl.\x00", "is no label"),
    ("bl.example;", "is no label"),
    ("x" * 64, "longer than 63"),
    ("x" + LONGEST, "too long"),
    (LONGEST[:190] + "+v6", "too long"),
    ("my key@bl.example", "'my key' has a blank"),
]

numbers = st.integers(0, 255)
pieces = numbers.map(str) | st.tuples(numbers, numbers).map(lambda pair: "{}..{}".format(*sorted(pair)))
places = numbers.map(str) | st.lists(pieces, min_size=1, max_size=4).map(lambda found: f"[{';'.join(found)}]")


@pytest.mark.parametrize(("words", "expected"), ZONES, ids=repr)
def test_a_zone(words: str, expected: Zone) -> None:
    """Name first, then what is asked of it, then what is done with the answer."""
    assert parse(words) == expected


@pytest.mark.parametrize("words", WRONG, ids=repr)
def test_a_zone_that_is_wrong(words: str) -> None:
    """It is said at the start, not when a client comes."""
    with pytest.raises(AskedWrongly):
        parse(words)


@pytest.mark.parametrize(("words", "why"), NO_ZONES, ids=repr)
def test_what_is_no_zone_is_named(words: str, why: str) -> None:
    """It could never list anybody: the sentence has the word, what was expected, and what is wrong."""
    with pytest.raises(AskedWrongly) as wrong:
        parse(words)

    assert f"'{words}'" in wrong.value.sentence
    assert "[alias@]name" in wrong.value.sentence
    assert why in wrong.value.sentence


@given(st.from_regex(r"[a-z_]([a-z0-9_-]{0,20}[a-z0-9_])?(\.[a-z][a-z0-9]{0,20}){0,5}\.?", fullmatch=True))
def test_a_domain_name_is_a_zone_that_can_be_asked(name: str) -> None:
    """Whatever name is taken, a question can be made of it."""
    zone = parse(name)
    question(b"255.255.255.255." + zone.name, A)

    assert zone.name == name.encode()


def test_the_flags_before_a_zone() -> None:
    """What -a, -b and -c have said is kept with it."""
    zone = parse("bl.example", allow=True, bounce=True, fail_closed=True)

    assert zone == dataclasses.replace(BL, allow=True, bounce=True, fail_closed=True)


@pytest.mark.parametrize(
    ("words", "allow", "expected"),
    [
        ("bl.example", False, False),
        ("bl.example*3", False, False),
        ("bl.example=127.0.0.2", False, True),
        ("bl.example:text", False, True),
        ("bl.example", True, True),
    ],
)
def test_where_an_address_alone_lists(words: str, allow: bool, expected: bool) -> None:
    """Codes or a text ask for it; plain -r is C's and wants a TXT record."""
    assert parse(words, allow=allow).address_lists == expected


@given(st.lists(places, min_size=4, max_size=4), st.binary(min_size=4, max_size=4))
def test_codes_count_what_they_say(words: list[str], address: bytes) -> None:
    """The parsed form agrees with the words read number by number."""
    try:
        zone = parse(f"bl.example={'.'.join(words)}")
    except AskedWrongly:
        assert not _names(words[0], 127) or all(_is_only(word, 255) for word in words[1:3])
        return

    assert zone.counts(address) == all(_names(word, octet) for word, octet in zip(words, address, strict=True))


@given(st.text())
def test_any_text_is_a_zone_or_wrong(words: str) -> None:
    """No other error, and never an empty name."""
    try:
        zone = parse(words)
    except (AskedWrongly, UnicodeEncodeError):
        return
    assert zone.name
    assert zone.alias
    question(b"255.255.255.255." + zone.name, A)


def _is_only(word: str, number: int) -> bool:
    return [octet for octet in range(256) if _names(word, octet)] == [number]


def _names(word: str, octet: int) -> bool:
    for piece in word.strip("[]").split(";"):
        first, _, last = piece.partition("..")
        if int(first) <= octet <= int(last or first):
            return True
    return False
