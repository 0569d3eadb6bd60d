"""What policy services are told of one client beside what lists look at. Never asks one."""

from collections.abc import Mapping

from ....core.gate.loglines import About
from ....core.gate.policy.particulars import Particulars
from ....core.gate.visitor import Visitor
from ....core.smtp.envelope import Envelope


class Telling:
    """Tells of one client. environment: of its connection. unique_id: of that."""

    __slots__ = ("_client_port", "_esmtp", "_messages", "_says_ehlo", "_server", "_size", "_unique_id")

    def __init__(self, environment: Mapping[bytes, bytes], unique_id: bytes) -> None:
        self._client_port = environment.get(b"TCPREMOTEPORT", b"")
        self._server = environment.get(b"TCPLOCALIP", b""), environment.get(b"TCPLOCALPORT", b"")
        self._unique_id = unique_id
        self._messages = 0
        self._size = 0
        self._esmtp = self._says_ehlo = False

    def greets(self, verb: bytes) -> None:
        """Note HELO or EHLO before it is judged. verb: which of both."""
        self._says_ehlo = verb == b"EHLO"

    def greeted(self) -> None:
        """Note that it was not refused."""
        self._esmtp = self._says_ehlo

    def begun(self) -> None:
        """Note that a message begins."""
        self._messages += 1
        self._size = 0

    def come(self, size: int) -> None:
        """Note that a message has come. size: bytes of it."""
        self._size = size

    def particulars(self, visitor: Visitor, about: About) -> Particulars:
        """Tell what is so now. about: as of SessionLists.judge()."""
        envelope = about if isinstance(about, Envelope) else None
        parameters = dict(envelope.parameters) if envelope else {}
        login_sender = parameters.get(b"AUTH") or b""
        return Particulars(
            b"%b.%d" % (self._unique_id, self._messages),
            envelope.esmtp if envelope else self._esmtp,
            self._says_ehlo,
            self._size or int(parameters.get(b"SIZE") or 0),
            self._client_port,
            *self._server,
            visitor.method,
            b"" if login_sender == b"<>" else login_sender,
            visitor.tls,
        )
