"""An instructions directory of ipsvd (ipsvd-instruct(5)) -> rules source."""

import re
from collections.abc import Iterable

from ..numbers import MOST
from .folder_entry import FolderEntry
from .imported import EVERYBODY, Imported, Name, Subject, Unsaid, address, name, network, prefix, rule, variable

_ORDER = "ipsvd asks for all addresses before names; rules ask for =host before a network"
_READ, _EXECUTE = 0o400, 0o100
_CONCURRENCY = re.compile(r"C([0-9]+)(?::(.*))?")


def import_ipsvd(files: Iterable[FolderEntry]) -> Imported:
    """The files of the directory, each named after an address, the beginning of one, a host, a domain or ``0``."""
    lines: list[bytes] = []
    unsaid: list[Unsaid] = []
    kinds: set[bool] = set()
    for file in sorted(files):
        subjects = _subjects(file.path)
        if not subjects:
            unsaid.append(Unsaid(file.path, "the file", "its name is no address and no host"))
            continue
        said = _instructions(file, unsaid)
        lines.extend(rule(subject, said) if said else b"# left out: " + address(subject) for subject in subjects)
        kinds.update(isinstance(subject, Name) for subject in subjects if subject != EVERYBODY)
    if len(kinds) > 1:
        unsaid.append(Unsaid("all files", "their order between names and networks", _ORDER))
    return Imported(tuple(lines), tuple(unsaid))


def _subjects(text: str) -> list[Subject]:
    if text == "0":
        return [EVERYBODY]
    found = prefix(text) or network(text)
    if found:
        return [found]
    host = name(text)
    return [host, Name(host.text, below=True)] if host and not host.below else []


def _instructions(file: FolderEntry, unsaid: list[Unsaid]) -> bytes | None:
    """What the rule says; None where the file decides in a way that no rule can."""
    if not file.mode & (_READ | _EXECUTE):
        return b"deny"
    text = file.content.decode("utf-8", "surrogateescape")
    if file.mode & _EXECUTE:
        unsaid.append(Unsaid(file.path, text.strip(), "a rule runs no program of its own"))
        return None
    said = b"allow"
    for line in text.split("\n"):
        if line.startswith("="):
            unsaid.append(Unsaid(file.path, line, "a rule looks up no host by its name"))
            return None
        if line and not line.startswith("#"):
            said += _instruction(line, file.path, unsaid)
    return said


def _instruction(line: str, where: str, unsaid: list[Unsaid]) -> bytes:
    """What a rule says for a line of a file; nothing where it cannot, and then it is told."""
    told, equals, value = line[1:].partition("=")
    limit = _CONCURRENCY.fullmatch(line)
    if limit:
        said = _limit(limit[1], limit[2])
        why = "a line of a message can be said, nothing else of it"
    elif line.startswith("+") and equals:
        said = variable(told, value)
        why = "there is no quote for this value"
    else:
        said = None
        why = "a rule cannot take a variable away" if line.startswith("+") else "ipsvd does not know it either"
    if said is None:
        unsaid.append(Unsaid(where, line, why))
    return said or b""


#: To ipsvd C0 is no limit, to pytcpserver MAXCONNIP="0" is nobody.
_NO_LIMIT = str(MOST)


def _limit(number: str, message: str | None) -> bytes | None:
    """The connections of one client, and what one more is told. pytcpserver ends the line by itself."""
    limit = variable("MAXCONNIP", number if number.strip("0") else _NO_LIMIT)
    if message is None or limit is None:
        return limit
    line = message.removesuffix("\\n").removesuffix("\\r").replace("\\\\", "\\")
    told = None if "\\n" in line or "\\r" in line else variable("DIEMSG", line)
    return None if told is None else limit + told
