"""Whether a zone may be believed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ucspi_py.core.dns_message import Absent, Answer, Failed, Found
from ucspi_py.core.zone import parse
from ucspi_py.core.zone_health import has_gone_mad, of_news, of_test_points

LISTED, CLEAN, SILENCE = Found((b"\x7f\0\0\2",)), Absent(), Failed("timed out")
ERROR, REWRITTEN, ONE = Found((b"\x7f\xff\xff\xfe",)), Found((b"\xcb\0\x71\x09",)), Found((b"\x7f\0\0\1",))

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
    ("bl=127.0.0.40", LISTED, LISTED, False, "lists 127.0.0.1"),
    ("bl", ERROR, ERROR, False, "127.255.255.254"),
    ("bl", LISTED, ERROR, False, "127.255.255.254"),
    ("bl", ERROR, CLEAN, False, "127.255.255.254"),
    ("bl", REWRITTEN, REWRITTEN, False, "203.0.113.9"),
    ("bl", LISTED, REWRITTEN, False, "203.0.113.9"),
    ("bl", ONE, ONE, False, "answers 127.0.0.1"),
]

MADNESS = [
    (1000, 100, 100, 95, True),
    (1000, 500, 100, 95, True),
    (1000, 501, 100, 95, False),
    (1000, 100, 100, 94, False),
    (1000, 100, 99, 99, False),
    (99, 0, 200, 200, False),
    (100, 0, 200, 200, True),
    (0, 0, 0, 0, False),
]

counts = st.integers(0, 1000)


@pytest.mark.parametrize(("words", "listed", "clean", "trusted", "sentence"), POINTS, ids=repr)
def test_what_the_test_points_say(words: str, listed: Answer, clean: Answer, trusted: bool, sentence: str) -> None:
    """Who lists 127.0.0.1 lists the world; who answers with an error lists nobody; who lists nothing may be dead."""
    health = of_test_points(parse(words), listed, clean)

    assert health.reachable
    assert health.trusted == trusted
    assert sentence in (health.remark if trusted else health.alarm)
    assert bool(health.alarm or health.remark) == bool(sentence)


@pytest.mark.parametrize(("answer", "reachable"), [(LISTED, True), (CLEAN, True), (ERROR, True), (SILENCE, False)])
def test_what_an_answer_says(answer: Answer, reachable: bool) -> None:
    """Any answer at all is a sign of life."""
    health = of_news(answer)

    assert health.trusted
    assert health.reachable == reachable
    assert health.remark == ("" if reachable else "it cannot be asked: timed out")


@pytest.mark.parametrize(("asked_before", "listed_before", "asked", "listed", "expected"), MADNESS)
def test_a_zone_that_suddenly_lists_nearly_everybody(
    asked_before: int, listed_before: int, asked: int, listed: int, expected: bool
) -> None:
    """After 100 clients of calm, of 100 clients 95."""
    assert has_gone_mad(asked_before, listed_before, asked, listed) == expected


@given(counts, counts, counts, counts)
def test_a_zone_that_has_always_listed_most_is_not_mad(before: int, clean: int, asked: int, listed: int) -> None:
    """A list of dynamic addresses may list nearly everybody who comes, today as ever."""
    assert not has_gone_mad(2 * before + clean + 1, before + clean + 1, asked, min(listed, asked))
