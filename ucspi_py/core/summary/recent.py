"""What is remembered for a while, in bounded memory."""

from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Thing = TypeVar("Thing")


class Recent(Generic[Key, Thing]):
    """The newest things, by key. most: how many are remembered; of more the oldest is forgotten."""

    def __init__(self, most: int) -> None:
        self._most = most
        # A dict takes the longer to find its first key, the more were taken from its front.
        self._things: OrderedDict[Key, Thing] = OrderedDict()

    def put(self, key: Key, thing: Thing) -> bool:
        """Remember a thing, in place of that of the same key. Whether another one is forgotten for it."""
        forgets = key not in self._things and len(self._things) >= self._most
        if forgets:
            self._things.popitem(last=False)
        self._things[key] = thing
        return forgets

    def get(self, key: Key) -> Thing | None:
        """Tell what is remembered; None = nothing."""
        return self._things.get(key)

    def take(self, key: Key) -> Thing | None:
        """Tell what is remembered, and forget it; None = nothing."""
        return self._things.pop(key, None)

    def __contains__(self, key: Key) -> bool:
        return key in self._things

    def __len__(self) -> int:
        return len(self._things)
