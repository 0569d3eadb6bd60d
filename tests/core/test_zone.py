"""One zone as the operator writes it."""

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ucspi_py.core.errors import AskedWrongly
from ucspi_py.core.zone import Zone, parse

BL = Zone(b"bl.example", b"bl.example")
ANY = frozenset(range(256))


def octets(*sets: set[int]) -> tuple[frozenset[int], ...]:
    """127.0.0 and then the last ones."""
    first = [frozenset({127}), frozenset({0}), frozenset({0})]
    return (*first[: 4 - len(sets)], *map(frozenset, sets))


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
    ("x" * 70, Zone(b"x" * 70, b"x" * 70)),
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
    zone = parse(f"bl.example={'.'.join(words)}")

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


def _names(word: str, octet: int) -> bool:
    for piece in word.strip("[]").split(";"):
        first, _, last = piece.partition("..")
        if int(first) <= octet <= int(last or first):
            return True
    return False
