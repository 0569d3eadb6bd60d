"""pyrblsmtpd's opinion of the client on descriptor 0: one process, one client, nothing remembered."""

import os
import socket
import stat
from collections.abc import Mapping
from functools import partial

from ...core.settings import ScreenSettings
from ..lookup import resolver
from .query import hear
from .screen import Opinion, heard_line, marks, screen

__all__ = ["form", "line", "marks"]


async def form(settings: ScreenSettings, environment: Mapping[bytes, bytes]) -> Opinion:
    """Ask the zones, and watch the client where that is asked for and it is on a socket."""
    hear_zone = partial(hear, resolver.from_environment().ask)
    if not stat.S_ISSOCK(os.fstat(0).st_mode):
        return await screen(settings, environment, hear_zone, None)
    with socket.socket(fileno=os.dup(0)) as client:
        return await screen(settings, environment, hear_zone, client)


def line(settings: ScreenSettings, opinion: Opinion, ip: bytes) -> bytes:
    """The log line of -v."""
    return heard_line(settings, opinion, ip, os.getpid())
