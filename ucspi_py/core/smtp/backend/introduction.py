"""A backend's banner, and HELO or EHLO until it takes one. Never told to the client but for a banner that refuses."""

from collections.abc import Callable
from functools import partial

from ..ehlo import keywords
from ..envelope import Envelope
from ..reply import Reply, reply
from .commands import hello
from .exchange import Due, Exchange, quoted

_Hello = tuple[bytes, bool]


class Introduction:
    """How far a backend knows the client.

    exchange: with the backend. remote_host: the name of a client that has said neither HELO nor EHLO. greeted: called
    when the backend has said its banner. keywords: what it has announced to EHLO. refusal: a 5xx banner, which
    holds for the whole session; None where there was none.
    """

    def __init__(self, exchange: Exchange, remote_host: bytes, greeted: Callable[[], None]) -> None:
        self.keywords: dict[bytes, bytes] = {}
        self.refusal: Reply | None = None
        self._exchange = exchange
        self._remote_host = remote_host
        self._name = b""
        self._told: _Hello | None = None
        self._taken: _Hello | None = None
        exchange.expect(Due("its start", partial(self._hear_banner, greeted)))

    def holds_for(self, envelope: Envelope) -> bool:
        """Whether the backend knows the client by the name that it uses now."""
        return self._taken == (envelope.helo, envelope.esmtp)

    def make(self, envelope: Envelope, made: Callable[[], None]) -> None:
        """Tell the client's name anew. envelope: of its message. made: called when the backend has taken it."""
        self._told = (envelope.helo, envelope.esmtp)
        self._name = envelope.helo or self._remote_host
        self.keywords = {}
        if envelope.esmtp:
            self._exchange.tell(hello(b"EHLO", self._name), Due("EHLO", partial(self._hear_ehlo, made)))
        else:
            self._tell_helo(made)

    def _tell_helo(self, made: Callable[[], None]) -> None:
        self._exchange.tell(hello(b"HELO", self._name), Due("HELO", partial(self._hear_helo, made)))

    def _hear_banner(self, greeted: Callable[[], None], heard: Reply) -> None:
        if heard.code == 220:
            greeted()
        elif heard.code >= 500:
            self.refusal = heard
            self._exchange.leave(heard)
        else:
            words = reply(451, b"4.3.0 " + heard.texts[0], *heard.texts[1:]) if heard.code >= 400 else None
            self._exchange.fail(f'greeted with "{quoted(heard.line)}"', words)

    def _hear_ehlo(self, made: Callable[[], None], heard: Reply) -> None:
        if heard.code == 250:
            self.keywords = keywords(heard)
            self._take(made)
        elif heard.hangs_up:
            self._fail(heard)
        else:
            self._tell_helo(made)

    def _hear_helo(self, made: Callable[[], None], heard: Reply) -> None:
        if heard.code == 250:
            self._take(made)
        else:
            self._fail(heard)

    def _take(self, made: Callable[[], None]) -> None:
        self._taken = self._told
        made()

    def _fail(self, heard: Reply) -> None:
        self._exchange.fail(f'took neither EHLO nor HELO: "{quoted(heard.line)}"')
