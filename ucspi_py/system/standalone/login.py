"""A login is told to the recorder, and the program behind it takes our place: whatever the recorder says, if it does.

Loads neither asyncio nor a store: it stands in the way of somebody who wants to read mail.
"""

import os

from ...core.errors import error_words
from ...core.ledger.recorder import loglines
from ...core.ledger.recorder.environment import is_on_socket, request
from ...core.ledger.recorder.request import Standing
from ..process.descriptors import is_socket
from ..process.rlimits import SoftLimits
from ..recorder import packets
from ..report.nonblocking import writer
from .next_program import become


def run(path: str, seconds: int, argv: tuple[str, ...], soft_limits: SoftLimits) -> None:
    """Tell of the login that $USER and descriptor 0 stand for, then become the program.

    path: of the recorder's socket. seconds: that the grant is to last. Raises Failure where the program cannot be run,
    and for nothing else.
    """
    environment = dict(os.environb)
    reason = _told(path, seconds, argv[0], environment)
    if reason:
        _say(loglines.not_recorded(reason))
    become(argv, environment, soft_limits)


def _told(path: str, seconds: int, program: str, environment: dict[bytes, bytes]) -> str:
    """Why there is no grant; "" = there is one."""
    login = request(environment, program, seconds)
    if login is None:
        return "nobody has logged in"
    try:
        reply = packets.ask(path, login, 0 if is_on_socket(environment) and is_socket(0) else None)
    except OSError as error:
        return f"unable to ask {path}: {error_words(error.errno) if error.errno else error}"
    except ValueError as flaw:
        return f"unable to ask {path}: {flaw}"
    return "" if reply.standing is Standing.GRANTED else reply.reason


def _say(line: str) -> None:
    """Write a line without waiting for a reader of the log that is stuck."""
    try:
        writer(2)(f"{line}\n".encode())
    except OSError:
        pass
