"""A rules directory of s6-tcpserver-access (s6-accessrules-cdb-from-fs) -> rules source."""

from collections.abc import Iterable, Mapping

from .folder_entry import FolderEntry
from .imported import NAMED, Imported, Name, Subject, Unsaid, address, name, network, rule, variable

_ORDER = "s6 asks for names only where no address or network is there; rules ask for =host before a network"
_KINDS = ("ip4", "ip6", "reversedns")


def import_s6(files: Iterable[FolderEntry]) -> Imported:
    """The files below ip4, ip6 and reversedns. Whom no rule is about is denied there, and so here."""
    lines: list[bytes] = []
    unsaid: list[Unsaid] = []
    kinds: set[bool] = set()
    for (kind, key), contents in sorted(_by_rule(files, unsaid).items()):
        where = f"{kind}/{key}"
        subjects = _subjects(kind, key)
        if not subjects:
            unsaid.append(Unsaid(where, "the rule", "its name is no network and no host"))
        elif "allow" in contents:
            said = _allowed(contents, where, unsaid)
            lines.extend(rule(subject, said) if said else b"# left out: " + address(subject) for subject in subjects)
            kinds.add(kind == "reversedns")
        elif "deny" in contents:
            lines.extend(rule(subject, b"deny") for subject in subjects)
            kinds.add(kind == "reversedns")
    if len(kinds) > 1:
        unsaid.append(Unsaid("all rules", "their order between names and networks", _ORDER))
    return Imported((*lines, b":deny"), tuple(unsaid))


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


def _subjects(kind: str, key: str) -> list[Subject]:
    if kind == "reversedns":
        host = NAMED if key == "@" else name(key)
        return [] if not host else [host] if host == NAMED else [host, Name(host.text, below=True)]
    found = network("/".join(key.rsplit("_", 1)))
    return [found] if found else []


def _allowed(contents: Mapping[str, bytes], where: str, unsaid: list[Unsaid]) -> bytes | None:
    if "exec" in contents:
        unsaid.append(Unsaid(f"{where}/exec", "the command line", "a rule runs no program of its own"))
        return None
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
