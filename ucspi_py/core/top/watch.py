"""What is said of a client on its way, for those who watch who is inside. Never shows it."""

from typing import Protocol

from .visitor import State


class Watch(Protocol):
    """Hears what becomes of one client, or, in a worker, of the one that is served now."""

    def known(self, name: bytes | None, /) -> None:
        """Hear its name; None = it has none."""

    def at(self, state: State, helo: bytes = b"", /) -> None:
        """Hear what it is at now, and what it calls itself."""

    def waits(self, what: bytes, /) -> None:
        """Hear what is waited for on its behalf; b"" = nothing any more."""

    def logged_in(self, user: bytes, /) -> None:
        """Hear as whom it has logged in; b"" = as nobody."""

    def took(self) -> None:
        """Hear that one more message of its was taken."""

    def started(self, slot: int, pid: int, ip: bytes, port: bytes, name: bytes | None, /) -> None:
        """Hear that it has a program. slot: its row on the scoreboard. pid: its process id."""


class Unwatched:
    """Nobody watches. See Watch; _slot, _pid: as slot and pid there."""

    def known(self, _name: bytes | None, /) -> None:
        """See Watch."""

    def at(self, _state: State, _helo: bytes = b"", /) -> None:
        """See Watch."""

    def waits(self, _what: bytes, /) -> None:
        """See Watch."""

    def logged_in(self, _user: bytes, /) -> None:
        """See Watch."""

    def took(self) -> None:
        """See Watch."""

    def started(self, _slot: int, _pid: int, _ip: bytes, _port: bytes, _name: bytes | None, /) -> None:
        """See Watch."""


UNWATCHED = Unwatched()
