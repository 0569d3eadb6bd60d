"""A script of changes played by whoever can make one change at a time. Never has a store."""

from typing import Any, Protocol, TypeVar

from ...core.store.change import Change, Script

T = TypeVar("T")


class Update(Protocol):
    """Applies a change to the record of a key -> its result."""

    async def __call__(self, key: str, change: Change[Any], /) -> Any: ...


async def play(script: Script[T], update: Update) -> T:
    """Play a script to its end, step by step -> what it returns. Raises what update raises."""
    try:
        step = next(script)
        while True:
            step = script.send(await update(step.key, step.change))
    except StopIteration as end:
        result: T = end.value
        return result
