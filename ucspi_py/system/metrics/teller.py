"""The teller: a process of its own, beside the workers, that tells the numbers of a service to whoever scrapes them.

No client waits for it, however slow or many scrapers are. Ends when the master does.
"""

import asyncio
import socket
import time
from collections.abc import Callable

from ...core.errors import Failure
from ...core.metrics import request as requests
from ...core.metrics.exposition import Format
from ...core.metrics.request import Flaw, Request, response
from ..stream.one_answer import Limits, OneAnswer, until_gone

#: Scrapers that may wait to be accepted.
BACKLOG = 256
_LIMITS = Limits(BACKLOG, at_once=128, seconds=2.0, request=requests.LIMIT)
#: Seconds for which a text is good enough for the next scraper.
_FRESH = 0.1
#: Seconds between two versions of the file.
_FILE = 15.0
_PLAIN = b"text/plain; charset=utf-8"


class Teller:
    """Tells numbers. tell: makes their text in a format. is_alive: whether the service is.

    unready: why clients should go elsewhere, "" = they need not. write: keeps the numbers in a file, and raises
    Failure; None = there is none. complain: hears why it cannot.
    """

    def __init__(
        self,
        tell: Callable[[Format], bytes],
        is_alive: Callable[[], bool],
        unready: Callable[[], str],
        write: Callable[[], None] | None,
        complain: Callable[[str], None],
    ) -> None:
        self._tell = tell
        self._is_alive = is_alive
        self._unready = unready
        self._write = write
        self._complain = complain
        self._told: dict[Format, tuple[float, bytes]] = {}

    def run(self, listener: socket.socket | None, death: int) -> None:
        """Tell until the master is gone. listener: where scrapers ask, None = nowhere. death: ends with the master."""
        asyncio.run(self._run(listener, death))

    async def _run(self, listener: socket.socket | None, death: int) -> None:
        server = await OneAnswer(self._answer, _LIMITS).serve(listener) if listener else None
        await until_gone(death, self._keep, _FILE if self._write else None)
        self._keep()
        if server:
            server.close()

    def _keep(self) -> None:
        if self._write is None:
            return
        try:
            self._write()
        except Failure as failure:
            self._complain(failure.sentence)

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(requests.END)
        writer.write(self._response(requests.request(head.removesuffix(requests.END))))
        await writer.drain()
        writer.write_eof()
        await reader.read(1)  # until the scraper has read all, or a reset could overtake it

    def _response(self, asked: Request | Flaw) -> bytes:
        if isinstance(asked, Flaw):
            return response(asked.status, _PLAIN, asked.status + b"\n")
        status, kind, body = self._found(asked)
        return response(status, kind, body, has_body=asked.has_body)

    def _text(self, form: Format) -> bytes:
        now = time.monotonic()
        made, text = self._told.get(form, (-_FRESH, b""))
        if made + _FRESH <= now:
            text = self._tell(form)
            self._told[form] = now, text
        return text

    def _found(self, asked: Request) -> tuple[bytes, bytes, bytes]:
        if asked.path == b"/metrics":
            return b"200 OK", asked.form.content_type, self._text(asked.form)
        if asked.path == b"/healthz":
            return _state("ok", self._dead())
        if asked.path == b"/readyz":
            return _state("ready", self._dead() or self._unready())
        return b"404 Not Found", _PLAIN, b"/metrics /healthz /readyz\n"

    def _dead(self) -> str:
        return "" if self._is_alive() else "the master is stopped"


def _state(good: str, bad: str) -> tuple[bytes, bytes, bytes]:
    """What is told of a state. bad: "" = it is good."""
    return b"503 Service Unavailable" if bad else b"200 OK", _PLAIN, f"{bad or good}\n".encode()
