"""The program of a service, searched as a worker will. Never starts it."""

from ....core.errors import error_words
from ....core.service.check.finding import Finding, error
from ...process.pathexec import find

_WHAT = "program"


def looked(name: str) -> Finding:
    """Find a program. name: as it is written."""
    try:
        return Finding(_WHAT, find(name))
    except OSError as wrong:
        return error(_WHAT, f"unable to find {name}: {error_words(wrong.errno)}")
