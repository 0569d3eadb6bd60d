"""One client's TLS between bytes that come and bytes that go. Never touches its socket, and so never waits."""

import hashlib
import socket
import ssl
from typing import Any

from ...core.tls.facts import TlsFacts
from ...core.tls.subject import written
from .context import Connection


class TlsSession:
    """What is fed is what the client has sent; what output() gives is to be sent to it, after every other call.

    socket: its socket, still to be closed by whoever has the session. Errors are OSError, as those of a socket are:
    ssl.SSLError is one.
    """

    __slots__ = ("_connection", "_has_hung_up", "_in", "_out", "socket")

    def __init__(self, context: ssl.SSLContext, connected: socket.SocketType) -> None:
        self.socket = connected
        self._has_hung_up = False
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._connection = context.wrap_bio(self._in, self._out, server_side=True)

    def shake_hands(self) -> bool:
        """Carry the handshake on; False where more has to be fed. Raises OSError where it has failed."""
        try:
            self._connection.do_handshake()
        except ssl.SSLWantReadError:
            return False
        return True

    def feed(self, data: bytes) -> None:
        """Take what has come. data: b"" = the client has hung up."""
        if data:
            self._in.write(data)
        else:
            # Not for OpenSSL to know: it would send an alert, and nothing after it.
            self._has_hung_up = True

    @property
    def holds_input(self) -> bool:
        """Whether anything was fed that was not read yet."""
        return bool(self._in.pending or self._connection.pending())

    def read(self, limit: int) -> bytes | None:
        """Read what the client says; b"" where more has to be fed, None where it has said its last.

        limit: bytes. An end without close_notify is an end, too: in SMTP it is usual. Raises OSError.
        """
        pieces: list[bytes] = []
        while limit > 0:
            try:
                piece = self._connection.read(limit)
            except ssl.SSLWantReadError:
                if self._has_hung_up:
                    return b"".join(pieces) or None
                break
            except OSError:
                if pieces:  # it comes again
                    break
                raise
            if not piece:
                return b"".join(pieces) or None
            pieces.append(piece)
            limit -= len(piece)
        return b"".join(pieces)

    def write(self, data: bytes) -> None:
        """Say something to the client. Raises OSError."""
        rest = memoryview(data)
        while rest:
            rest = rest[self._connection.write(rest) :]

    def close(self) -> None:
        """Say that nothing follows (close_notify). The client's is not waited for."""
        try:
            self._connection.unwrap()
        except OSError:
            pass  # it has not said so yet, or has more to say

    def output(self) -> bytes:
        """Take what is to be sent."""
        return self._out.read()

    def facts(self) -> TlsFacts:
        """Tell what is known of the client, once the handshake is over."""
        connection = self._connection
        cipher, _, bits = connection.cipher() or ("", "", 0)
        asked = connection.server_name if isinstance(connection, Connection) else None
        known = TlsFacts((connection.version() or "").encode(), cipher.encode(), bits, (asked or "").encode())
        shown, signed = connection.getpeercert(), connection.getpeercert(binary_form=True)
        if not (shown and signed):
            return known
        names: Any = shown.get("subject", ())
        return known._replace(
            subject=written(names),
            serial=str(shown.get("serialNumber", "")).encode(),
            fingerprint=hashlib.sha256(signed).hexdigest().encode(),
        )
