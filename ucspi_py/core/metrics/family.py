"""A family of metrics: samples that have one name, one meaning and one kind. Never counts."""

from collections.abc import Sequence
from enum import StrEnum
from typing import NamedTuple

#: Names and values of labels, in their order.
Labels = tuple[tuple[str, str], ...]


class Kind(StrEnum):
    """What a family's numbers are, in the words of both formats."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"
    SUMMARY = "summary"


class Sample(NamedTuple):
    """One number. value: it. suffix: of the family's name, such as ``_sum``; a counter's ``_total`` is added later."""

    value: float
    labels: Labels = ()
    suffix: str = ""


class Family(NamedTuple):
    """All numbers of one name. name: without ``_total``. text: what they mean, one line."""

    name: str
    kind: Kind
    text: str
    samples: Sequence[Sample]


def gauge(name: str, text: str, value: float) -> Family:
    """Make the family of one number that goes up and down. value: the number."""
    return Family(name, Kind.GAUGE, text, (Sample(value),))
