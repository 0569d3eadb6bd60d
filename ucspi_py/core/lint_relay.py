"""RELAYCLIENT in the wrong hands, and variables that are not what they seem. Never looks at whether a rule matches."""

import re
from collections.abc import Iterator

from .lint_finding import Flaw, shown
from .rules_cidr import Network

_VARIABLE = re.compile(rb",([^=]*)=(.)(.*?)\2", re.DOTALL)
_USUAL_NAME = re.compile(rb"[A-Za-z_][A-Za-z0-9_]*")
#: Variables whose readers know them in capital letters only.
_KNOWN = frozenset(
    b"RELAYCLIENT RBLSMTPD DATABYTES MAXCONNIP MAXCONNC DIEMSG TCPREMOTEHOST TCPREMOTEINFO TCPREMOTEIP".split()
)
#: Blocks of a /8 and more that are not public: this network, private, loopback, multicast and reserved.
_NOT_PUBLIC = ((0, 1), (10, 11), (127, 128), (224, 256))
_WIDE4 = 1 << 24
_WIDE6_LENGTH = 16


def variable_flaws(instructions: bytes) -> Iterator[Flaw]:
    """Yield the flaws of the variables in ``allow,NAME="VALUE"``, with the instructions that were meant."""
    for found in _VARIABLE.finditer(instructions):
        flaw = _variable_flaw(found)
        if flaw:
            meant = (instructions[: found.start()] + one + instructions[found.end() :] for one in flaw.meant)
            yield flaw._replace(meant=tuple(meant))


def relay_flaw(address: bytes, network: Network | None, instructions: bytes) -> Flaw | None:
    """Who gets RELAYCLIENT and should not. network: what the address is, where it is one in CIDR notation or IPv6."""
    names = [found[1] for found in _VARIABLE.finditer(instructions)]
    if instructions.startswith(b"deny") or b"RELAYCLIENT" not in names:
        return None
    if not address:
        return Flaw(0, "the default rule lets everybody relay: this is an open relay", (b":allow",))
    if b"=" in address:
        return Flaw(0, "a client chooses its own name: only with tcpserver -p may a name decide who relays")
    if network and network.bits == 128:
        public = network.base >> 125 == 1 or network.length < 3
        wide = f"an IPv6 /{network.length}" if network.length <= _WIDE6_LENGTH and public else ""
    else:
        wide = "a /8 of public addresses or more" if _public_size(address, network) >= _WIDE4 else ""
    return Flaw(0, f"{wide} may relay: this is nearly an open relay") if wide else None


def _variable_flaw(found: re.Match[bytes]) -> Flaw | None:
    name, quote, value = found.groups()
    flaw = _name_flaw(name, value)
    if flaw:
        return flaw._replace(offset=found.start(1))
    if quote.isalnum() or quote in b" \t\r":
        sentence = f"the value of {shown(name)} is quoted with {shown(quote)!r}, so that it is {shown(value)!r}"
        return Flaw(found.start(2), sentence, (_variable(name, quote + value + quote),))
    return None


def _name_flaw(name: bytes, value: bytes) -> Flaw | None:
    told = shown(name.strip(b" \t"))
    if name != name.strip(b" \t"):
        sentence = f"a blank belongs to the name of the variable {told}"
        return Flaw(0, sentence, (_variable(name.strip(b" \t"), value),))
    if not name:
        return Flaw(0, "the variable has no name")
    if b"\0" in name + value:
        return Flaw(0, f"a NUL in {told} ends its value, and what follows is read as instructions of its own")
    if not _USUAL_NAME.fullmatch(name):
        return Flaw(0, f"{told} is no usual name for a variable")
    if name.upper() in _KNOWN and name != name.upper():
        return Flaw(0, f"who reads {told} knows it in capital letters only", (_variable(name.upper(), value),))
    return None


def _variable(name: bytes, value: bytes) -> bytes:
    return b',%b="%b"' % (name, value)


def _public_size(address: bytes, network: Network | None) -> int:
    """How many public IPv4 addresses there are in an address of the rules; 0 for one that matches nothing."""
    firsts, size = _blocks(address) if network is None else _blocks_of(network)
    return size * sum(not any(start <= first < end for start, end in _NOT_PUBLIC) for first in firsts)


def _blocks_of(network: Network) -> tuple[range, int]:
    return range(network.base >> 24, (network.end - 1 >> 24) + 1), min(network.size, _WIDE4)


def _blocks(address: bytes) -> tuple[range, int]:
    """The first octets of an address, and how many addresses it has under each."""
    octets = [octet.partition(b"-") for octet in address.removesuffix(b".").split(b".")]
    if not all(low.isdigit() and (not dash or high.isdigit()) for low, dash, high in octets) or len(octets) > 4:
        return range(0), 0
    ranges = [range(int(low), min(int(high or low), 255) + 1) for low, _, high in octets]
    size = 1 << 8 * (4 - len(octets))
    for behind in ranges[1:]:
        size *= len(behind)
    return ranges[0], size if (len(octets) == 4) != address.endswith(b".") else 0
