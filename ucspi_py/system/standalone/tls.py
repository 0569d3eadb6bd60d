"""TLS of a gate in a process of its own: the process reads its keys itself. Loaded only where a gate has TLS."""

import socket

from ...core.errors import Failure
from ...core.gate import loglines
from ...core.gate.tls.settings import GateTls
from ..gate.tls.starttls import StartTls
from ..process.secrecy import hide_memory
from ..report.log import Log
from ..tls.contexts import Contexts
from ..tls.keys import KeyFiles
from ..tls.session import TlsSession


def starttls(settings: GateTls, log: Log) -> StartTls:
    """Read the keys; nobody of the same user reads them in our memory. Raises Failure where they cannot be used."""
    contexts = Contexts(settings.tls, lambda sentence: log.warn(loglines.warning(sentence)))
    contexts.use(KeyFiles(settings.tls.pairs).changed() or ())
    hide_memory()
    return StartTls(settings, contexts)


async def wrapped(tls: StartTls, client: socket.SocketType, log: Log) -> TlsSession | None:
    """Shake hands with a client before the banner; None = no TLS can be spoken with it, and the log says why."""
    try:
        return await tls.ready()(client)
    except Failure as failure:
        log.warn(loglines.warning(f"SSL_accept error: {failure.sentence}"))
        return None
