"""One client's TLS between bytes that come and bytes that go. Never touches its socket, and so never waits."""

import hashlib
import socket
import ssl
from functools import cache
from typing import Any

from ...core.tls.facts import TlsFacts
from ...core.tls.subject import written
from .context import Connection


class TlsSession:
    """What is fed is what the client has sent; what output() gives is to be sent to it, after every other call.

    socket: its socket, still to be closed by whoever has the session. Errors are OSError, as those of a socket are:
    ssl.SSLError is one.
    """

    __slots__ = ("_connection", "_facts", "_has_ended", "_has_failed", "_in", "_out", "socket")

    def __init__(self, context: ssl.SSLContext, connected: socket.SocketType) -> None:
        self.socket = connected
        self._has_ended = self._has_failed = False
        self._facts: TlsFacts | None = None
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
            self._has_ended = True

    @property
    def holds_input(self) -> bool:
        """Whether anything was fed that was not read yet."""
        return bool(self._in.pending or self._connection.pending())

    @property
    def is_over(self) -> bool:
        """Whether nothing follows what was fed: the client has said its last, or is not understood any more."""
        return self._has_failed or self._has_ended

    def read(self, limit: int) -> bytes | None:
        """Read what the client says; b"" where more has to be fed, None where it has said its last.

        limit: bytes. An end without close_notify is an end, too: in SMTP it is usual. Raises OSError.
        """
        if self._has_failed:
            raise OSError("its TLS has failed before")
        pieces: list[bytes] = []
        # Asked before, as an exception costs as much as many a client's question.
        while limit > 0 and self.holds_input:
            try:
                piece = self._connection.read(limit)
            except ssl.SSLWantReadError:
                break
            except OSError:
                # Not the error: that has this frame, a circle that would keep 50 KB of OpenSSL's until it is collected.
                self._has_failed = True
                if pieces:
                    break
                raise
            if not piece:
                self._has_ended = True
                break
            pieces.append(piece)
            limit -= len(piece)
        return b"".join(pieces) or (None if self._has_ended else b"")

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
        if self._facts is None:
            self._facts = self._known()
        return self._facts

    def _known(self) -> TlsFacts:
        connection = self._connection
        cipher, _, bits = connection.cipher() or ("", "", 0)
        asked = connection.server_name if isinstance(connection, Connection) else None
        known = TlsFacts(_name(connection.version() or ""), _name(cipher), bits, (asked or "").encode())
        shown = connection.getpeercert()
        signed = connection.getpeercert(binary_form=True) if shown else None
        if not (shown and signed):
            return known
        names: dict[str, Any] = {kind: shown.get(kind, ()) for kind in ("subject", "issuer")}
        return known._replace(
            subject=written(names["subject"]),
            issuer=written(names["issuer"]),
            serial=str(shown.get("serialNumber", "")).encode(),
            fingerprint=hashlib.sha256(signed).hexdigest().encode(),
        )


@cache
def _name(text: str) -> bytes:
    """One of OpenSSL's names, of which there are few, once for all clients."""
    return text.encode()
