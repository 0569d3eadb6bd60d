"""TLS keys as root reads them from their files, whenever these have changed. Never looks into one."""

import os
import time
from collections.abc import Sequence

from ...core.errors import AskedWrongly
from ...core.tls.settings import Pair
from ..rules.whole_file import version_of
from ..tls import pem

#: Pairs of one service: unix(7) passes 253 descriptors at once.
_MOST = 250
#: Seconds for which one look at the files holds, however often workers ask.
_LOOKS = 1.0
#: Seconds within which two changes of a file may have the same time (whole_file.py).
_TICK = 0.1

#: Of each file which version it is.
_Versions = list[tuple[int, ...]]


class KeyFiles:
    """The certificates and keys of a service.

    generation: the number of those that are in use, 1 = the first. descriptors: of sealed PEMs, in the order of the
    pairs, which we keep. Raises Failure where one cannot be read the first time.
    """

    def __init__(self, pairs: Sequence[Pair]) -> None:
        if len(pairs) > _MOST:
            raise AskedWrongly(f"{len(pairs)} certificates, {_MOST} at most")
        self._pairs = pairs
        self._next_look = time.monotonic() + _LOOKS
        self.generation = 1
        self._versions = _versions(pairs)
        self.descriptors = _read(pairs)

    def look(self) -> None:
        """Read the files anew where any of them has changed. Raises Failure where one cannot be: all stays as it is."""
        if not self._pairs or time.monotonic() < self._next_look:
            return
        self._next_look = time.monotonic() + _LOOKS
        versions = _versions(self._pairs)
        if versions is not None and versions == self._versions:
            return
        descriptors = _read(self._pairs)
        for fd in self.descriptors:
            os.close(fd)
        self.generation, self._versions, self.descriptors = self.generation + 1, versions, descriptors


def _versions(pairs: Sequence[Pair]) -> _Versions | None:
    """Which version each file is; None where one is missing, or so new that the next one may look the same."""
    try:
        found = [os.stat(path) for pair in pairs for path in (pair.certificate, pair.key)]
    except OSError:
        return None
    if any(0 <= time.time() - status.st_ctime < _TICK for status in found):
        return None
    return [version_of(status) for status in found]


def _read(pairs: Sequence[Pair]) -> list[int]:
    """A sealed descriptor of each pair. Raises Failure."""
    descriptors: list[int] = []
    try:
        for pair in pairs:
            descriptors.append(pem.sealed(pair))
    except BaseException:
        for fd in descriptors:
            os.close(fd)
        raise
    return descriptors
