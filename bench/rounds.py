"""Measurements taken in turns, so that whatever the machine does meanwhile hits all alike. Never judges them."""

from collections.abc import Callable, Mapping
from typing import TypeVar

T = TypeVar("T")
K = TypeVar("K")


def interleaved(rounds: int, measures: Mapping[K, Callable[[], T]]) -> dict[K, list[T]]:
    """What each measure gave in each round; every other round goes the other way around."""
    results: dict[K, list[T]] = {name: [] for name in measures}
    for number in range(rounds):
        for name in measures if number % 2 == 0 else reversed(list(measures)):
            results[name].append(measures[name]())
    return results
