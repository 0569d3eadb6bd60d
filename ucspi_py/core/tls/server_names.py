"""Which of several things is for the server name that a client has asked for (SNI, RFC 6066, 3)."""

from collections.abc import Mapping
from typing import TypeVar

T = TypeVar("T")


def chosen(table: Mapping[str, T], name: str) -> T | None:
    """Find what is for a name: by the name, then by what stands below it, longest first; None = nothing.

    table: by names in lower case, ``.example.org`` for all below that. name: as the client wrote it.
    """
    wanted = name.lower().removesuffix(".")
    found = table.get(wanted)
    while found is None and "." in wanted:
        _, _, wanted = wanted.partition(".")
        found = table.get("." + wanted)
    return found
