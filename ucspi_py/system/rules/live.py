"""Compiled rules on disk, read anew when they have changed. Never writes them and never searches in them itself."""

import errno
from collections.abc import Callable
from functools import lru_cache

from ...core.errors import CorruptRules, Failure, unable
from ...core.rules.data import DEFAULT, Instructions, instructions
from ...core.rules.match import match
from .checked_cdb import CheckedReader
from .whole_file import WholeFile

#: Clients whose decision, and keys whose value, is kept until the file changes: a flood comes from few.
_REMEMBERED = 4096

Get = Callable[[bytes], bytes | None]


class RulesFile:
    """A rules file that may be replaced at any moment.

    path: the cdb. allow_missing: -X; forgives only a file that does not exist.
    """

    def __init__(self, path: str, allow_missing: bool = False) -> None:
        self.path = path
        self._allow_missing = allow_missing
        self._file = WholeFile(path, self._parse)
        self._decide = lru_cache(_REMEMBERED)(_decision)

    def decide(self, ip: bytes, host: bytes | None, info: bytes | None) -> Instructions:
        """What the rules, as they are now, say of a client; the default where no rule matches.

        ip: the canonical address. host, info: name and ident answer, None where unknown. Raises Failure as current().
        """
        get = self.current()
        try:
            return self._decide(get, ip, host, info)
        except CorruptRules as corrupt:
            raise unreadable(self.path, corrupt) from None

    def current(self) -> Get:
        """The look-up of the file as it is now, read again only when it has changed.

        Raises Failure ``unable to read PATH: reason``; what was read earlier is never used instead of a bad file.
        """
        try:
            return self._file.current()
        except OSError as error:
            if error.errno == errno.ENOENT and self._allow_missing:
                return _nothing
            raise unable(f"read {self.path}", error) from None
        except CorruptRules as corrupt:
            raise unreadable(self.path, corrupt) from None

    def _parse(self, data: bytes) -> Get:
        self._decide.cache_clear()
        # Whoever comes is new, but not the networks that are asked for on its account.
        return lru_cache(_REMEMBERED)(CheckedReader(data).get)


def _decision(get: Get, ip: bytes, host: bytes | None, info: bytes | None) -> Instructions:
    found = match(get, ip, host, info)
    return instructions(found.value) if found else DEFAULT


def unreadable(path: str, corrupt: CorruptRules) -> Failure:
    """The one clear line for a damaged rules file."""
    return Failure(f"unable to read {path}: corrupt rules file, {corrupt.sentence}")


def _nothing(_key: bytes) -> None:
    return None


def decider(path: str | None, allow_missing: bool) -> Callable[[bytes, bytes | None, bytes | None], Instructions]:
    """Make what decides about an address, a name and an ident answer.

    path: of the file; None = there are no rules. allow_missing: as of RulesFile.
    """
    return (lambda *_client: DEFAULT) if path is None else RulesFile(path, allow_missing).decide
