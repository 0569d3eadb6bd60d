"""The whitelists of a process: their files, read when that is asked for. Never decides what a line means."""

import errno
from collections.abc import Callable, Sequence

from ...core.errors import error_words
from ...core.greylist.attempt import Attempt, Passed
from ...core.greylist.triplet.settings import TripletSettings
from ...core.greylist.whitelist.clients import ClientList, client_list, has_address, has_name
from ...core.greylist.whitelist.lines import Expression, Source
from ...core.greylist.whitelist.recipients import RecipientList, has_recipient, recipient_list
from ..expressions.budget import Budget

_CLIENT = Passed(b"client whitelist")
_RECIPIENT = Passed(b"recipient whitelist")


class Whitelists:
    """Those of one process. tell: gets a sentence about each line or file that is passed over."""

    def __init__(self, settings: TripletSettings, tell: Callable[[str], object]) -> None:
        self._settings = settings
        self._tell = tell
        self._texts = dict[str, bytes]()
        self._budget = Budget()
        self._clients = ClientList()
        self._recipients = RecipientList()
        self._is_empty = True

    def read(self) -> None:
        """Read all files. Of one that cannot be read now what was read before holds."""
        self._clients = client_list(self._sources(self._settings.whitelist_clients))
        self._recipients = recipient_list(self._sources(self._settings.whitelist_recipients))
        self._is_empty = not (any(self._clients.entries) or any(self._recipients.entries))
        for flaw in self._clients.flaws + self._recipients.flaws:
            self._tell(str(flaw))

    def passed(self, attempt: Attempt) -> Passed | None:
        """Tell which of them has an attempt; None = neither."""
        if self._is_empty:
            return None
        if has_address(self._clients, attempt.ip):
            return _CLIENT
        return self._budget.spend(lambda: self._found(attempt))

    def _found(self, attempt: Attempt) -> Passed | None:
        if has_name(self._clients, attempt.name, self._late):
            return _CLIENT
        return _RECIPIENT if has_recipient(self._recipients, attempt.recipient, self._late) else None

    def _late(self, one: Expression) -> None:
        self._tell(f"{one.place}: the search took too long, and counted as one that finds nothing")

    def _sources(self, paths: Sequence[str]) -> list[Source]:
        for path in paths:
            try:
                with open(path, "rb") as file:
                    self._texts[path] = file.read()
            except OSError as error:
                self._failed(path, error)
        return [Source(path, self._texts[path]) for path in paths if path in self._texts]

    def _failed(self, path: str, error: OSError) -> None:
        """A site need not have a file of its own beside the one that comes with postgrey."""
        if not (path.endswith(".local") and error.errno == errno.ENOENT):
            self._tell(f"unable to read {path}: {error_words(error.errno)}")
