"""What a conversation works with: the process, its client, and those who decide and log. Never does anything."""

import socket
from collections.abc import Callable
from typing import NamedTuple

from ...core.gate.settings import GateSettings
from ...core.gate.visitor import Visitor
from ...core.smtp.dialogue import Dialogue
from .backend_pipe import BackendPipe
from .control import Control
from .session_log import SessionLog


class Host(NamedTuple):
    """What the process gives to each of its conversations. control: qmail's files, as they are."""

    settings: GateSettings
    control: Control


class Hold(NamedTuple):
    """How a client stands among those that may be asked to leave for newcomers.

    expose: it may be from now on; takes what is called then. protect: not any more; False where it has been already.
    """

    expose: Callable[[Callable[[], None]], None]
    protect: Callable[[], bool]


class Session(NamedTuple):
    """What one conversation works with. name: ours, in replies. socket: the client's."""

    name: bytes
    socket: socket.SocketType
    dialogue: Dialogue
    visitor: Visitor
    backend: BackendPipe
    hold: Hold
    log: SessionLog
