"""Many keys hashed at once have the hashes that they have one by one."""

from functools import reduce

from hypothesis import given
from hypothesis import strategies as st

from ucspi_py.core.rules.cdb_hash import hashes


def one(key: bytes) -> int:
    """cdb.txt: h = ((h << 5) + h) ^ c, from 5381."""
    return reduce(lambda h, c: ((h << 5) + h & 0xFFFFFFFF) ^ c, key, 5381)


@given(st.lists(st.binary(max_size=40)))
def test_of_any_keys(keys: list[bytes]) -> None:
    """Whatever their lengths, in their order."""
    assert hashes(keys) == [one(key) for key in keys]


def test_no_lane_spills_into_its_neighbour() -> None:
    """Long keys of high bytes overflow 32 bits at every step."""
    keys = [bytes([255 - n]) * 300 for n in range(9)]
    assert hashes(keys) == [one(key) for key in keys]
