"""The queue for slots: clients that may relay first; first come, first served in each kind. Never claims a slot."""

from collections import deque
from typing import Generic, NamedTuple, TypeVar

Client = TypeVar("Client")


class Turn(NamedTuple, Generic[Client]):
    """The client whose turn it is. leave: slots that must stay free for others when it has got one."""

    client: Client
    leave: int


class SlotQueue(Generic[Client]):
    """Queues clients that wait for a slot. reserve: slots that are for clients that may relay alone (--reserve)."""

    def __init__(self, reserve: int) -> None:
        self._reserve = reserve
        self._relaying: deque[Client] = deque()
        self._others: deque[Client] = deque()

    def __len__(self) -> int:
        """How many wait."""
        return len(self._relaying) + len(self._others)

    def is_awaited(self) -> bool:
        """Whether anybody waits; asked for every client, and cheaper than the length."""
        return bool(self._relaying or self._others)

    def leave(self, *, may_relay: bool) -> int:
        """Count the slots that must stay free when a client gets one. may_relay: its rule sets RELAYCLIENT."""
        return 0 if may_relay else self._reserve

    def must_wait(self, *, may_relay: bool) -> bool:
        """Whether a client waits whose turn is before that of a newcomer. may_relay: of the newcomer."""
        return bool(self._relaying or (self._others and not may_relay))

    def join(self, client: Client, *, may_relay: bool) -> None:
        """Append a client behind all of its kind. may_relay: its kind."""
        (self._relaying if may_relay else self._others).append(client)

    def quit(self, client: Client) -> None:
        """Remove a client that waits no more; one that is not in the queue is ignored."""
        for queue in (self._relaying, self._others):
            if client in queue:
                queue.remove(client)

    def first(self) -> Turn[Client] | None:
        """The client whose turn it is; None where no client waits. While it cannot have a slot, no other gets one."""
        if self._relaying:
            return Turn(self._relaying[0], 0)
        return Turn(self._others[0], self._reserve) if self._others else None

    def serve_first(self) -> None:
        """Remove the first client, which has got its slot."""
        (self._relaying or self._others).popleft()
