"""The value of a compiled rule."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ucspi_py.core.errors import CorruptRules
from ucspi_py.core.rules.data import DEFAULT, Instructions, instructions, items

VALUES = [
    (b"", DEFAULT),
    (b"D\0", Instructions(True, ())),
    (b"+A=b\0", Instructions(False, ((b"A", b"b"),))),
    (b"+A=b\0D\0+A=\0", Instructions(True, ((b"A", b"b"), (b"A", b"")))),
    (b"+A=b=c\0", Instructions(False, ((b"A", b"b=c"),))),
    (b"Denied\0", Instructions(True, ())),
    (b"\0\0D\0", Instructions(True, ())),
    (b"Zfoo\0d\0D\0", Instructions(True, ())),
    (b"+X\0", DEFAULT),
    (b"+=v\0", DEFAULT),
    (b"+\0\0", DEFAULT),
]

CUT = [b"D", b"+A=b", b"D\0+A", b"\0D"]


@pytest.mark.parametrize(("value", "expected"), VALUES, ids=repr)
def test_a_value_says(value: bytes, expected: Instructions) -> None:
    """D denies wherever it stands, +NAME=value is a variable, anything else is passed over as in C."""
    assert instructions(value) == expected


@pytest.mark.parametrize("value", CUT, ids=repr)
def test_a_value_that_is_not_terminated_is_corrupt(value: bytes) -> None:
    """C ignores the last item, and so a deny that lost its end would let in."""
    with pytest.raises(CorruptRules):
        instructions(value)


@given(st.binary())
def test_items_are_all_of_the_value(value: bytes) -> None:
    """Whatever the bytes: terminated items that make up the value again, or a corrupt value."""
    if value and not value.endswith(b"\0"):
        with pytest.raises(CorruptRules):
            items(value)
    else:
        assert b"".join(item + b"\0" for item in items(value)) == value
