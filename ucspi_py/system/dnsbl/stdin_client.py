"""The zones' verdict on the client on descriptor 0: one process, one client, nothing remembered."""

import os
import socket
import stat
from collections.abc import Mapping
from functools import partial

from ...core.dnsbl.settings import DnsblSettings
from ..lookup import resolver
from .query import ask_zone
from .screen import ScreenResult, marks, results_line, screen

__all__ = ["form", "line", "marks"]


async def form(settings: DnsblSettings, environment: Mapping[bytes, bytes]) -> ScreenResult:
    """Ask the zones, and watch the client where that is asked for and it is on a socket."""
    ask = partial(ask_zone, resolver.from_environment().ask)
    if not stat.S_ISSOCK(os.fstat(0).st_mode):
        return await screen(settings, environment, ask, None)
    with socket.socket(fileno=os.dup(0)) as client:
        return await screen(settings, environment, ask, client)


def line(settings: DnsblSettings, screened: ScreenResult, ip: bytes) -> bytes:
    """The log line of -v."""
    return results_line(settings, screened, ip, os.getpid())
