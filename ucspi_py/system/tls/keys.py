"""Where keys come from, now and when they are renewed. Never looks into one."""

import os
from collections.abc import Sequence
from typing import Protocol

from ...core.errors import unable
from ...core.tls.settings import Pair
from ..rules.whole_file import lasting_version
from .pem import sealed


class KeySource(Protocol):
    """Gives keys to those who speak TLS."""

    async def fetch(self) -> Sequence[int] | None:
        """Fetch sealed descriptors, one for each pair in the order of the settings; None = nothing is new.

        The caller closes them. Raises Failure.
        """


class KeyFiles:
    """The files themselves, read again when one of them has changed. A forked child knows what was read before."""

    def __init__(self, pairs: Sequence[Pair]) -> None:
        self._pairs = pairs
        self._known: tuple[tuple[int, ...], ...] | None = None

    async def fetch(self) -> list[int] | None:
        """See KeySource."""
        return self.changed()

    def changed(self) -> list[int] | None:
        """As fetch(), at once."""
        versions = self._versions()
        if versions is not None and versions == self._known:
            return None
        fds: list[int] = []
        try:
            for pair in self._pairs:
                fds.append(sealed(pair))
        except BaseException:
            for fd in fds:
                os.close(fd)
            raise
        self._known = versions
        return fds

    def _versions(self) -> tuple[tuple[int, ...], ...] | None:
        """Which versions the files have, before they are read; None where the next ones may look the same."""
        found = [lasting_version(_stat(path)) for pair in self._pairs for path in (pair.certificate, pair.key)]
        known = tuple(version for version in found if version)
        return known if len(known) == len(found) else None


def _stat(path: str) -> os.stat_result:
    try:
        return os.stat(path)
    except OSError as error:
        raise unable(f"read {path}", error) from None
