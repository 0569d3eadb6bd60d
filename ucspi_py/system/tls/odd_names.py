"""Server names that ssl cannot read, kept out of the log: it would write a traceback for each of these clients.

Their handshake fails, and that is said as of any other.
"""

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sys import UnraisableHookArgs


def keep_quiet() -> None:
    """Have this process say nothing of them; all else that Python cannot raise is told as before."""
    if not isinstance(sys.unraisablehook, _Hook):
        sys.unraisablehook = _Hook(sys.unraisablehook)


class _Hook:
    def __init__(self, tell: "Callable[[UnraisableHookArgs], object]") -> None:
        self._tell = tell

    def __call__(self, what: "UnraisableHookArgs", /) -> None:
        if not (issubclass(what.exc_type, UnicodeDecodeError) and _is_of_a_name(what)):
            self._tell(what)


def _is_of_a_name(what: "UnraisableHookArgs") -> bool:
    """The name is the object; from Python 3.14 on a text has it."""
    return isinstance(what.object, bytes) or "ssl servername callback" in (what.err_msg or "")
