"""What a test of a zone shows of it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ucspi_py.core.dns.message import Absent, Answer, Failed, Found
from ucspi_py.core.dnsbl.health import addresses, control_address, of_answers
from ucspi_py.core.dnsbl.zone import parse

LISTED, CLEAN, SILENCE = Found((b"\x7f\0\0\2",)), Absent(), Failed("timed out")
ERROR, REWRITTEN, ONE = Found((b"\x7f\xff\xff\xfe",)), Found((b"\xcb\0\x71\x09",)), Found((b"\x7f\0\0\1",))
CONTROL = b"127.8.9.254"

#: Answers for 127.0.0.2 and 127.0.0.1; then whether the zone is believed, and words of what is said of it.
POINTS: list[tuple[str, Answer, Answer, bool, str]] = [
    ("bl", LISTED, CLEAN, True, ""),
    ("bl", Found((b"\x7f\0\0\x0a", b"\x7f\0\0\2")), CLEAN, True, ""),
    ("bl", LISTED, Absent(exists=True), True, ""),
    ("bl", LISTED, SILENCE, True, ""),
    ("bl", SILENCE, CLEAN, True, ""),
    ("bl", CLEAN, CLEAN, True, "does not list its test point 127.0.0.2"),
    ("bl", LISTED, LISTED, False, "lists 127.0.0.1"),
    ("bl", CLEAN, LISTED, False, "lists 127.0.0.1"),
    ("bl=127.0.0.2", LISTED, LISTED, False, "lists 127.0.0.1"),
    ("bl", ERROR, ERROR, False, "127.255.255.254"),
    ("bl", LISTED, ERROR, False, "127.255.255.254"),
    ("bl", ERROR, CLEAN, False, "127.255.255.254"),
    ("bl=127.0.0.2", LISTED, ERROR, False, "127.255.255.254"),
    ("bl", REWRITTEN, REWRITTEN, False, "203.0.113.9"),
    ("bl", LISTED, REWRITTEN, False, "203.0.113.9"),
    ("bl", ONE, ONE, False, "answers 127.0.0.1"),
    ("bl=127.0.0.2", LISTED, ONE, True, ""),
    ("bl=127.0.0.40", LISTED, LISTED, True, ""),
]


@pytest.mark.parametrize(("words", "listed", "clean", "trusted", "sentence"), POINTS, ids=repr)
def test_what_the_test_points_say(words: str, listed: Answer, clean: Answer, trusted: bool, sentence: str) -> None:
    """Who lists 127.0.0.1 lists the world; who answers with an error lists nobody; who lists nothing may be dead.

    With codes written, an answer with another code lists nobody.
    """
    health = of_answers(parse(words), CONTROL, [CLEAN, clean, listed])

    assert health.reachable
    assert bool(health.alarm) == (not trusted)
    assert sentence in (health.remark if trusted else health.alarm)
    assert bool(health.alarm or health.remark) == bool(sentence)


@pytest.mark.parametrize(
    ("words", "answer", "listed", "remark"),
    [
        ("bl", CLEAN, False, ""),
        ("bl", LISTED, True, "it lists 127.8.9.254, which no client has; does it list everybody?"),
        ("bl+notest", LISTED, True, "it lists 127.8.9.254, which no client has; does it list everybody?"),
        ("bl+notest=127.0.0.2", LISTED, True, "it lists 127.8.9.254, which no client has; does it list everybody?"),
        ("bl+notest=127.0.0.40", LISTED, False, ""),
        ("bl+notest=127.0.0.2", ONE, False, ""),
        ("bl+notest", ONE, False, "it answers 127.0.0.1, which is an error and lists nobody"),
        ("bl+notest", ERROR, False, "it answers 127.255.255.254, which is an error and lists nobody"),
        ("bl+notest", REWRITTEN, False, "it answers 203.0.113.9, which is an error and lists nobody"),
    ],
    ids=repr,
)
def test_what_the_control_address_says(words: str, answer: Answer, listed: bool, remark: str) -> None:
    """It alone is no reason to distrust a zone: a list of networks that nobody should come from may list it."""
    zone = parse(words)
    health = of_answers(zone, CONTROL, [answer, CLEAN, LISTED][: len(addresses(zone, CONTROL))])

    assert not health.alarm
    assert health.listed_control == ("127.8.9.254" if listed else "")
    assert health.remark == remark


@pytest.mark.parametrize("words", ["bl", "bl+notest"])
@pytest.mark.parametrize(("answer", "reachable"), [(LISTED, True), (CLEAN, True), (ERROR, True), (SILENCE, False)])
def test_any_answer_is_a_sign_of_life(words: str, answer: Answer, reachable: bool) -> None:
    """About the control address: of the test points a name server may speak from memory, long after the zone's end."""
    health = of_answers(parse(words), CONTROL, [answer, CLEAN, LISTED])

    assert health.reachable == reachable
    if not reachable:
        assert health.failure == "timed out"
        assert health.remark == "it cannot be asked: timed out"
        assert not health.alarm


def test_a_zone_without_test_points_is_asked_about_the_control_address_alone() -> None:
    """+notest."""
    assert addresses(parse("bl+notest"), CONTROL) == (CONTROL,)
    assert addresses(parse("bl"), CONTROL) == (CONTROL, b"127.0.0.1", b"127.0.0.2")


@given(st.integers(0, 65535))
def test_the_control_address_is_none_that_a_list_may_have(number: int) -> None:
    """One of 127.0.0.0/8, and neither a test point nor near one."""
    octets = list(map(int, control_address(number).split(b".")))

    assert octets == [127, number // 256, number % 256, 254]
