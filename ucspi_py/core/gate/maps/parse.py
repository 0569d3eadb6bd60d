"""The source of a table -> the table. Never reads a file."""

from collections.abc import Callable

from .cidr import cidr_table
from .indexed import indexed_table
from .table import Table
from .unfiled import inline_table, static_table

_PARSERS: dict[str, Callable[[bytes], Table]] = {"cidr": cidr_table, "inline": inline_table, "static": static_table}


def parse_table(kind: str, source: bytes) -> Table:
    """Read a table.

    kind: one of names.KINDS but cdb, which has no text. source: what the file says, or what stands behind ``inline:``
    or ``static:``. What is wrong stands in the table's flaws.
    """
    return _PARSERS.get(kind, indexed_table)(source)
