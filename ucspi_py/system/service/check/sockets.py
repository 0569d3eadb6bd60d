"""The Unix sockets that a service makes, and the descriptor that it is given, tried. Never makes a socket."""

import fcntl
import os
import socket
import stat
from collections.abc import Iterator

from ....core.errors import error_words
from ....core.service.check.finding import Finding, error, warning
from ....core.service.settings import ServerSettings
from . import user

_READY = "ready"


def looked(settings: ServerSettings) -> Iterator[Finding]:
    """Yield whether pyucspitop can be listened to; nothing where there is no --top."""
    if settings.top:
        yield tried("top", settings.top, settings)


def looked_at_descriptor(settings: ServerSettings) -> Iterator[Finding]:
    """Yield whether a supervisor can be told that workers serve; nothing where there is no --ready-fd.

    To be called before anything is opened, or a descriptor that is not might be one of ours.
    """
    if settings.ready_fd is not None:
        yield _told_at(settings.ready_fd)


def tried(what: str, path: str, settings: ServerSettings) -> Finding:
    """Look whether a socket can be made, by whoever starts the service. what: the name of the finding."""
    flaw = unwritable(path)
    if flaw and user.only_root_knows(settings):
        return warning(what, f"only root can tell whether anybody can listen at {path}")
    flaw = flaw or _in_the_way(path)
    if flaw:
        return error(what, f"nobody can listen at {path}: {flaw}")
    with socket.socket(socket.AF_UNIX) as knocking:
        if not knocking.connect_ex(path):
            return warning(what, f"a server listens at {path}, in whose place this one may come")
    return Finding(what, f"{path} is free")


def unwritable(path: str) -> str:
    """Why nothing can be put in the place of a file, by whoever we are; "" = something can."""
    folder = os.path.dirname(path) or "."
    try:
        os.stat(folder)
    except OSError as wrong:
        return error_words(wrong.errno)
    return "" if os.access(folder, os.W_OK | os.X_OK, effective_ids=True) else "access denied"


def _in_the_way(path: str) -> str:
    """What a start does not remove; "" = nothing."""
    try:
        return "" if stat.S_ISSOCK(os.lstat(path).st_mode) else "something else is there"
    except OSError:
        return ""


def _told_at(fd: int) -> Finding:
    """Look at a descriptor. One that is not there is no error: who looks by hand has no supervisor who gives it."""
    try:
        flags = fcntl.fcntl(fd, fcntl.F_GETFL)
    except OSError:
        return warning(_READY, f"descriptor {fd} is for a supervisor, and a start needs it: this check was given none")
    if flags & os.O_ACCMODE == os.O_RDONLY:
        return warning(_READY, f"descriptor {fd} cannot be written, so nobody hears when workers serve")
    return Finding(_READY, f"descriptor {fd} hears when workers serve")
