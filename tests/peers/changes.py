"""Messages by chance, and what a milter makes of them by chance: what it hears, says and asks for."""

import random
from collections.abc import Iterator

from tests.support.milter import CLOSES, CONTINUE, optneg
from ucspi_py.core.milter.packet import number, packed, strings
from ucspi_py.core.milter.words import FLAGS, Event, Protocol

_NAMES = [b"Subject", b"X-A", b"X-B", b"x-a", b"Received", b"From", b"DKIM-Signature"]
_VALUES = [
    b"one",
    b" two",
    b"",
    b"a\n\tb",
    b"a\nb",
    b"a\n b\n\tc",
    b"\xc3\xa9t\xc3\xa9",
    b"l" * 30,
    b"50% %s",
    b"a: b",
]
_FOLDS = [b" ", b" ", b" ", b"\r\n ", b"\r\n\t", b"  "]
_LINES = [b"", b".", b"..", b".x", b"line", b"a: b", b"\xe9", b"x" * 30]
_ENDS = [b"\r\n", b"\r\n", b"\r\n", b"\n"]
_PLACES = [0, 0, 1, 1, 2, 3, 100]
#: Addresses of a message and of what a milter makes of it.
SENDERS = [b"<s@far.example>", b"<>", b'<"a b"@far.example>']
_SENDERS = [b"<new@far.example>", b"<>", b"new@far.example", b"", b"<s@far.example>"]
_LOCALS = [b"r", b"t", b"u", b"v"]
_VERSIONS = [6, 6, 6, 6, 4, 3, 2]
_AT_THE_END = [CONTINUE, CONTINUE, CONTINUE, CONTINUE, packed(b"a"), packed(b"r"), packed(b"d"), packed(b"t")]
_ON_THE_WAY = [
    *(packed(word) for word in (b"a", b"r", b"d", b"t", b"s")),
    packed(b"p") + CONTINUE,
    packed(b"y", b"550 5.7.1 100%% spam\0"),
    packed(b"y", b"451-4.7.1 one\r\n451 4.7.1 two\0"),
]
_CHOSEN = [Protocol.HDR_LEADSPC, *(flag for flags in FLAGS.values() for flag in flags if flag)]


def milter(draw: random.Random) -> tuple[dict[bytes, bytes], set[bytes]]:
    """What a milter says, by the command that it hears, and to which it says nothing."""
    chosen = draw.sample(_CHOSEN, draw.choice([0, 0, 1, 2, 5]))
    version, protocol = draw.choice(_VERSIONS), Protocol(sum(chosen))
    if version < max(_VERSIONS):
        protocol &= Protocol.NOBODY | Protocol.NOHDRS  # the others came later
    says = {b"O": optneg(version, protocol=protocol), b"K": CLOSES}  # the next client agrees on something else
    if draw.random() < 0.4:
        says[draw.choice(b"CHMRTLNBE").to_bytes()] = draw.choice(_ON_THE_WAY)
    return {b"E": asked(draw) + draw.choice(_AT_THE_END)} | says, _unanswered(protocol)


def _unanswered(protocol: Protocol) -> set[bytes]:
    return {event.value for event in Event if FLAGS[event].unanswered & protocol}


def message(draw: random.Random) -> bytes:
    """The content of a message, as it is sent behind 354, without its end."""
    heads = b"".join(draw.choice(_NAMES) + b":" + _text(draw) + b"\r\n" for _ in range(draw.randrange(1, 8)))
    lines = b"".join(_stuffed(draw.choice(_LINES)) + b"\r\n" for _ in range(draw.randrange(5)))
    return heads + b"\r\n" + lines


def recipients(draw: random.Random) -> list[bytes]:
    """Its recipients, each once."""
    return [b"<%b@ours.example>" % local for local in draw.sample(_LOCALS[:3], draw.randrange(1, 4))]


def asked(draw: random.Random) -> bytes:
    """Packets of what a milter asks for at the end. Postfix wants those of a body one behind the other."""
    packets = list(_asked(draw))
    if draw.random() < 0.4:
        packets.insert(draw.randrange(len(packets) + 1), b"".join(_body(draw)))
    return b"".join(packets)


def _text(draw: random.Random) -> bytes:
    words = [draw.choice([b"alpha", b"beta", b"\xe9", b"c:d"]) for _ in range(draw.randrange(4))]
    return draw.choice([b" ", b"", b"  "]) + b"".join(word + draw.choice(_FOLDS) for word in words).rstrip()


def _stuffed(line: bytes) -> bytes:
    return b"." + line if line.startswith(b".") else line


def _asked(draw: random.Random) -> Iterator[bytes]:
    for _ in range(draw.choice([0, 1, 2, 3, 6])):
        name, value, kind = draw.choice(_NAMES), draw.choice(_VALUES), draw.choice(b"hhiiimmm")
        place = number(draw.choice(_PLACES))
        yield packed(bytes([kind]), (b"" if kind == ord("h") else place) + strings((name, value)))
    for _ in range(draw.choice([0, 0, 1, 2, 4])):
        address = draw.choice([b"<%b@ours.example>", b"%b@ours.example", b"<%b@OURS.example>"]) % draw.choice(_LOCALS)
        yield packed(draw.choice([b"+", b"-"]), address + b"\0")
    if draw.random() < 0.3:
        yield packed(b"e", draw.choice(_SENDERS) + b"\0")


def _body(draw: random.Random) -> list[bytes]:
    text = b"".join(draw.choice(_LINES) + draw.choice(_ENDS) for _ in range(draw.randrange(1, 8)))
    text = text.rstrip(b"\r\n") if draw.random() < 0.3 else text
    cuts = sorted(draw.randrange(len(text) + 1) for _ in range(draw.choice([0, 0, 1, 3])))
    return [packed(b"b", text[begin:end]) for begin, end in zip([0, *cuts], [*cuts, len(text)], strict=True)]
