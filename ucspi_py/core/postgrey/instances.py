"""Which messages have had their header, by the ``instance`` that all requests about one have. Never has a clock."""

from collections import deque

#: postgrey remembers the last ten; more messages than that may be on their way at once.
_REMEMBERED = 100


class Instances:
    """The last messages that had one."""

    def __init__(self) -> None:
        self._last: deque[bytes] = deque(maxlen=_REMEMBERED)

    def is_new(self, instance: bytes) -> bool:
        """Whether a message has had none, and note that it has one now. instance: b"" = not known, as of Exim: new."""
        if instance in self._last:
            return False
        if instance:
            self._last.append(instance)
        return True
