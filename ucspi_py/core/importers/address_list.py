"""Lists of addresses and networks, one a line, without instructions -> rules source."""

import re
from collections.abc import Callable

from .imported import Imported, Keys, Unsaid, address, network, networks_of_range
from .spamdyke import ip_file


def import_networks(text: str, instructions: bytes) -> Imported:
    """Import one network, address or range ``1.2.3.0-1.2.3.255`` a line; ``#`` and ``;`` begin comments.

    instructions: of every rule, as behind the colon.
    """
    return _imported(text, re.compile(r"[#;]"), instructions, _networks)


def import_spamdyke(text: str, instructions: bytes) -> Imported:
    """Import an IP file of spamdyke: addresses, beginnings of them, octet ranges, networks; ``#`` first is a comment.

    instructions: of every rule, as behind the colon.
    """
    return _imported(text, re.compile(r"^#"), instructions, ip_file.read)


def _imported(text: str, comment: re.Pattern[str], instructions: bytes, read: Callable[[str], Keys]) -> Imported:
    """Import a list. Where rules cannot express an entry, denying ones are about more clients, others about fewer."""
    lines: dict[bytes, None] = {}
    unsaid = []
    for number, line in enumerate(text.split("\n"), 1):
        entry = comment.split(line, maxsplit=1)[0].strip()
        found = read(entry) if entry else Keys([], [])
        some = found.around if instructions.startswith(b"deny") else found.inside
        lines.update((one + b":" + instructions, None) for one in some)
        if found.why:
            unsaid.append(Unsaid(f"line {number}", entry, found.why))
    return Imported(tuple(lines), tuple(unsaid))


def _networks(entry: str) -> Keys:
    found = network(entry)
    some = [address(one) for one in ([found] if found else networks_of_range(entry))]
    if not some:
        return Keys([], [], "it is no address and no network")
    if found and network(entry.partition("/")[0].strip("[]")) != found._replace(length=found.bits):
        return Keys([], some, f"it has bits beyond its prefix: it is {some[0].decode()}, and only denied whole")
    return Keys(some, some)
