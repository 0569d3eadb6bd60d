"""An instructions directory of ipsvd (ipsvd-instruct(5), ipsvd_check.c) -> rules source.

ipsvd looks for a file named after the address and its beginnings, then after the name and its domains, then ``0``.
"""

import re
from collections.abc import Iterable
from typing import NamedTuple

from ..numbers import MOST
from ..rules.cidr import Network
from .first_match import Entry, rules
from .folder_entry import FolderEntry
from .imported import EVERYBODY, Imported, Name, Pattern, Unsaid, closed, name, variable

#: The owner's bits of a mode (chmod(2)).
_READ, _EXECUTE = 0o400, 0o100
_BEGINNING = re.compile(r"(?:0|[1-9][0-9]{0,2})(?:\.(?:0|[1-9][0-9]{0,2})){0,3}")
_CONCURRENCY = re.compile(r"C0*([0-9]*)(?::(.*))?")
#: For C0, which is no limit to ipsvd: MAXCONNIP="0" would refuse every client.
_NO_LIMIT = str(MOST)


class _Said(NamedTuple):
    """A file's instructions. lost: what rules cannot express of it, each with why."""

    instructions: bytes
    lost: list[tuple[str, str]]


def import_ipsvd(files: Iterable[FolderEntry]) -> Imported:
    """Import the files of the directory, each named after an address, its beginning, a host, a domain or ``0``."""
    entries: list[Entry] = []
    ranks: list[tuple[int, int]] = []
    unsaid: list[Unsaid] = []
    for file in sorted(files):
        pattern = _pattern(file.path)
        said = _instructions(file)
        odd = [("the file", pattern.why)] if pattern.why else []
        unsaid += [Unsaid(file.path, *one) for one in odd + (said.lost if pattern.around else [])]
        entries.append(Entry(said.instructions, closed(said.instructions, [[pattern]]), file.path))
        kind = 2 if EVERYBODY in pattern.around else 1 if any(isinstance(one, Name) for one in pattern.around) else 0
        ranks.append((kind, -len(file.path.split("."))))
    found = rules(entries, ranks=ranks)
    return Imported(found.lines, (*unsaid, *found.unsaid))


def _pattern(text: str) -> Pattern:
    """The clients of a file: its name is compared as it is written."""
    if text == "0":
        return Pattern.exactly(EVERYBODY)
    octets = [int(octet) for octet in text.split(".")] if _BEGINNING.fullmatch(text) else []
    if octets and max(octets) < 256:
        base = int.from_bytes(bytes(octets).ljust(4, b"\0"), "big")
        return Pattern.exactly(Network(32, base, 8 * len(octets)))
    host = name(text)
    if not host or host.below or octets or text.endswith("."):
        return Pattern.exactly(why="no client is looked for under its name")
    subjects = (host, Name(host.text, below=True))
    if text != host.text:
        return Pattern.within(*subjects, why="its name has capital letters, which names in rules never have")
    return Pattern.exactly(*subjects)


def _instructions(file: FolderEntry) -> _Said:
    if not file.mode & (_READ | _EXECUTE):
        return _Said(b"deny", [])
    text = file.content.decode("utf-8", "surrogateescape")
    if file.mode & _EXECUTE:
        return _Said(b"deny", [(text.strip() or "nothing", "denied: a rule runs no program of its own")])
    said, limit, lost = b"allow", b"", []
    for line in text.split("\n"):
        if line.startswith("="):
            return _Said(b"deny", [(line, "denied: a rule looks up no host by its name")])
        if line.startswith("C"):
            limit, why = _limit(line)
        elif line.startswith("+"):
            one, why = _variable(line[1:])
            said += one
        else:
            why = "ipsvd does not know it either" if line and not line.startswith("#") else ""
        if why:
            lost.append((line, why))
    return _Said(said + limit, lost)


def _variable(text: str) -> tuple[bytes, str]:
    told, equals, value = text.partition("=")
    if not told:
        return b"", "ipsvd does not know it either"
    if not equals:
        return b"", "a rule cannot take a variable away"
    said = variable(told, value)
    return (b"", "there is no quote for this value") if said is None else (said, "")


def _limit(line: str) -> tuple[bytes, str]:
    """The limit on connections of one client, and the reply to one more. pytcpserver ends that line by itself."""
    found = _CONCURRENCY.match(line)
    number, message = (found[1], found[2]) if found else ("", None)
    limit = variable("MAXCONNIP", number or _NO_LIMIT) or b""
    if message is None:
        return limit, ""
    text = message.removesuffix("\\n").removesuffix("\\r").replace("\\\\", "\\")
    told = None if "\\n" in text or "\\r" in text else variable("DIEMSG", text)
    return (limit, "a line of a message can be said, nothing else of it") if told is None else (limit + told, "")
