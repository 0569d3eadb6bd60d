"""Who gets the next free slot: clients that may relay first; first come, first served in each kind. Never claims it."""

from collections import deque
from typing import Generic, NamedTuple, TypeVar

Client = TypeVar("Client")


class Turn(NamedTuple, Generic[Client]):
    """The client whose turn it is. leave: how many slots must stay free for others when it has got one."""

    client: Client
    leave: int


class SlotQueue(Generic[Client]):
    """The clients that wait for a slot. reserve: how many of the slots only clients that may relay are given."""

    def __init__(self, reserve: int) -> None:
        self._reserve = reserve
        self._relaying: deque[Client] = deque()
        self._others: deque[Client] = deque()

    def __len__(self) -> int:
        """How many wait."""
        return len(self._relaying) + len(self._others)

    def __bool__(self) -> bool:
        """Whether anybody waits; asked for every client."""
        return bool(self._relaying or self._others)

    def leave(self, *, may_relay: bool) -> int:
        """How many slots must stay free when such a client gets one."""
        return 0 if may_relay else self._reserve

    def must_wait(self, *, may_relay: bool) -> bool:
        """Whether somebody waits whose turn is before that of a newcomer."""
        return bool(self._relaying or (self._others and not may_relay))

    def join(self, client: Client, *, may_relay: bool) -> None:
        """Let a client wait behind all of its kind."""
        (self._relaying if may_relay else self._others).append(client)

    def quit(self, client: Client) -> None:
        """Forget a client that waits no more; one that never did is no matter."""
        for queue in (self._relaying, self._others):
            if client in queue:
                queue.remove(client)

    def first(self) -> Turn[Client] | None:
        """Whose turn it is; None where nobody waits. Who cannot have a slot then keeps all others waiting, too."""
        if self._relaying:
            return Turn(self._relaying[0], 0)
        return Turn(self._others[0], self._reserve) if self._others else None

    def serve_first(self) -> None:
        """The first has got its slot."""
        (self._relaying or self._others).popleft()
