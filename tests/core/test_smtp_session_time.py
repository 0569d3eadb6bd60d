"""A client's time: for the next command, for content, and without a message."""

import pytest

from ucspi_py.core.smtp.session_time import SessionTime
from ucspi_py.core.smtp.settings import SmtpSettings

SETTINGS = SmtpSettings(timeout=300, min_data_rate=500)


def test_a_client_may_be_silent_for_as_long_as_it_is_told() -> None:
    """From its last whole command on."""
    time = SessionTime(SETTINGS, 1000.0)
    time.heard(1200.0)
    assert not time.is_over(1499.9, 300)
    assert time.is_over(1500.0, 300)
    assert time.is_over(1210.0, 10)


def test_without_a_message_even_a_busy_client_has_an_hour() -> None:
    """And another one from each message on."""
    time = SessionTime(SETTINGS, 0.0)
    time.heard(3599.0)
    assert not time.is_over(3599.9, 300)
    assert time.is_over(3600.0, 300)
    time.message_taken(3600.0)
    assert not time.is_over(3600.0, 300)


def test_content_may_pause_for_as_long_as_a_command() -> None:
    """However fast it was before."""
    time = SessionTime(SETTINGS, 0.0)
    time.content_begins(100.0)
    time.heard(200.0)
    assert not time.content_is_over(499.9, 10**9)
    assert time.content_is_over(500.0, 10**9)


def test_content_that_drips_is_over_in_the_end() -> None:
    """At 500 bytes a second each 500 bytes buy a second, beside smtpd_timeout."""
    time = SessionTime(SETTINGS, 0.0)
    time.content_begins(0.0)
    time.heard(400.0)
    assert not time.content_is_over(399.9, 50_000)
    assert time.content_is_over(400.0, 50_000)


def test_without_a_rate_content_may_drip() -> None:
    """As long as it never pauses for too long."""
    time = SessionTime(SmtpSettings(timeout=300, min_data_rate=0), 0.0)
    time.content_begins(0.0)
    time.heard(100_000.0)
    assert not time.content_is_over(100_299.0, 1)


@pytest.mark.parametrize("rate", [500, 0])
def test_what_the_backend_takes_is_not_the_clients_time(rate: int) -> None:
    """Neither for the next piece nor for the rate."""
    time = SessionTime(SmtpSettings(timeout=300, min_data_rate=rate), 0.0)
    time.content_begins(0.0)
    time.content_waits(200.0)
    time.content_waits(900.0)
    assert not time.content_is_over(5000.0, 0)
    time.content_goes_on(1200.0)
    time.content_goes_on(1250.0)
    assert not time.content_is_over(1299.9, 0)
    assert time.content_is_over(1300.0, 0)


def test_content_that_drips_has_no_more_time_because_its_backend_was_slow_once() -> None:
    """The rate holds for the time in which we read."""
    time = SessionTime(SETTINGS, 0.0)
    time.content_begins(0.0)
    time.content_waits(100.0)
    time.content_goes_on(1100.0)
    time.heard(1250.0)
    assert not time.content_is_over(1399.9, 50_000)
    assert time.content_is_over(1400.0, 50_000)
