"""The source of a table -> the table. Never reads a file."""

from collections.abc import Callable
from functools import partial

from .cidr import cidr_table
from .indexed import indexed_table
from .names import PATTERNS
from .patterns.table import pattern_table
from .table import Table
from .unfiled import inline_table, static_table

_PARSERS: dict[str, Callable[[bytes], Table]] = {
    "cidr": cidr_table,
    "inline": inline_table,
    "static": static_table,
    **{kind: partial(pattern_table, kind) for kind in PATTERNS},
}


def parse_table(kind: str, source: bytes) -> Table:
    """Read a table.

    kind: one of names.KINDS but cdb, which has no text. source: what the file says, or what stands behind ``inline:``
    or ``static:``. What is wrong stands in the table's flaws.
    """
    return _PARSERS.get(kind, indexed_table)(source)
