"""The policy services of a configuration, looked at as a worker will ask. Never asks one."""

import posixpath
import socket
from collections.abc import Iterator

from ....core.address import literal
from ....core.auth.place import UnixPlace
from ....core.errors import error_words
from ....core.gate.check.reading import Reading
from ....core.gate.policy import traps
from ....core.gate.policy.settings import PolicyService
from ....core.gate.server import InetServer, UnixServer
from ...auth import reach

#: Seconds for one connection.
_PATIENCE = 1.0
_LOCALHOST = "localhost"


def unreachable(reading: Reading, uid: int | None, gid: int | None) -> dict[PolicyService, str]:
    """Try to connect to each service -> why that fails; one whose host has another name is not tried.

    uid, gid: as of reach.flaw().
    """
    directory = traps.settings(reading).queue_directory
    found = {service for service, _ in traps.services(reading)}
    return dict(_flaws(found, directory, uid, gid))


def _flaws(
    services: set[PolicyService], directory: str, uid: int | None, gid: int | None
) -> Iterator[tuple[PolicyService, str]]:
    for service in services:
        server = service.server
        if isinstance(server, UnixServer):
            flaw = reach.flaw(UnixPlace(posixpath.join(directory, server.path)), uid, gid)
        else:
            flaw = _refusal(server)
        if flaw:
            yield service, flaw


def _refusal(server: InetServer) -> str | None:
    if server.host != _LOCALHOST and literal(server.host) is None:
        return None
    try:
        socket.create_connection((server.host, server.port), _PATIENCE).close()
    except TimeoutError:
        return "nobody answers there"
    except OSError as error:
        return error_words(error.errno)
    return None
