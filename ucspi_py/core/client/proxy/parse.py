"""The first bytes of a connection -> its header of the PROXY protocol. Pure, and never raises."""

from . import version1, version2
from .header import Flaw, Header, More


def parse(data: bytes) -> Header | More | Flaw:
    """Parse a header of either version.

    data: all that has come so far, or its beginning, FIRST bytes at least, or as many as More has said last; what
    stands behind the header is not looked at.
    """
    if _may_be(data, version2.SIGNATURE):
        return version2.parse(data)
    if _may_be(data, version1.BEGINNING):
        return version1.parse(data)
    return Flaw("no PROXY header")


def _may_be(data: bytes, beginning: bytes) -> bool:
    return beginning.startswith(data[: len(beginning)])
