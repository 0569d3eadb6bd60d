"""The context that clients get, built anew when keys are renewed. What is in use stays where new keys are no good."""

import asyncio
import datetime
import mmap
import os
import ssl
from collections.abc import Callable, Iterator, Sequence

from ...core.errors import Failure
from ...core.tls import loglines, validity
from ...core.tls.settings import TlsSettings
from . import odd_names
from .context import build
from .keys import KeySource
from .pem import LIMIT
from .said_once import SaidOnce

#: Seconds between two looks for new keys; the second after keys that were no good: a renewal changes one file after the
#: other.
_LOOKS, _SOON = 60.0, 5.0


_WORD = 8


class Contexts:
    """The context of one service, in each of its processes, which are forked after it was made.

    say: gets what is wrong with keys, once for all processes.
    """

    def __init__(self, settings: TlsSettings, say: Callable[[str], None]) -> None:
        odd_names.keep_quiet()
        self._settings = settings
        self._say = say
        self._said = SaidOnce(1 + len(settings.pairs))
        self._ends: tuple[datetime.datetime | None, ...] = ()
        self._told_ends = memoryview(mmap.mmap(-1, _WORD * max(1, len(settings.pairs)))).cast("q")
        self._current: ssl.SSLContext | None = None

    @property
    def current(self) -> ssl.SSLContext:
        """What the next client gets. Raises Failure where there never were keys."""
        if self._current is None:
            raise Failure("no keys for TLS")
        return self._current

    def use(self, fds: Sequence[int]) -> None:
        """Use keys from now on. fds: as KeySource gives them; closed. Raises Failure; then all stays as it was."""
        try:
            self._current = build(self._settings, fds)
            self._ends = tuple(validity.not_after(os.pread(fd, 2 * LIMIT, 0)) for fd in fds)
            for number, end in enumerate(self._ends):
                self._told_ends[number] = int(end.timestamp()) if end else 0
        finally:
            for fd in fds:
                os.close(fd)
        self._said.is_new(0, "")
        self._tell_days_left()

    async def keep(self, source: KeySource) -> None:
        """Look for new keys now, and every minute, for ever."""
        while True:
            await asyncio.sleep(_LOOKS if await self.look(source) else _SOON)

    async def look(self, source: KeySource) -> bool:
        """Use new keys where there are any; False where they are no good, which is said once."""
        try:
            fds = await source.fetch()
            if fds is not None:
                self.use(fds)
        except Failure as failure:
            if self._said.is_new(0, failure.sentence):
                self._say(loglines.stays(failure.sentence))
            return False
        self._tell_days_left()
        return True

    def days_left(self) -> Iterator[tuple[str, int | None]]:
        """Yield each certificate in use, and its days as loglines.ends() takes them; None = that cannot be told."""
        now = datetime.datetime.now(datetime.UTC)
        for pair, end in zip(self._settings.pairs, self._ends, strict=True):
            yield pair.certificate, validity.days_left(end, now) if end else None

    def ends(self) -> Iterator[tuple[str, int]]:
        """Yield each certificate that is in use, and the second since 1970 when it ends; 0 = that cannot be told.

        As the last process knows that has read keys.
        """
        for number, pair in enumerate(self._settings.pairs):
            yield pair.certificate, self._told_ends[number]

    def _tell_days_left(self) -> None:
        for number, (certificate, days) in enumerate(self.days_left(), start=1):
            sentence = None if days is None else loglines.ends(certificate, days)
            if sentence and self._said.is_new(number, sentence):
                self._say(sentence)
