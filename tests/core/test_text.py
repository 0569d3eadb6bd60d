"""Bytes of others in log lines, replies and on terminals."""

from hypothesis import given
from hypothesis import strategies as st

from ucspi_py.core.text import clean, shown


@given(st.binary(max_size=300))
def test_clean_bytes_are_printable_ascii_of_the_same_length(text: bytes) -> None:
    """One ``?`` for one byte."""
    assert len(clean(text)) == len(text)
    assert all(32 <= byte <= 126 for byte in clean(text))


@given(st.text(st.characters(min_codepoint=32, max_codepoint=126)))
def test_printable_ascii_stays_as_it_is(text: str) -> None:
    """For replies and for terminals."""
    assert clean(text.encode()) == text.encode()
    assert shown(text.encode()) == text


@given(st.binary(max_size=300))
def test_what_is_shown_is_one_printable_line(text: bytes) -> None:
    """Whatever a client or a file has in it."""
    assert shown(text).isprintable()


def test_what_cannot_be_shown_is_escaped() -> None:
    """Letters of any alphabet can be shown; control characters and bytes that are no UTF-8 cannot."""
    assert shown("naïve\x1b[2J\n".encode() + b"\xff") == "naïve\\x1b[2J\\n\\xff"
