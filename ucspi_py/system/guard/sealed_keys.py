"""The TLS keys that the guard hands out: which they are now, and since when. Never looks into one."""

import os
import time
from collections.abc import Sequence

from ...core.errors import AskedWrongly
from ...core.tls.settings import Pair
from ..tls.keys import KeyFiles

#: Pairs of one service: unix(7) passes 253 descriptors at once.
_MOST = 250
#: Seconds for which one look at the files holds, however often workers ask.
_LOOKS = 1.0


class SealedKeys:
    """The certificates and keys of a service.

    generation: the number of those that are in use, 1 = the first. descriptors: of sealed PEMs, in the order of the
    pairs, which we keep. Raises Failure where one cannot be read the first time.
    """

    def __init__(self, pairs: Sequence[Pair]) -> None:
        if len(pairs) > _MOST:
            raise AskedWrongly(f"{len(pairs)} certificates, {_MOST} at most")
        self._files = KeyFiles(pairs)
        self._next_look = time.monotonic() + _LOOKS
        self.generation = 1
        self.descriptors = self._files.changed() or []

    def look(self) -> None:
        """Read the files anew where any of them has changed. Raises Failure where one cannot be: all stays as it is."""
        if time.monotonic() < self._next_look:
            return
        self._next_look = time.monotonic() + _LOOKS
        descriptors = self._files.changed()
        if descriptors is not None:
            for fd in self.descriptors:
                os.close(fd)
            self.generation, self.descriptors = self.generation + 1, descriptors
