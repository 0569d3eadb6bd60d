"""A message's headers as milters hear of them and change them. Never judges a header.

Source: Postfix, milter8.c, milter8_header(); cleanup_milter.c, cleanup_add_header() and its like.
"""

from typing import NamedTuple

from ...milter.changes import HeaderAdded, HeaderChange, HeaderInserted
from ..maps.action import HEADER_NAME


class Header(NamedTuple):
    """One header. name: as it is written. lines: all of it, without line ends; the first has the name, too."""

    name: bytes
    lines: tuple[bytes, ...]

    @property
    def value(self) -> bytes:
        """All behind the colon, its lines divided by LF alone, as milters hear it."""
        found = HEADER_NAME.match(self.lines[0])
        first = self.lines[0][found.end() + 1 :] if found else self.lines[0]
        return b"\n".join((first, *self.lines[1:]))

    def has_name(self, name: bytes) -> bool:
        """Whether it has a name, in letters of any size."""
        return self.name.lower() == name.lower()


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


def changed(headers: list[Header], change: HeaderChange, *, has_blank: bool) -> None:
    """Change headers as a milter asks for. has_blank: as of made().

    Postfix counts places from its own Received, which stands above all of these one day: 0 and 1 are both the top.
    One that is to be changed and is not there is added.
    """
    if isinstance(change, HeaderAdded):
        headers.append(made(change.name, change.value, has_blank=has_blank))
        return
    if isinstance(change, HeaderInserted):
        headers.insert(max(change.at - 1, 0), made(change.name, change.value, has_blank=has_blank))
        return
    places = [at for at, header in enumerate(headers) if header.has_name(change.name)]
    place = places[change.nth - 1] if change.nth <= len(places) else None
    if not change.value:
        if place is not None:
            del headers[place]
        return
    header = made(change.name, change.value, has_blank=has_blank)
    if place is None:
        headers.append(header)
    else:
        headers[place] = header
