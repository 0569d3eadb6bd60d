"""What goes from one program to the next under the same process id."""

import pytest

from ucspi_py.core.service.handover import HandedGuard, Handover, decode, encode

PLAIN = Handover(7, True, (3, 4), 5, (10,), (), ())
FULL = Handover(7, False, (3,), 5, (10, 11), (12,), (17,), HandedGuard(9, 6, (7, 8), "task \udcff"), b"\0key\xff")


@pytest.mark.parametrize("handed", [PLAIN, FULL])
def test_what_is_written_is_read(handed: Handover) -> None:
    """Bytes of a key and names that are no text as well."""
    assert decode(encode(handed)) == handed


def test_all_descriptors_are_given() -> None:
    """Whichever is missing would be closed, or somebody else's."""
    assert FULL.descriptors == (3, 5, 6, 7, 8)
    assert PLAIN.descriptors == (3, 4, 5)


@pytest.mark.parametrize(
    "block", [b"", b"{}", b"[]", b"\xff", b"null", encode(PLAIN).replace(b"[3, 4]", b"3"), encode(PLAIN)[:-1]]
)
def test_anything_else_is_an_error_that_can_be_told(block: bytes) -> None:
    """Another version may write something else."""
    with pytest.raises(ValueError):
        decode(block)
