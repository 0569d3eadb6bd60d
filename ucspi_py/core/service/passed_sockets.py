"""Listening sockets that a supervisor passes: which ones are for us, and which host and port each is for. Pure.

Sources: sd_listen_fds(3).
"""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from ..errors import Failure

#: Written for a host or a port: that of whatever is passed.
ANY = "-"
#: What is taken for the port of a socket that nobody has seen yet.
USUAL_PORT = 25
#: The first descriptor that systemd passes.
_FIRST = 3
#: Nobody passes more; what is in the environment need not be true.
_MOST = 1024


class PassedSocket(NamedTuple):
    """A listening socket. fd: its descriptor. name: by systemd, "" = it has none. ip, port: its own."""

    fd: int
    name: str
    ip: bytes
    port: int


class Wanted(NamedTuple):
    """A host and a port of the command line. ip: None = any. port: None = any, or only the name tells.

    name: the port as it is written, which may be a socket's name; None = any.
    """

    ip: bytes | None
    port: int | None
    name: str | None

    def fits(self, one: PassedSocket) -> bool:
        """Whether a socket is the one that is meant."""
        if self.ip is not None and self.ip != one.ip:
            return False
        return self.name is None or self.port == one.port or self.name == one.name


def listen_fds(
    environment: Mapping[str, str], pid: int, pidfd_id: Callable[[], int | None]
) -> tuple[tuple[int, str], ...]:
    """List the descriptors that systemd has passed to this process, each with its name, "" = none; () = none.

    environment: ours. pid: our process id. pidfd_id: gives the inode of our pidfd, None = the system has none. Raises
    Failure for what is passed by mistake: numbers that are none, or the socket of one client (Accept=yes).
    """
    if environment.get("LISTEN_PID") != str(pid) or "LISTEN_FDS" not in environment:
        return ()
    if "LISTEN_PIDFDID" in environment and environment["LISTEN_PIDFDID"] != str(pidfd_id()):
        return ()
    written = environment["LISTEN_FDS"]
    if not (written.isascii() and written.isdigit()) or int(written) > _MOST:
        raise Failure(f"LISTEN_FDS is no number of descriptors: {written}")
    names = environment.get("LISTEN_FDNAMES", "").split(":")
    if "connection" in names:
        raise Failure("systemd has passed the socket of one client: the .socket unit needs Accept=no")
    numbers = range(_FIRST, _FIRST + int(written))
    return tuple((fd, names[place] if place < len(names) else "") for place, fd in enumerate(numbers))


def chosen(wanted: Sequence[Wanted], passed: Sequence[PassedSocket]) -> list[PassedSocket]:
    """Choose the sockets for each host and port, in their order.

    Raises Failure where one has no socket, and where a socket is left: nobody would accept its clients.
    """
    left, taken = list(passed), []
    for one in wanted:
        found = [each for each in left if one.fits(each)]
        if not found:
            raise Failure(f"none of the sockets that were passed is for {_shown(one)}: {_listed(passed)}")
        taken += found
        left = [each for each in left if each not in found]
    if left:
        raise Failure(f"a socket was passed that nobody has asked for: {_listed(left)}")
    return taken


def _shown(one: Wanted) -> str:
    return f"{ANY if one.ip is None else one.ip.decode('ascii')} {ANY if one.name is None else one.name}"


def _listed(sockets: Sequence[PassedSocket]) -> str:
    return ", ".join(f"{one.ip.decode('ascii')} {one.port}" + (f" ({one.name})" if one.name else "") for one in sockets)
