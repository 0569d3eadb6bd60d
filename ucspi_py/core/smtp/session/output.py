"""Replies on their way to the client, and those that wait for a pause to end. Never decides what is said."""


class Output:
    """What is to be sent. held: a reply that waits; b"" = none does. is_paused: whether its pause has begun."""

    __slots__ = ("_ready", "held", "is_paused")

    def __init__(self) -> None:
        self._ready = self.held = b""
        self.is_paused = False

    def say(self, reply: bytes, *, slowly: bool) -> None:
        """Send a reply. slowly: not before a pause; no other may be said until it has ended."""
        if slowly:
            self.held = reply
        else:
            self._ready += reply

    def resume(self) -> None:
        """End the pause."""
        self._ready += self.held
        self.held = b""
        self.is_paused = False

    def take(self) -> bytes:
        """Take what may be sent, in order."""
        ready, self._ready = self._ready, b""
        return ready
