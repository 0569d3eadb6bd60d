"""Where expressions are looked for in the bytes of a client. Never decides how long that may take."""

import re
from collections.abc import Callable

Find = Callable[[bytes], re.Match[bytes] | None]


class TooLong(Exception):
    """A search has used up its time."""


def searched(find: Find, text: bytes) -> re.Match[bytes] | None:
    """Search a text. Whoever limits the time (system/expressions/budget.py) has this raise TooLong, and nothing else.

    find: of a compiled expression.
    """
    return find(text)
