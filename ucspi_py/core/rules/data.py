"""The value of a compiled rule: deny, +VAR=value. Bytes -> Instructions. Never searches and never applies them."""

from typing import NamedTuple

from ..errors import CorruptRules


class Instructions(NamedTuple):
    """The instructions of one rule.

    deny: the client is turned away. variables: (name, value) pairs in written order, later ones win. origin: the source
    and the line it comes from, ``tcp.smtp:12``; None in a file without provenance.
    """

    deny: bool
    variables: tuple[tuple[bytes, bytes], ...]
    origin: bytes | None = None


#: What happens where no rule matches (rules.c: not found).
DEFAULT = Instructions(deny=False, variables=())


def items(value: bytes) -> list[bytes]:
    """Split a record's value into its zero-terminated items, without the zeros.

    Raises CorruptRules where the last item is not terminated: C would ignore it, and ``D`` would become an allow.
    """
    if not value:
        return []
    if not value.endswith(b"\0"):
        raise CorruptRules("a record is not terminated")
    return value[:-1].split(b"\0")


def provenance_item(name: bytes, line: int) -> bytes:
    """Build the provenance item of a record. name: of the source. line: its number, from 1.

    C passes over it, as over every letter it does not know (tcpserver.c, found).
    """
    return b"L%s:%d\0" % (name, line)


def provenance(value: bytes) -> bytes | None:
    """Find the source and the line that a record comes from, ``tcp.smtp:12``; None where it has no such item."""
    if not value.endswith(b"\0"):
        return None
    last = value[:-1].rpartition(b"\0")[2]
    return last[1:] if last.startswith(b"L") else None


def without_provenance(value: bytes) -> bytes:
    """Remove the provenance item from a record's value; without one it stays as it is."""
    source = provenance(value)
    return value if source is None else value.removesuffix(b"L" + source + b"\0")


def instructions(value: bytes) -> Instructions:
    """Parse a record's value (tcpserver.c, found). Unknown items are ignored, as in C. Raises CorruptRules."""
    deny = False
    variables = []
    for item in items(value):
        if item.startswith(b"D"):
            deny = True
        elif item.startswith(b"+"):
            name, equals, text = item[1:].partition(b"=")
            if name and equals:
                variables.append((name, text))
    return Instructions(deny, tuple(variables), provenance(value))
