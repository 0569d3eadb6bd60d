"""For how long a finding is remembered."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ucspi_py.core.dnsbl.answers import CLEAN, Failing, Finding, Listed
from ucspi_py.core.dnsbl.ttl import holds, lifetime

LISTED, FAILED = Listed(b"listed", b"\x7f\0\0\2"), Failing("timed out")
findings = st.sampled_from([LISTED, CLEAN, FAILED])
seconds = st.integers(0, 10**6)


@pytest.mark.parametrize(
    ("finding", "ttl", "kept"),
    [
        (LISTED, 0, 60),
        (LISTED, 61, 61),
        (CLEAN, 59, 60),
        (CLEAN, 3599, 3599),
        (CLEAN, 86400, 3600),
        (FAILED, 0, 15),
        (FAILED, 86400, 15),
    ],
    ids=repr,
)
def test_as_long_as_the_zone_says_within_bounds(finding: Finding, ttl: int, kept: int) -> None:
    """A minute at least and an hour at most; a failure says nothing and is kept for a quarter of a minute."""
    assert lifetime(finding, ttl) == kept


@given(findings, seconds, seconds)
def test_a_longer_ttl_is_never_remembered_for_less(finding: Finding, ttl: int, more: int) -> None:
    """Whatever the zone says."""
    assert lifetime(finding, ttl) <= lifetime(finding, ttl + more)


@given(findings, seconds, seconds, st.integers(0, 4000))
def test_it_holds_until_its_time_is_over(finding: Finding, ttl: int, said: int, later: int) -> None:
    """And not in the second in which it ends, where the zone has answered all the while."""
    until = said + lifetime(finding, ttl)

    assert holds(finding, until, 0.0, said + later) == (later < until - said)


@given(findings, seconds, st.integers(-15, 15))
def test_a_failure_from_before_the_zone_answered_again_does_not_hold(finding: Finding, said: int, after: int) -> None:
    """What else it said is as true as before."""
    until = said + lifetime(finding, 60)

    assert holds(finding, until, said + after, said) == (finding != FAILED or after <= 0)
