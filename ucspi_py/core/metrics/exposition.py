"""Families -> the text that Prometheus reads, in both formats. Never counts.

Sources: Prometheus text format 0.0.4; OpenMetrics 1.0.0, where a counter's family is named without ``_total`` and the
last line is ``# EOF``.
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from .family import Family, Kind, Labels, Sample


class Format(NamedTuple):
    """One of the formats. content_type: without it Prometheus 3 takes nothing."""

    content_type: bytes
    is_open: bool


TEXT = Format(b"text/plain; version=0.0.4; charset=utf-8", is_open=False)
OPEN = Format(b"application/openmetrics-text; version=1.0.0; charset=utf-8", is_open=True)

_ESCAPED_TEXT = str.maketrans({"\\": r"\\", "\n": r"\n"})
_ESCAPED_VALUE = str.maketrans({"\\": r"\\", "\n": r"\n", '"': r"\""})


def exposed(families: Iterable[Family], labels: Labels, form: Format) -> bytes:
    """Write families as text. labels: those that every sample begins with."""
    lines = [line for family in families for line in _family(family, labels, form)]
    if form.is_open:
        lines.append("# EOF")
    return "".join(f"{line}\n" for line in lines).encode("utf-8", "backslashreplace")


def _family(family: Family, labels: Labels, form: Format) -> Iterator[str]:
    total = "_total" if family.kind is Kind.COUNTER else ""
    title = family.name if form.is_open else family.name + total
    yield f"# HELP {title} {family.text.translate(_ESCAPED_VALUE if form.is_open else _ESCAPED_TEXT)}"
    yield f"# TYPE {title} {family.kind}"
    for sample in family.samples:
        yield _sample(family.name + (sample.suffix or total), labels, sample)


def _sample(name: str, labels: Labels, sample: Sample) -> str:
    told = ",".join(f'{label}="{value.translate(_ESCAPED_VALUE)}"' for label, value in (*labels, *sample.labels))
    return f"{name}{{{told}}} {_number(sample.value)}" if told else f"{name} {_number(sample.value)}"


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else repr(float(value))
