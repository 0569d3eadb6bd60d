"""Lint of the variables of a rule: names, quotes, numbers. Never looks at the address."""

import re
from collections.abc import Iterable, Iterator

from ..numbers import MOST, clamped, scan_ulong
from .finding import Flaw, brief

VARIABLE = re.compile(rb",([^=]*)=(.)(.*?)\2", re.DOTALL)
_USUAL_NAME = re.compile(rb"[A-Za-z_][A-Za-z0-9_]*")
_LIMITS = frozenset((b"MAXCONNIP", b"MAXCONNC"))
#: Variables whose values C reads with scan_ulong.
_NUMBERS = frozenset((*_LIMITS, b"MAXLOAD", b"DATABYTES"))
#: Variables whose readers know them in capital letters only.
_KNOWN = _NUMBERS | frozenset(
    b"CHANNEL RELAY RELAYCLIENT RBLSMTPD DIEMSG DIEMSG_MAXCONNIP DIEMSG_MAXCONNC DIEMSG_MAXLOAD "
    b"TCPREMOTEHOST TCPREMOTEINFO TCPREMOTEIP".split()
)
#: The one value of RELAY that means something.
_NEVER = b"never"
_DECIMALS = re.compile(rb"([0-9]{1,4})[.]([0-9]{1,2})")


def variable_flaws(instructions: bytes) -> Iterator[Flaw]:
    """Find the flaws of the variables in ``allow,NAME="VALUE"``, with the instructions that were meant."""
    if instructions.startswith(b"deny"):
        yield from _unseen(instructions)
        return
    for found in VARIABLE.finditer(instructions):
        flaw = _variable_flaw(found)
        if flaw:
            meant = (instructions[: found.start()] + one + instructions[found.end() :] for one in flaw.meant)
            yield flaw._replace(meant=tuple(meant))
        elif is_no_quote(found[2]):
            yield _unquoted(found)


def odd_numbers(variables: Iterable[tuple[bytes, bytes]]) -> Iterator[str]:
    """Find what is wrong with the numbers in an environment, as in a rule. variables: (name, value) pairs."""
    for name, value in variables:
        flaw = _number_flaw(name, value) if name in _NUMBERS else None
        if flaw:
            yield flaw.sentence


def is_no_quote(byte: bytes) -> bool:
    """Whether the byte behind an equals sign is one that nobody means as a quote."""
    return byte.isalnum() or byte in (b" ", b"\t", b"\r")


def quoted(text: bytes) -> bytes:
    """Quote the value at the beginning of a text, up to the next comma; the rest stays as it is."""
    value, comma, rest = text.partition(b",")
    value = value.strip(b" \t\r")
    in_quotes = len(value) > 1 and value[:1] in (b'"', b"'") and value.endswith(value[:1])
    return (value if in_quotes else _in_quotes(value)) + comma + rest


def _unseen(instructions: bytes) -> Iterator[Flaw]:
    """The flaw of a denied client's variables: tcpserver leaves it before anybody reads them."""
    first = VARIABLE.search(instructions)
    if not first:
        return
    said = [found[0] for found in VARIABLE.finditer(instructions) if found[1] == b"RBLSMTPD" and found[3]]
    meant = b"allow" + said[0] if said else b"deny"
    sentence = f"nobody reads {brief(first[1])} for a denied client, who is left without a word"
    yield Flaw(first.start(1), sentence, (meant,))


def _variable_flaw(found: re.Match[bytes]) -> Flaw | None:
    name, quote, value = found.groups()
    flaw = _name_flaw(name, value)
    if flaw:
        return flaw._replace(offset=found.start(1))
    if name == b"RELAY" and value != _NEVER and value.strip().lower() in (_NEVER, b"no"):
        sentence = f"RELAY {brief(value)!r} keeps nobody from relaying by a grant, never does"
        return Flaw(found.start(3), sentence, (_variable(name, _NEVER),))
    if name not in _NUMBERS or is_no_quote(quote):
        return None
    flaw = _number_flaw(name, value)
    return flaw._replace(offset=found.start(3)) if flaw else None


def _name_flaw(name: bytes, value: bytes) -> Flaw | None:
    told = brief(name.strip(b" \t"))
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


def _number_flaw(name: bytes, value: bytes) -> Flaw | None:
    """The flaw of a value that C reads as a number: the digits at its beginning, 0 where there are none."""
    if not value.isdigit():
        better = _number_meant(name, value)
        read = scan_ulong(value)
        refuses = ", which refuses everybody" if name in _LIMITS and not read else ""
        return Flaw(0, f"{brief(name)} {brief(value)!r} is read as the number {read}{refuses}", better)
    number = clamped(value)
    if number > MOST:
        return Flaw(0, f"{brief(name)} is larger than {MOST}, and no limit at all")
    if name in _LIMITS and not number:
        return Flaw(0, f"{brief(name)} 0 refuses everybody")
    if name == b"MAXLOAD" and 0 < number < 100:
        sentence = f"MAXLOAD counts hundredths, so {number} is a load average of {number / 100:.2f}"
        return Flaw(0, sentence, (_variable(name, b"%d" % (number * 100)),))
    return None


def _number_meant(name: bytes, value: bytes) -> tuple[bytes, ...]:
    if value.strip(b" \t").isdigit():
        return (_variable(name, value.strip(b" \t")),)
    if name == b"MAXLOAD" and (load := _DECIMALS.fullmatch(value)):
        return (_variable(name, b"%d" % int(load[1] + load[2].ljust(2, b"0"))),)
    return ()


def _unquoted(found: re.Match[bytes]) -> Flaw:
    name, quote, value = found.groups()
    sentence = f"the value of {brief(name)} is quoted with {brief(quote)!r}, so that it is {brief(value)!r}"
    return Flaw(found.start(2), sentence, (found.string[: found.start(2)] + quoted(found.string[found.start(2) :]),))


def _variable(name: bytes, value: bytes) -> bytes:
    return b",%b=%b" % (name, _in_quotes(value))


def _in_quotes(value: bytes) -> bytes:
    return b"'%b'" % value if b'"' in value else b'"%b"' % value
