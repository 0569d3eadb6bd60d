"""The environment of a server: what is odd there, and what programs inherit of it. Never reads it."""

from collections.abc import Iterator, Mapping

from ..lint.variable import odd_numbers
from .handover import VARIABLE

#: For us, not for the backends: systemd's messages to its service (systemd.exec(5), sd_listen_fds(3), sd_notify(3)).
_NOT_PASSED_ON = frozenset((
    b"LISTEN_FDS", b"LISTEN_PID", b"LISTEN_FDNAMES", b"LISTEN_PIDFDID", b"FDSTORE", b"NOTIFY_SOCKET", b"WATCHDOG_PID",
    b"WATCHDOG_USEC", VARIABLE.encode(), b"MEMORY_PRESSURE_WATCH", b"MEMORY_PRESSURE_WRITE", b"CREDENTIALS_DIRECTORY",
))  # fmt: skip


def oddities(environment: Mapping[bytes, bytes]) -> Iterator[str]:
    """Yield a sentence about each variable that does other than its author most likely thinks."""
    if b"RELAYCLIENT" in environment:
        yield "RELAYCLIENT is set in the environment of the server: every client may relay"
    for sentence in odd_numbers(environment.items()):
        yield f"{sentence}, in the environment of the server"


def passed_on(environment: Mapping[bytes, bytes]) -> dict[bytes, bytes]:
    """What every program gets of our own environment."""
    return {name: value for name, value in environment.items() if name not in _NOT_PASSED_ON}
