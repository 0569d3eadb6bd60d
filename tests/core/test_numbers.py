"""Decimal digits, in the ways in which they are read."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ucspi_py.core.numbers import MOST, clamped, decimal, port, scan_ulong


@given(st.integers(0, 2 * MOST), st.integers(0, 20))
def test_digits_are_the_number_that_they_say_or_none(number: int, zeros: int) -> None:
    """Zeros in front change nothing, and nothing is ever cut off at the end."""
    text = "0" * zeros + str(number)

    assert decimal(text) == (number if number <= MOST else None)
    assert clamped(text.encode()) == min(number, MOST + 1)


@pytest.mark.parametrize("text", ["", "-1", "+1", " 1", "1 ", "1_0", "0x1", "1.0", "many", "\u0661", "\u00b2"])
def test_what_is_no_decimal_number(text: str) -> None:
    """Python's int() takes some of them, str.isdigit() others."""
    assert decimal(text) is None


@given(st.integers(0, 1 << 70), st.sampled_from([b"", b"k", b" ", b".5", b"-1"]))
def test_c_reads_the_digits_at_the_beginning(number: int, rest: bytes) -> None:
    """Whatever stands behind is passed over, and 64 bits wrap around."""
    assert scan_ulong(b"%d%b" % (number, rest)) == number % (1 << 64)


@pytest.mark.parametrize("text", [b"", b"x", b"-1", b" 1", b"+1"])
def test_what_begins_with_no_digit_is_0_to_c(text: bytes) -> None:
    """scan_ulong always writes its result."""
    assert scan_ulong(text) == 0


def test_a_million_digits_are_read_in_no_time() -> None:
    """int() raises for more than 4300, and would take long."""
    began = time.process_time()

    assert decimal("9" * 1_000_000) is None
    assert clamped(b"0" * 1_000_000 + b"7") == 7
    assert scan_ulong(b"1" * 1_000_000) > 0
    assert time.process_time() - began < 1


@pytest.mark.parametrize(
    ("text", "number"),
    [("1", 1), ("00025", 25), ("65535", 65535), ("0", None), ("65536", None), ("9" * 5000, None), ("", None)]
    + [(text, None) for text in ("+25", "2_5", "-1", " 25", "\u0662\u0665", "smtp")],
)
def test_a_port_is_a_number_of_16_bits_but_0(text: str, number: int | None) -> None:
    """And nothing else than digits."""
    assert port(text) == number
