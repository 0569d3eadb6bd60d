"""The places where a service shows its numbers, tried. Never shows one, and leaves nothing behind."""

import contextlib
import os
import socket
from collections.abc import Iterator

from ....core.errors import error_words
from ....core.metrics.settings import TcpPort, UnixSocket
from ....core.service.check.finding import Finding, error, warning
from ....core.service.settings import ServerSettings
from . import port

_WHAT = "metrics"


def looked(settings: ServerSettings) -> Iterator[Finding]:
    """Yield whether scrapers can be listened to where they ask; nothing where there is no --metrics."""
    place = settings.metrics and settings.metrics.place
    if isinstance(place, TcpPort):
        with contextlib.ExitStack() as kept:
            yield port.tried(_WHAT, place.ip, place.port, kept)
    elif isinstance(place, UnixSocket):
        yield _socket(place.path)


def looked_at_file(settings: ServerSettings) -> Iterator[Finding]:
    """Yield whether the file can be written, by whoever we are; nothing where there is no --metrics-file."""
    file = settings.metrics and settings.metrics.file
    if not file:
        return
    flaw = _unwritable(file)
    yield error(_WHAT, f"{file} cannot be written: {flaw}") if flaw else Finding(_WHAT, f"{file} can be written")


def _socket(path: str) -> Finding:
    flaw = _unwritable(path)
    if flaw:
        return error(_WHAT, f"nobody can listen at {path}: {flaw}")
    with socket.socket(socket.AF_UNIX) as knocking:
        if not knocking.connect_ex(path):
            return warning(_WHAT, f"a server listens at {path}, in whose place this one may come")
    return Finding(_WHAT, f"{path} is free")


def _unwritable(path: str) -> str:
    """Why nothing can be put in the place of a file; "" = something can."""
    folder = os.path.dirname(path) or "."
    try:
        os.stat(folder)
    except OSError as wrong:
        return error_words(wrong.errno)
    return "" if os.access(folder, os.W_OK | os.X_OK, effective_ids=True) else "access denied"
