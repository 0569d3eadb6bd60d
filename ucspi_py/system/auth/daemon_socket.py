"""Connecting to a daemon that checks passwords. Never waits."""

import errno
import os
import socket

from ...core.auth.place import Place, UnixPlace
from ...core.errors import error_words
from ..process.sockaddr import family, sockaddr


def connecting(place: Place) -> socket.socket:
    """Begin to connect; what comes of it shows when something is sent. Raises OSError.

    A daemon whose queue of clients is full is a BlockingIOError (unix(7), EAGAIN): it can be asked again later.
    """
    is_unix = isinstance(place, UnixPlace)
    kind = socket.AF_UNIX if is_unix else family(place[0])
    daemon = socket.socket(kind, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
    failure = daemon.connect_ex(place[0] if is_unix else sockaddr(*place))
    if failure not in (0, errno.EINPROGRESS):
        daemon.close()
        raise OSError(failure, os.strerror(failure))
    return daemon


def trouble(place: Place, error: OSError) -> str:
    """Say for the log that a daemon cannot be asked."""
    return f"unable to ask {place}: {error_words(error.errno)}"
