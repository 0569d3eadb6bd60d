"""A message's headers as milters hear of them and change them. Never judges a header.

Source: Postfix, milter8.c, milter8_header(); cleanup_milter.c, cleanup_add_header() and its like.
"""

from itertools import islice
from typing import NamedTuple

from ...milter.changes import HeaderAdded, HeaderChange, HeaderChanged, HeaderInserted
from ..maps.action import HEADER_NAME


class Header(NamedTuple):
    """One header. name: as it is written. lines: all of it, without line ends; the first has the name, too."""

    name: bytes
    lines: tuple[bytes, ...]

    @property
    def value(self) -> bytes:
        """All behind the colon, its lines divided by LF alone, as milters hear it."""
        return b"\n".join(self.lines).partition(b":")[2]

    @property
    def text(self) -> bytes:
        """All of it, its lines divided by LF alone, as tables are asked for it."""
        return b"\n".join(self.lines)


def begun(line: bytes) -> Header | None:
    """Begin a header with its first line; None where that is none."""
    found = HEADER_NAME.match(line)
    return Header(found[1], (line,)) if found else None


def made(name: bytes, value: bytes, *, has_blank: bool) -> Header:
    """Make a header of a milter's. has_blank: the value has its own blank behind the colon (SMFIP_HDR_LEADSPC).

    Whatever the milter takes for a line end, no line of it ends the header or is another one.
    """
    first, *others = value.replace(b"\r\n", b"\n").replace(b"\r", b" ").replace(b"\0", b"").split(b"\n")
    folded = (line if line.startswith((b" ", b"\t")) else b"\t" + line for line in others if line.strip())
    return Header(name, (name + b":" + (b"" if has_blank else b" ") + first, *folded))


def wanted(change: HeaderChange, *, has_blank: bool) -> Header | None:
    """Make the header that a milter wants; None = it wants one to be deleted. has_blank: as of made()."""
    if isinstance(change, HeaderChanged) and not change.value:
        return None
    return made(change.name, change.value, has_blank=has_blank)


def changed(headers: list[Header], change: HeaderChange, header: Header | None, above: int) -> int:
    """Change headers as a milter asks for. header: as wanted() has made it, or another one in its place.

    Postfix counts places with its own Received among them, of which milters do not hear, and which stands above those
    of the message; what is inserted before it stays there. above: how many headers stand above that -> how many do
    then. One that is to be changed and is not there is added.
    """
    if isinstance(change, HeaderChanged):
        return _put(headers, change, header, above)
    if header and isinstance(change, HeaderAdded):
        headers.append(header)
    elif header and isinstance(change, HeaderInserted):
        is_above = change.at <= above
        headers.insert(change.at - (not is_above), header)
        return above + is_above
    return above


def _put(headers: list[Header], change: HeaderChanged, header: Header | None, above: int) -> int:
    name = change.name.lower()
    places = (at for at, one in enumerate(headers) if len(one.name) == len(name) and one.name.lower() == name)
    place = next(islice(places, change.nth - 1, None), None)
    if place is None:
        if header:
            headers.append(header)
        return above
    if header:
        headers[place] = header
        return above
    del headers[place]
    return above - (place < above)
