"""How large a store in a file may grow. Never looks at one."""

import re

from ..numbers import decimal

#: Bytes: 1 GiB is enough for every /24 there is, or for ten million triplets.
DEFAULT = 1 << 30
#: Bytes of the smallest that is worth having.
_LEAST = 1 << 20
_UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30}
_SIZE = re.compile(r"([0-9]+)([KMG]?)")


def size(text: str) -> int:
    """Parse a size, as in 500M or 4G, to bytes. Raises ValueError with what is wrong with it."""
    found = _SIZE.fullmatch(text)
    number = decimal(found[1]) if found else None
    if found is None or number is None or number * _UNITS[found[2]] < _LEAST:
        raise ValueError(f"must be a number of bytes from 1M up, as in 500M or 4G, not '{text}'")
    return number * _UNITS[found[2]]
