"""qmail's control files as they are now. Never decides what follows from them.

Each file is looked at once a second at most, and read again when it has changed.
"""

import os
import time
from collections.abc import Callable, Mapping
from typing import Generic, TypeVar

from ...core.errors import AskedWrongly, CorruptRules, Failure, unable
from ...core.gate import control_files
from ...core.gate.settings import GateSettings
from ...core.smtp.path import Path
from ...core.smtp.settings import Greeting
from ..rules.checked_cdb import CheckedReader
from ..rules.whole_file import WholeFile

#: Seconds between two looks at a file.
_LOOK = 1.0

T = TypeVar("T")


class Control:
    """A directory of control files.

    path: of the directory. complain: gets a sentence about what is wrong with a file, each time that it is wanted.
    clock: gives monotonic seconds.
    """

    def __init__(self, path: str, complain: Callable[[str], None], clock: Callable[[], float] = time.monotonic) -> None:
        def file(name: str, parse: Callable[[bytes], T]) -> _ControlFile[T]:
            return _ControlFile(os.path.join(path, name), parse, clock)

        self._complain = complain
        self._me = file("me", control_files.first_line)
        self._smtpgreeting = file("smtpgreeting", control_files.first_line)
        self._databytes = file("databytes", control_files.number)
        self._rcpthosts = file("rcpthosts", control_files.hosts)
        self._morercpthosts = file("morercpthosts.cdb", CheckedReader)
        self._validrcptto = file("validrcptto.cdb", CheckedReader)

    def check(self, settings: GateSettings) -> None:
        """Look before the first client comes whether all is there; of a missing rcpthosts there is a complaint.

        Raises AskedWrongly where nothing says our name, Failure for a file that cannot be read.
        """
        self.greeting(settings, {})
        self.holds(b"")

    def greeting(self, settings: GateSettings, environment: Mapping[bytes, bytes]) -> Greeting:
        """Make what a session says of its host. environment: the client's. Raises Failure as check() does."""
        myhostname = settings.myhostname or self._me.current()
        if not myhostname:
            raise AskedWrongly(f"myhostname is not set, and {self._me.path} does not say our name")
        most = control_files.databytes(environment, self._databytes.current())
        return control_files.greeting(settings, myhostname, self._smtpgreeting.current(), most)

    def holds(self, domain: bytes) -> bool | None:
        """Whether a domain is in rcpthosts or morercpthosts.cdb; None = what would tell it cannot be read.

        As in rcpthosts.c, what rcpthosts has needs no morercpthosts.cdb, and so none that can be read.
        """
        try:
            hosts = self._rcpthosts.current()
            if hosts is None:
                raise Failure(f"unable to read {self._rcpthosts.path}: file does not exist")
            listed = control_files.is_ours(domain, hosts, None)
            return listed or control_files.is_ours(domain, (), _look_up(self._morercpthosts))
        except Failure as failure:
            self._report(failure)
            return None

    def knows(self, recipient: Path) -> bool | None:
        """Whether validrcptto.cdb has a recipient, or there is no such file; None = it cannot be read."""
        try:
            look_up = _look_up(self._validrcptto)
            return look_up is None or control_files.is_known(recipient, look_up)
        except Failure as failure:
            self._report(failure)
            return None

    def _report(self, failure: Failure) -> None:
        self._complain(f"{failure.sentence}, recipients are refused for now")


class _ControlFile(Generic[T]):
    """One file. parse: tells what its bytes mean."""

    def __init__(self, path: str, parse: Callable[[bytes], T], clock: Callable[[], float]) -> None:
        self.path = path
        self._file = WholeFile(path, parse)
        self._clock = clock
        self._looks_again = 0.0
        self._found: T | Failure | None = None

    def current(self) -> T | None:
        """Tell what the file means; None where it does not exist. Raises Failure ``unable to read PATH: reason``."""
        now = self._clock()
        if now >= self._looks_again:
            self._looks_again = now + _LOOK
            self._found = self._look()
        if isinstance(self._found, Failure):
            raise Failure(self._found.sentence)
        return self._found

    def _look(self) -> T | Failure | None:
        try:
            return self._file.current()
        except FileNotFoundError:
            return None
        except OSError as error:
            return unable(f"read {self.path}", error)
        except CorruptRules as corrupt:
            return _damaged(self.path, corrupt)


def _look_up(file: _ControlFile[CheckedReader]) -> control_files.Get | None:
    """The look-up of a cdb; None where it does not exist. Raises Failure, also later, for a damaged part."""
    reader = file.current()
    if reader is None:
        return None

    def get(key: bytes) -> bytes | None:
        try:
            value: bytes | None = reader.get(key)
            return value
        except CorruptRules as corrupt:
            raise _damaged(file.path, corrupt) from None

    return get


def _damaged(path: str, corrupt: CorruptRules) -> Failure:
    return Failure(f"unable to read {path}: {corrupt.sentence}")
