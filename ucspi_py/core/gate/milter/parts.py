"""A message as milters hear of it, part by part, also while it comes. Never holds more than what nobody has taken."""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from ...milter import events
from ...milter.negotiation import Agreed
from ...milter.packet import CHUNK
from ...milter.words import Event
from .content import Headers, Unframed
from .header import Header


class Part(NamedTuple):
    """What milters are told in one step. headers: of HEADER. body: of BODY. size: bytes of either."""

    event: Event
    headers: tuple[Header, ...] = ()
    body: bytes = b""
    size: int = 0

    def data(self, agreed: Agreed) -> Sequence[bytes]:
        """Write the data of its packets, one for each header. agreed: with the milter."""
        if self.event is not Event.HEADER:
            return (self.body,)
        has_blank = agreed.has_blank
        return [events.header(header.name, header.value, has_blank=has_blank) for header in self.headers]


END_OF_HEADERS = Part(Event.EOH)


def of_headers(headers: Iterable[Header], *, in_runs: bool) -> Iterator[Part]:
    """Yield headers as parts. in_runs: as of Parts; a run is no larger than a piece of a body has to be."""
    run: list[Header] = []
    size = 0
    for header in headers:
        run.append(header)
        size += sum(map(len, header.lines))
        if size >= CHUNK or not in_runs:
            yield Part(Event.HEADER, tuple(run), b"", size)
            run, size = [], 0
    if run:
        yield Part(Event.HEADER, tuple(run), b"", size)


class Parts:
    """A message that comes in pieces of any size. has_body: whether anybody wants to hear of its body.

    in_runs: whether headers that come together are one part, as nobody answers each.
    waiting: bytes of the parts that wait to be taken; what is no whole part yet is not counted.
    """

    def __init__(self, *, has_body: bool, in_runs: bool) -> None:
        self.waiting = 0
        self._in_runs = in_runs
        self._headers = Headers()
        self._has_body = has_body
        self._unframed = Unframed()
        self._body = bytearray()
        self._parts = deque[Part]()

    @property
    def is_too_large(self) -> bool:
        """Whether its headers are beyond their limit, and the rest of it is not looked at."""
        return self._headers.is_too_large

    @property
    def has_next(self) -> bool:
        """Whether a part waits to be taken."""
        return bool(self._parts)

    def feed(self, content: bytes) -> None:
        """Take framed content."""
        if not self._headers.is_done:
            content = self._headers.feed(content)
            self._take_headers()
        if self._has_body and content:
            self._body += self._unframed.feed(content)
            while len(self._body) >= CHUNK:
                self._add_body(CHUNK)

    def end(self) -> None:
        """Take its end."""
        if not self._headers.is_done:
            self._headers.end()
            self._take_headers()
        if self._body:
            self._add_body(len(self._body))

    def next(self) -> Part | None:
        """Take the next part; None = more has to come first."""
        if not self._parts:
            return None
        part = self._parts.popleft()
        self.waiting -= part.size
        return part

    def drop_body(self) -> None:
        """Let nobody hear of the body any more."""
        self._has_body = False
        self._body.clear()
        self._parts = deque(part for part in self._parts if part.event is not Event.BODY)
        self.waiting = sum(part.size for part in self._parts)

    def _take_headers(self) -> None:
        headers, self._headers.headers = self._headers.headers, []
        for part in of_headers(headers, in_runs=self._in_runs):
            self._parts.append(part)
            self.waiting += part.size
        if self._headers.is_done:
            self._parts.append(END_OF_HEADERS)

    def _add_body(self, size: int) -> None:
        chunk = bytes(self._body[:size])
        del self._body[:size]
        self._parts.append(Part(Event.BODY, body=chunk, size=size))
        self.waiting += size
