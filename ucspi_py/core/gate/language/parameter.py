"""What a parameter of the gate is. Never reads one."""

from collections.abc import Callable
from typing import NamedTuple


class Parameter(NamedTuple):
    """One parameter.

    field: of the settings in which its value stands; "" = of no field of the gate: the lists or the limits have it, or
    others refer to it. parse: its text -> its value; raises ValueError. default: the text of its default; None where a
    control file has that. explanation: one line.
    """

    name: str
    field: str
    parse: Callable[[str], object]
    default: str | None
    explanation: str
