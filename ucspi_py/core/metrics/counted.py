"""What is counted, and the cell of each number: a list of label values that never grows, whatever clients say.

Every number has its cell from the start, so that zero is there to be read. Never counts itself.
"""

from bisect import bisect_left
from collections.abc import Callable, Sequence
from itertools import accumulate, product
from typing import NamedTuple

from .family import Family, Kind, Labels, Sample, gauge

#: A cell's number -> the sum of all that was counted in it.
Sums = Callable[[int], int]

#: Microseconds of a second: cells hold whole numbers.
_MICRO = 1_000_000


#: Labels, each with all its values.
Known = tuple[tuple[str, tuple[str, ...]], ...]


class Counter(NamedTuple):
    """A counter. labels: its labels. first: the number of its first cell."""

    name: str
    text: str
    labels: Known
    first: int

    @property
    def cells(self) -> int:
        """How many cells it has."""
        return len(self.label_sets())

    @property
    def end(self) -> int:
        """The first cell behind its own."""
        return self.first + self.cells

    def label_sets(self) -> list[Labels]:
        """Its label sets, in the order of its cells."""
        return _label_sets(self.labels)

    def cell(self, *values: str) -> int:
        """The cell of label values, one for each label. A value that is none of its label's is the last of them."""
        return self.first + _at(self.labels, values)

    def family(self, sums: Sums) -> Family:
        """Its numbers as they are now."""
        samples = [Sample(sums(self.first + at), labels) for at, labels in enumerate(self.label_sets())]
        return Family(self.name, Kind.COUNTER, self.text, samples)


class Histogram(NamedTuple):
    """A histogram of seconds. bounds: upper ones of its buckets. first: the number of its first cell.

    Its cells: one for each bucket, one for all above them, and the sum in microseconds.
    """

    name: str
    text: str
    bounds: tuple[float, ...]
    first: int

    @property
    def cells(self) -> int:
        """How many cells it has."""
        return len(self.bounds) + 2

    @property
    def end(self) -> int:
        """The first cell behind its own."""
        return self.first + self.cells

    def bucket(self, seconds: float) -> int:
        """The cell in which a value is counted. seconds: the value."""
        return self.first + bisect_left(self.bounds, seconds)

    def sum(self) -> int:
        """The cell to which microseconds() of a value are added."""
        return self.first + len(self.bounds) + 1

    def family(self, sums: Sums) -> Family:
        """Its numbers as they are now. Buckets are cumulative there, and not in the cells."""
        counts = list(accumulate(sums(self.first + at) for at in range(len(self.bounds) + 1)))
        bounds = [*(f"{bound:g}" for bound in self.bounds), "+Inf"]
        buckets = [Sample(n, (("le", bound),), "_bucket") for bound, n in zip(bounds, counts, strict=True)]
        seconds = Sample(sums(self.sum()) / _MICRO, (), "_sum")
        return Family(self.name, Kind.HISTOGRAM, self.text, (*buckets, Sample(counts[-1], (), "_count"), seconds))


class Summary(NamedTuple):
    """How often something took how long. labels: its labels. first: the number of its first cell.

    Its cells: of each label set how often, and the sum in microseconds.
    """

    name: str
    text: str
    labels: Known
    first: int

    @property
    def end(self) -> int:
        """The first cell behind its own."""
        return self.first + 2 * len(_label_sets(self.labels))

    def count(self, *values: str) -> int:
        """The cell that counts how often, of label values as Counter.cell takes them."""
        return self.first + 2 * _at(self.labels, values)

    def sum(self, *values: str) -> int:
        """The cell to which microseconds() of a value are added."""
        return self.count(*values) + 1

    def family(self, sums: Sums) -> Family:
        """Its numbers as they are now."""
        samples = []
        for at, labels in enumerate(_label_sets(self.labels)):
            samples.append(Sample(sums(self.first + 2 * at), labels, "_count"))
            samples.append(Sample(sums(self.first + 2 * at + 1) / _MICRO, labels, "_sum"))
        return Family(self.name, Kind.SUMMARY, self.text, samples)


class Gauge(NamedTuple):
    """How many there are now: each process counts its own up and down. first: the number of its cell."""

    name: str
    text: str
    first: int

    @property
    def end(self) -> int:
        """The first cell behind its own."""
        return self.first + 1

    def family(self, sums: Sums) -> Family:
        """Its number as it is now."""
        return gauge(self.name, self.text, sums(self.first))


Counted = Counter | Histogram | Summary | Gauge


def microseconds(seconds: float) -> int:
    """Make of seconds what a cell holds, never less than 0. seconds: a value."""
    return max(0, round(seconds * _MICRO))


def _label_sets(labels: Known) -> list[Labels]:
    names = [name for name, _ in labels]
    return [tuple(zip(names, values, strict=True)) for values in product(*(values for _, values in labels))]


def _at(labels: Known, values: tuple[str, ...]) -> int:
    """Where the label set of these values is among all."""
    at = 0
    for value, (_, known) in zip(values, labels, strict=True):
        at = at * len(known) + (known.index(value) if value in known else len(known) - 1)
    return at


def families(counted: Sequence[Counted], sums: Sums) -> list[Family]:
    """All numbers as they are now."""
    return [one.family(sums) for one in counted]
