"""One process that tells of a login: heard, looked at, answered. In a thread of its own, which may hang.

What a user passes along can make close(2) wait for as long as that user likes: a file of a filesystem of his own, a
socket with SO_LINGER. Then nobody waits but this thread, and the user, who has only so many of them.
"""

import socket
import time
from collections.abc import Callable, Sequence

from ...core.errors import Failure
from ...core.ledger.recorder import loglines, proof
from ...core.ledger.recorder import request as requests
from ...core.ledger.recorder.proof import Asker, Proven
from ...core.ledger.recorder.request import Reply, Standing
from ...core.ledger.recorder.settings import RecorderSettings
from ..ledger.ledger import Granted, NotGranted
from .connected import connected
from .packets import received


class Visitors:
    """Answers those who come. say: writes a line to the log. record: writes a login down; raises Failure."""

    def __init__(
        self, settings: RecorderSettings, say: Callable[[bytes], None], record: Callable[[Proven], Granted | NotGranted]
    ) -> None:
        self._settings = settings
        self._say = say
        self._record = record

    def answer(self, visitor: socket.socket, uid: int) -> None:
        """Hear and answer one, and close the connection. uid: of the process at its other end."""
        try:
            with visitor, received(visitor) as (packet, descriptors):
                if packet:
                    visitor.send(requests.answer(self._reply(packet, descriptors, uid)))
        except OSError:
            pass  # it has hung up, or said nothing

    def _reply(self, packet: bytes, descriptors: Sequence[int], uid: int) -> Reply:
        try:
            request = requests.parsed(packet)
        except ValueError as flaw:
            return self._refused(uid, b"", str(flaw))
        if len(descriptors) > 1:
            return self._refused(uid, request.user, "more than one descriptor")
        asker = Asker(uid, connected(descriptors[0]) if descriptors else None)
        proven = proof.judge(request, asker, self._settings, int(time.time()))
        if isinstance(proven, str):
            return self._refused(uid, request.user, proven)
        return self._written(proven)

    def _written(self, proven: Proven) -> Reply:
        try:
            granted = self._record(proven)
        except Failure as failure:
            self._say(loglines.refused(proven.uid, proven.user, failure.sentence))
            return Reply(Standing.FAILED, "the ledger cannot be used")
        if isinstance(granted, NotGranted):
            return self._refused(proven.uid, proven.user, granted.sentence)
        self._say(loglines.granted(proven, *granted))
        return Reply(Standing.GRANTED)

    def _refused(self, uid: int, user: bytes, reason: str) -> Reply:
        self._say(loglines.refused(uid, user, reason))
        return Reply(Standing.REFUSED, reason)
