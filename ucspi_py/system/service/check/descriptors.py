"""Whether as many files may be open as clients may come. Raises our own limit, as a start does."""

from ....core.service.check.finding import Finding, warning
from ....core.service.settings import ServerSettings
from ...process.rlimits import make_room, room_for
from ..admission import OVERFLOW_LIMIT
from ..counted import counted

_WHAT = "open files"


def looked(settings: ServerSettings) -> Finding:
    """Look at the limit on open files."""
    limit, held, each = settings.limit, settings.held_limit, counted(settings).program.descriptors
    make_room((limit + held) * each + OVERFLOW_LIMIT)
    places = room_for(held, each)
    if places < held:
        return warning(_WHAT, f"the hard limit of open files allows --held {places}, not {held}")
    return Finding(_WHAT, f"there is room for -c {limit} and --held {held}")
