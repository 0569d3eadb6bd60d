"""A start in the place of a server that runs: what is taken over. Loaded only for that."""

import socket
from typing import TYPE_CHECKING

from ....core.errors import Failure
from ....core.service import loglines
from ....core.service.handover import Handover
from ....core.service.settings import ServerSettings
from ...report.log import Log

if TYPE_CHECKING:
    from ...guard.channel import Guarded


def guard_of(settings: ServerSettings, handed: Handover, log: Log) -> "Guarded | None":
    """Take over the guard, which only root could start again; None where there is none.

    Raises Failure where it would have to do something else now.
    """
    guard, asked = handed.guard, settings.guard_and_keys
    if guard is None or asked is None:
        return None
    if guard.task != repr(asked):
        raise Failure("what the guard does is not what it was started for: stop the server and start it again")
    from ...guard import client, key_client  # noqa: F401  workers can import nothing once root is given up
    from ...guard.channel import Guarded

    if not handed.trial:
        log.warn(loglines.kept_guard(guard.pid))
    return Guarded(guard.pid, socket.socket(fileno=guard.channel), guard.keys)
