"""The changes that one filter wants in one message, held against their limits. Never makes them."""

from .changes import BodyReplaced, Change, Quarantined
from .failure import MilterFailed

#: Changes of one message, and their bytes without its body.
_CHANGES_LIMIT, _BYTES_LIMIT = 10_000, 1024 * 1024


class WantedChanges:
    """Those of one message.

    changes: that nobody has taken. holds: whether the message is to be held, at whatever event that was said.
    body_limit: bytes of another body, to be set; None = any.
    """

    def __init__(self) -> None:
        self.body_limit: int | None = None
        self.changes: list[Change] = []
        self.holds = False
        self._number = self._bytes = self._body_bytes = 0

    def add(self, change: Change) -> None:
        """Keep one more. Raises MilterFailed beyond a limit."""
        if isinstance(change, BodyReplaced):
            self._body_bytes += len(change.data)
            if self.body_limit is not None and self._body_bytes > self.body_limit:
                raise MilterFailed(f"it wants another body of more than {self.body_limit} bytes")
        else:
            self._count(change)
        self.changes.append(change)
        self.holds = self.holds or isinstance(change, Quarantined)

    def take(self) -> list[Change]:
        """Those since the last call."""
        changes, self.changes = self.changes, []
        return changes

    def drop(self) -> None:
        """Do nothing of those that nobody has taken."""
        self.changes.clear()

    def forget(self) -> None:
        """Begin with another message."""
        self.changes.clear()
        self.holds = False
        self._number = self._bytes = self._body_bytes = 0

    def _count(self, change: Change) -> None:
        self._number += 1
        self._bytes += sum(len(part) for part in change if isinstance(part, bytes))
        if self._number > _CHANGES_LIMIT or self._bytes > _BYTES_LIMIT:
            raise MilterFailed("it wants too many changes")
