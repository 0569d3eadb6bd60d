"""A rules directory of s6-tcpserver-access (s6-accessrules-cdb-from-fs) -> rules source.

s6 looks up the client's address and the networks around it, then its name and its domains, then ``@``.
"""

import ipaddress
from collections.abc import Iterable, Mapping

from ..rules.cidr import Network
from .first_match import Entry, rules
from .folder_entry import FolderEntry
from .imported import NAMED, Imported, Name, Pattern, Unsaid, closed, name, network, variable

_KINDS = ("ip4", "ip6", "reversedns")


def import_s6(files: Iterable[FolderEntry]) -> Imported:
    """Import the files below ip4, ip6 and reversedns. A client without a rule is denied there, and so here."""
    entries: list[Entry] = []
    ranks: list[tuple[int, int]] = []
    unsaid: list[Unsaid] = []
    for (kind, key), contents in sorted(_by_rule(files, unsaid).items()):
        where = f"{kind}/{key}"
        told = {path.partition("/")[0] for path in contents}
        if not told & {"allow", "deny"}:
            continue
        said = _allowed(contents, where, unsaid) if "allow" in told else b"deny"
        pattern = _pattern(kind, key)
        if pattern.why:
            unsaid.append(Unsaid(where, "the rule", pattern.why))
        entries.append(Entry(said, closed(said, [[pattern]]), where))
        ranks.append(_rank(pattern))
    found = rules(entries, default=b"deny", ranks=ranks)
    return Imported(found.lines, (*unsaid, *found.unsaid))


def _rank(pattern: Pattern) -> tuple[int, int]:
    """The narrower of two networks or names is looked for first."""
    first = pattern.around[0] if pattern.around else NAMED
    if isinstance(first, Network):
        return 0, -first.length
    return (2, 0) if first == NAMED else (1, -len(first.text.split(".")))


def _by_rule(files: Iterable[FolderEntry], unsaid: list[Unsaid]) -> dict[tuple[str, str], dict[str, bytes]]:
    found: dict[tuple[str, str], dict[str, bytes]] = {}
    for file in files:
        kind, _, rest = file.path.partition("/")
        key, slash, inside = rest.partition("/")
        if kind in _KINDS and slash:
            found.setdefault((kind, key), {})[inside] = file.content
        else:
            unsaid.append(Unsaid(file.path, "the file", "rules know addresses and host names only"))
    return found


def _pattern(kind: str, key: str) -> Pattern:
    """The clients of a rule: its name is compared as it is written."""
    if kind == "reversedns":
        return Pattern.exactly(NAMED) if key == "@" else _host(key)
    found = network("/".join(key.rsplit("_", 1))) if "_" in key else None
    if not found or (found.bits == 32) != (kind == "ip4") or key != _key(found):
        return Pattern.exactly(why="s6 looks for no network under its name: is it the first address of one?")
    return Pattern.exactly(found)


def _key(network: Network) -> str:
    address = ipaddress.IPv4Address if network.bits == 32 else ipaddress.IPv6Address
    return f"{address(network.base)}_{network.length}"


def _host(key: str) -> Pattern:
    host = name(key)
    if not host or host.below or key.endswith("."):
        return Pattern.exactly(why="s6 looks for no host under its name")
    subjects = (host, Name(host.text, below=True))
    if key != host.text:
        return Pattern.within(*subjects, why="its name has capital letters, which names in rules never have")
    return Pattern.exactly(*subjects)


def _allowed(contents: Mapping[str, bytes], where: str, unsaid: list[Unsaid]) -> bytes:
    """The instructions of a rule that allows; one that rules cannot express, or that s6 cannot read, denies."""
    if contents.get("exec"):
        unsaid.append(Unsaid(f"{where}/exec", "the command line", "denied: a rule runs no program of its own"))
        return b"deny"
    if "env" in contents:
        unsaid.append(Unsaid(f"{where}/env", "the file", "denied: it is no directory, which is an error to s6"))
        return b"deny"
    said = b"allow"
    for path, content in sorted(contents.items()):
        folder, _, variable_name = path.partition("/")
        if folder == "env" and variable_name:
            said += _variable(variable_name, content, f"{where}/{path}", unsaid)
    return said


def _variable(variable_name: str, content: bytes, where: str, unsaid: list[Unsaid]) -> bytes:
    """As s6-envdir reads a file: its first line without blanks at the end, a zero for a newline; empty takes away."""
    if not content:
        unsaid.append(Unsaid(where, variable_name, "a rule cannot take a variable away"))
        return b""
    value = content.split(b"\n")[0].rstrip(b" \t").replace(b"\0", b"\n").decode("utf-8", "surrogateescape")
    said = variable(variable_name, value)
    if not said:
        unsaid.append(Unsaid(where, variable_name, "there is no quote for this value"))
    return said or b""
