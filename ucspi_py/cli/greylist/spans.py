"""Seconds as people read them."""

#: How many seconds a unit has. Two of each are told in the smaller one.
_UNITS = (("d", 86400), ("h", 3600), ("min", 60), ("s", 1))


def span(seconds: int) -> str:
    """Tell how long it takes, in one unit and a whole number of it, rounded down: ``12 min``. seconds: 0 or more."""
    for unit, size in _UNITS:
        if seconds >= 2 * size or size == 1:
            return f"{seconds // size} {unit}"
    raise AssertionError
