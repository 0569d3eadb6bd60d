"""The places where a service shows its numbers, tried. Never shows one, and leaves nothing behind."""

import contextlib
from collections.abc import Iterator

from ....core.metrics.settings import TcpPort, UnixSocket
from ....core.service.check.finding import Finding, error
from ....core.service.settings import ServerSettings
from . import port, sockets

_WHAT = "metrics"


def looked(settings: ServerSettings) -> Iterator[Finding]:
    """Yield whether scrapers can be listened to where they ask; nothing where there is no --metrics."""
    place = settings.metrics and settings.metrics.place
    if isinstance(place, TcpPort):
        with contextlib.ExitStack() as kept:
            yield port.tried(_WHAT, place.ip, place.port, kept)
    elif isinstance(place, UnixSocket):
        yield sockets.tried(_WHAT, place.path, settings)


def looked_at_file(settings: ServerSettings) -> Iterator[Finding]:
    """Yield whether the file can be written, by whoever we are; nothing where there is no --metrics-file."""
    file = settings.metrics and settings.metrics.file
    if not file:
        return
    flaw = sockets.unwritable(file)
    yield error(_WHAT, f"{file} cannot be written: {flaw}") if flaw else Finding(_WHAT, f"{file} can be written")
