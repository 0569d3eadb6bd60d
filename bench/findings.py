"""What was measured, held against its bar: as a table and as JSON. Never measures."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import median

Figures = Mapping[str, Sequence[float]]


@dataclass(frozen=True, slots=True)
class Bar:
    """What must be reached. sign: ``>=`` or ``<=``. unit: empty for a ratio. to: the contender of the ratio."""

    sign: str
    number: float
    unit: str = ""
    to: str = "tcpserver"

    def reached(self, number: float) -> bool:
        """Whether a number is on the right side."""
        return number >= self.number if self.sign == ">=" else number <= self.number

    def __str__(self) -> str:
        return f"{self.sign} {amount(self.number, self.unit)}"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the table.

    ours, tcpserver, tcpsvd, postfix: in ``unit``, None where there is nothing to compare. judged: the number for the
    bar, a ratio or an amount of the bar's unit; None where it could not be had, which is below any bar.
    """

    name: str
    work: str
    unit: str
    ours: float | None
    tcpserver: float | None
    tcpsvd: float | None
    judged: float | None
    bar: Bar
    note: str = ""
    postfix: float | None = None

    @property
    def ok(self) -> bool:
        """Whether the bar is reached."""
        return self.judged is not None and self.bar.reached(self.judged)

    def as_json(self) -> dict[str, object]:
        """Every field, the bar as it is printed, and the judgement."""
        return asdict(self) | {"bar": str(self.bar), "ok": self.ok}


def compared(name: str, work: str, unit: str, figures: Figures, bar: Bar) -> Finding:
    """Ours beside the others; judged by the median of the ratios to the bar's contender, round by round."""
    return Finding(
        name,
        work,
        unit,
        median(figures["ours"]),
        median(figures["tcpserver"]),
        median(figures["tcpsvd"]) if "tcpsvd" in figures else None,
        ratio(figures["ours"], figures[bar.to]),
        bar,
        postfix=median(figures["postfix"]) if "postfix" in figures else None,
    )


def ratio(ours: Sequence[float], theirs: Sequence[float]) -> float:
    """The median of the ratios of what was measured in the same rounds."""
    return median(our / their for our, their in zip(ours, theirs, strict=True))


def amount(number: float, unit: str = "") -> str:
    """A number as people read it, with its unit."""
    whole = number >= 100 or (unit and number == int(number))
    digits = 0 if whole else 1 if number >= 10 else 2 if number >= 0.2 else 3
    return f"{number:,.{digits}f}{' ' * bool(unit)}{unit}".replace(" /s", "/s")


def heading(tcpsvd: bool) -> str:
    """The table's first line."""
    return _line("work", "ours", "tcpserver", "tcpsvd" if tcpsvd else "", "postfix", "judged", "bar", "")


def line(finding: Finding) -> str:
    """The table's line for a finding; its note follows on a line of its own."""
    figures = (finding.ours, finding.tcpserver, finding.tcpsvd, finding.postfix)
    cells = ["-" if figure is None else amount(figure, finding.unit) for figure in figures]
    judged = "-" if finding.judged is None else amount(finding.judged, finding.bar.unit)
    text = _line(finding.work, *cells, judged, str(finding.bar), "ok" if finding.ok else "BELOW")
    return f"{text}\n    {finding.note}" if finding.note else text


def _line(work: str, *cells: str) -> str:
    return f"{work:<44}" + "".join(f"{cell:>12}" for cell in cells)


def below(findings: Iterable[Finding]) -> list[str]:
    """The names of those that do not reach their bar."""
    return [finding.name for finding in findings if not finding.ok]
