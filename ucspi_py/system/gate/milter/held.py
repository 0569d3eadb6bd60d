"""A message that is held until milters have heard it: headers in memory, a body in a file beyond a limit."""

from collections.abc import Iterator

from ....core.gate.milter.content import Framed, Headers, Unframed, framed_headers
from ....core.gate.milter.header import Header
from ....core.gate.milter.parts import END_OF_HEADERS, Part, of_headers
from ....core.milter.packet import CHUNK
from ....core.milter.words import Event
from .spool import Spool


class HeldMessage:
    """One message. headers: as they are now. above: how many of them stand above our Received, as milters count them.

    close() gives its file back.

    Raises OSError wherever its file cannot be written or read.
    """

    def __init__(self) -> None:
        self.above = 0
        self._taken = Headers()
        self._body = Spool()
        self._is_changed = False

    @property
    def is_too_large(self) -> bool:
        """Whether its headers are beyond their limit: it cannot be passed on."""
        return self._taken.is_too_large

    @property
    def headers(self) -> list[Header]:
        """Its headers, to be changed in place."""
        return self._taken.headers

    def feed(self, content: bytes) -> None:
        """Take framed content."""
        body = self._taken.feed(content)
        if body:
            self._body.write(body)

    def end(self) -> None:
        """Take its end."""
        self._taken.end()

    def parts(self, *, in_runs: bool) -> Iterator[Part]:
        """Yield it as milters hear of it. in_runs: as of Parts."""
        yield from of_headers(self.headers, in_runs=in_runs)
        yield END_OF_HEADERS
        for chunk in self.chunks():
            yield Part(Event.BODY, body=chunk)

    def chunks(self) -> Iterator[bytes]:
        """Yield its body as milters hear of it."""
        unframed, held = Unframed(), b""
        for piece in self._body.pieces():
            held += unframed.feed(piece)
            while len(held) >= CHUNK:
                yield held[:CHUNK]
                held = held[CHUNK:]
        if held:
            yield held

    def content(self) -> Iterator[bytes]:
        """Yield it framed, in pieces."""
        pieces = self._body.pieces()
        first = next(pieces, b"")
        separator = b"\r\n" if self._taken.has_separator or (self._is_changed and first) else b""
        yield framed_headers(self.headers) + separator + first
        yield from pieces

    def change(self, headers: list[Header], body: Spool | None) -> None:
        """Let other headers and another body stand in it. body: framed; None = as it is.

        An empty line is between them then, also where there was none: the body's first line is to be no header.
        """
        self._is_changed |= headers != self.headers or body is not None
        self._taken.headers = headers
        if body is not None:
            self._body.close()
            self._body = body

    def close(self) -> None:
        """Give its file back."""
        self._body.close()


class NewBody:
    """Another body, as it comes from a milter."""

    def __init__(self) -> None:
        self._spool = Spool()
        self._framed = Framed()

    def feed(self, piece: bytes) -> None:
        """Take a piece. Raises OSError."""
        self._spool.write(self._framed.feed(piece))

    def end(self) -> Spool:
        """Take its end -> it, framed. Raises OSError."""
        self._spool.write(self._framed.end())
        return self._spool

    def close(self) -> None:
        """Hold it no more."""
        self._spool.close()
