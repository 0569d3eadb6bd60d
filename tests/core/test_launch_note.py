"""What launchers write, and what the kernel keeps of an environment."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ucspi_py.core.service.launch_note import Keeper, LaunchNote, environment, parse

NAMES = st.binary(min_size=1).filter(lambda name: not set(name) & {0, ord("=")})
VALUES = st.binary().filter(lambda value: 0 not in value)


@pytest.mark.parametrize(
    ("note", "meant"),
    [
        ("note:", LaunchNote()),
        ("note: v=3000000 d=1", LaunchNote((("v", 3000000), ("d", 1)))),
        ("note: environment=17,9 input=8", LaunchNote((), Keeper(17, 9), 8)),
    ],
)
def test_a_note(note: str, meant: LaunchNote) -> None:
    """Limits, the keeper of the environment, and the true input."""
    assert parse(note) == meant


@pytest.mark.parametrize(
    "note", ["note: x", "note: v=", "note: v=all", "note: environment=1", "note: environment=1,2,3", "note: input=x"]
)
def test_a_note_that_no_launcher_wrote(note: str) -> None:
    """It is refused, and nothing of it is believed."""
    with pytest.raises(ValueError, match=r"."):
        parse(note)


@given(st.dictionaries(NAMES, VALUES))
def test_every_variable_is_found(variables: dict[bytes, bytes]) -> None:
    """Whatever bytes are in names and values."""
    block = b"".join(name + b"=" + value + b"\0" for name, value in variables.items())
    assert environment(block) == variables


def test_what_no_program_can_find() -> None:
    """The first of two with one name counts, as for getenv; entries without a name or a value are none."""
    assert environment(b"A=1\0A=2\0=x\0==\0B\0\0C=\0") == {b"A": b"1", b"C": b""}
