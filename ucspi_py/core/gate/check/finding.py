"""One thing that --check finds, and how it is shown. Never finds one."""

import enum
import re
from typing import NamedTuple

#: How a sentence that refuses a configuration begins with its place.
_PLACED = re.compile(r"(.+? line \d+|-o|default of \w+): (.*)", re.DOTALL)
_LINE = re.compile(r" line (\d+)\Z")


class Kind(enum.Enum):
    """What a finding means.

    ERROR: the gate does not start with it, or a milter of it is of no use. WARNING: it does not do what it seems to.
    NOTE: it is worth knowing. FINE: it is as it should be.
    """

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"
    FINE = "fine"


class Finding(NamedTuple):
    """One thing that was found.

    kind: what it means. where: the place that has it, ``main.cf line 3``; "" = none. sentence: what it is. remedy: what
    to do; "" = nothing, or the sentence says so.
    """

    kind: Kind
    where: str
    sentence: str
    remedy: str = ""

    def __str__(self) -> str:
        """``main.cf:3: warning: what; what to do``, as compilers say it."""
        place = f"{self.file}:{self.line}: " if self.line else f"{self.where}: " if self.where else ""
        between = " " if self.sentence.endswith("?") else "; "
        return f"{place}{self.kind.value}: " + between.join(filter(None, (self.sentence, self.remedy)))

    @property
    def file(self) -> str:
        """The place without its line."""
        return _LINE.sub("", self.where)

    @property
    def line(self) -> int:
        """The number of the line; 0 = there is none."""
        found = _LINE.search(self.where)
        return int(found[1]) if found else 0


def warning(where: str, sentence: str, remedy: str = "") -> Finding:
    """Make the finding of a trap. where, sentence, remedy: as of a finding."""
    return Finding(Kind.WARNING, where, sentence, remedy)


def error(sentence: str) -> Finding:
    """Make the finding of what refuses a configuration. sentence: with its place, where it has one."""
    placed = _PLACED.fullmatch(sentence)
    return Finding(Kind.ERROR, placed[1], placed[2]) if placed else Finding(Kind.ERROR, "", sentence)
