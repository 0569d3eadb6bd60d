"""Descriptors of whoever is at the other end, given up without waiting. Never looks into one.

A socket with SO_LINGER makes close(2) wait for as long as its owner likes, and so does one that has such a socket in
its queue. Only a process that ends waits for none (Linux, af_inet.c, inet_release).
"""

import os
from collections.abc import Collection


def discard(fds: Collection[int]) -> None:
    """Close descriptors that were passed to us: a child that ends is the last to have them. fds: their numbers."""
    if not fds:
        return
    gate = _child()
    for fd in fds:
        os.close(fd)
    for fd in gate:
        os.close(fd)


def _child() -> Collection[int]:
    """Fork a child that ends when what is returned is closed; () where the system has no room for one.

    It is reaped as every child is.
    """
    try:
        reader, writer = os.pipe()
    except OSError:
        return ()
    try:
        pid = os.fork()
    except OSError:
        return reader, writer
    if not pid:
        os.close(writer)
        os.read(reader, 1)
        os._exit(0)
    return reader, writer
