"""How large a store may grow: numbers of bytes with units."""

import pytest

from ucspi_py.core.store.size import size


@pytest.mark.parametrize(
    ("text", "expected"),
    [("1048576", 1 << 20), ("1024K", 1 << 20), ("1M", 1 << 20), ("500M", 500 << 20), ("4G", 4 << 30)],
)
def test_a_size(text: str, expected: int) -> None:
    assert size(text) == expected


@pytest.mark.parametrize("text", ["", "G", "1048575", "1023K", "0G", "4g", "4 G", "4GB", "-1G", "1.5G", "1T", "9" * 30])
def test_what_is_no_size(text: str) -> None:
    with pytest.raises(ValueError, match="must be a number of bytes from 1M up, as in 500M or 4G, not"):
        size(text)
