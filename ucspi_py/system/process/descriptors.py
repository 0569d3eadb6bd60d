"""The file descriptors we were started with: none of 0 to 2 missing, none above 2 passed on."""

import contextlib
import os
import stat
from collections.abc import Collection


def survive_closed() -> None:
    """Open /dev/null wherever 0, 1 or 2 is closed, or the listener would land there and be closed as stdin."""
    fd = os.open(os.devnull, os.O_RDWR)
    while fd <= 2:
        os.set_inheritable(fd, True)
        fd = os.open(os.devnull, os.O_RDWR)
    os.close(fd)


def keep_to_ourselves() -> None:
    """Mark everything above 2 close-on-exec, so that no backend inherits it."""
    for fd in _open_descriptors():
        if fd > 2:
            try:
                os.set_inheritable(fd, False)
            except OSError:
                pass  # the descriptor that listed the folder


def null_input_and_output() -> None:
    """Replace 0 and 1 by /dev/null before serving; C closes them, but a socket could then get their numbers."""
    fd = os.open(os.devnull, os.O_RDWR)
    os.dup2(fd, 0)
    os.dup2(fd, 1)
    os.close(fd)


def close_all_but(kept: Collection[int]) -> None:
    """Close everything above 2, in a forked child that is to have nothing else. kept: descriptors."""
    for fd in _open_descriptors():
        if fd > 2 and fd not in kept:
            with contextlib.suppress(OSError):  # the descriptor that listed the folder
                os.close(fd)


def is_socket(fd: int) -> bool:
    """Whether a descriptor is a socket; False for one that is closed, too. fd: its number."""
    try:
        return stat.S_ISSOCK(os.fstat(fd).st_mode)
    except OSError:
        return False


def _open_descriptors() -> list[int]:
    for folder in ("/proc/self/fd", "/dev/fd"):
        try:
            return [int(name) for name in os.listdir(folder)]
        except OSError:
            continue
    return list(range(3, 1024))
