"""The interview with the zones."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ucspi_py.core.dns_message import ABSENT, TXT, A, Answer, Failed, Found
from ucspi_py.core.dnsbl import judge, query
from ucspi_py.core.settings import Zone
from ucspi_py.core.verdict import Accept, Refuse, Verdict

LISTED = Found((b"listed",))
FAILED = Failed("timed out")
ADDRESS = Found((b"\x7f\0\0\2",))
LOOKUP_ERROR = Refuse(451, b"temporary RBL lookup error")


def zone(flags: str) -> Zone:
    """``r`` or ``a``, with ``b`` and ``c`` where these options stood before it."""
    return Zone(b"zone.example", allow="a" in flags, bounce="b" in flags, fail_closed="c" in flags)


VERDICTS: list[tuple[str, list[Answer | None], Verdict | None]] = [
    ("", [], Accept()),
    ("r", [ABSENT], Accept()),
    ("r", [LISTED], Refuse(451, b"listed")),
    ("rb", [LISTED], Refuse(553, b"listed")),
    ("r", [Found((b"foo", b"bar", b"baz"))], Refuse(451, b"foobarbaz")),
    ("r", [Found((b"", b""))], Accept()),
    ("r", [FAILED], Accept()),
    ("rc", [FAILED], LOOKUP_ERROR),
    ("rbc", [FAILED], LOOKUP_ERROR),
    ("a", [ADDRESS], Accept()),
    ("a", [FAILED], Accept()),
    ("a rb", [ABSENT, LISTED], Refuse(553, b"listed")),
    ("a rb", [ADDRESS, LISTED], Accept()),
    ("a rb", [FAILED, LISTED], Accept()),
    ("ac rb", [FAILED, LISTED], Refuse(451, b"listed")),
    ("ac r", [FAILED, ABSENT], Accept()),
    ("r rb", [FAILED, LISTED], Refuse(451, b"listed")),
    ("r a", [LISTED, ADDRESS], Refuse(451, b"listed")),
    ("r rc", [LISTED, FAILED], Refuse(451, b"listed")),
    ("r r", [None, LISTED], None),
    ("r r", [ABSENT, None], None),
    ("r r", [LISTED, None], Refuse(451, b"listed")),
    ("a r", [ADDRESS, None], Accept()),
    ("rc r", [FAILED, None], LOOKUP_ERROR),
]

flags = st.sampled_from(["r", "rb", "rc", "rbc", "a", "ac"])
answers = st.sampled_from([ABSENT, LISTED, FAILED, Found((b"",)), Found((b"other",))])
interviews = st.lists(st.tuples(flags, answers), max_size=5)


@pytest.mark.parametrize(
    ("zones", "heard", "expected"), VERDICTS, ids=[f"{zones}: {heard}" for zones, heard, _ in VERDICTS]
)
def test_a_verdict(zones: str, heard: list[Answer | None], expected: Verdict | None) -> None:
    """The first word in written order decides; a zone that failed forbids a later 553."""
    assert judge([zone(flags) for flags in zones.split()], heard) == expected


@given(interviews)
def test_the_verdict_is_that_of_asking_one_after_the_other(interview: list[tuple[str, Answer]]) -> None:
    """Asked at once and judged in order: the same as C, which waits for each zone."""
    zones = [zone(flags) for flags, _ in interview]

    assert judge(zones, [answer for _, answer in interview]) == in_series(interview)


@given(interviews, st.data())
def test_an_early_verdict_is_the_last_one(interview: list[tuple[str, Answer]], data: st.DataObject) -> None:
    """Whatever is still to come changes nothing once there is a verdict."""
    zones = [zone(flags) for flags, _ in interview]
    everything = [answer for _, answer in interview]
    heard = [answer if data.draw(st.booleans()) else None for answer in everything]

    assert judge(zones, heard) in (None, judge(zones, everything))


def test_questions() -> None:
    """TXT of a list, A of an allow-list, nothing without an address."""
    assert query(zone("r"), b"127.0.0.2") == (b"2.0.0.127.zone.example", TXT)
    assert query(zone("a"), b"127.0.0.2") == (b"2.0.0.127.zone.example", A)
    assert query(zone("r"), b"::2") == (b"2." + b"0." * 31 + b"zone.example", TXT)
    assert query(zone("r"), b"") is None


def in_series(interview: list[tuple[str, Answer]]) -> Verdict:
    """rblsmtpd's way: a state that each option changes until something is decided."""
    never_for_good = False
    for flags, answer in interview:
        listed = isinstance(answer, Found) and any(answer.records)
        failed = isinstance(answer, Failed)
        never_for_good |= failed
        if "a" in flags:
            if listed or (failed and "c" not in flags):
                return Accept()
        elif listed:
            assert isinstance(answer, Found)
            return Refuse(553 if "b" in flags and not never_for_good else 451, b"".join(answer.records))
        elif failed and "c" in flags:
            return LOOKUP_ERROR
    return Accept()
