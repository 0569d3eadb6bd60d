"""Noise for the dialogue with a filter; see tests/fuzz.py.

No exception; whatever comes in pieces comes to the same; no answer without a packet that has it, so that nothing
passes that a filter has refused; no change where none is agreed on; nothing in a reply that would end its line.
"""

import random
from collections import Counter

from ucspi_py.core.milter.changes import BodyReplaced, HeaderAdded, HeaderChanged, HeaderInserted
from ucspi_py.core.milter.dialogue import MilterDialogue, Passed
from ucspi_py.core.milter.negotiation import VERSIONS, Offer
from ucspi_py.core.milter.packet import number, packed
from ucspi_py.core.milter.words import Event
from ucspi_py.core.smtp.reply import Reply

_WORDS = (
    *(packed(b"c"),) * 40,
    *(packed(word) for word in (b"a", b"d", b"r", b"t", b"s", b"p", b"p", b"4")),
    packed(b"y", b"550 5.7.1 No\0"),
    packed(b"y", b"451-4.7.1 One\r\n451 4.7.1 Two\0"),
)
_CHANGES = (
    packed(b"h", b"X-A\0b\0"),
    packed(b"i", number(1) + b"X-A\0b\0"),
    packed(b"m", number(1) + b"X-A\0\0"),
    packed(b"b", b"line\r\n"),
    packed(b"e", b"<a@b>\0"),
    packed(b"+", b"<a@b>\0"),
    packed(b"2", b"<a@b>\0X=1\0"),
    packed(b"-", b"<a@b>\0"),
    packed(b"q", b"why\0"),
)
_WRONG = (*_CHANGES, packed(b"f"), packed(b"l"), packed(b"y", b"250 Ok\0"), packed(b"c", b"?"))
_ORDER = (
    Event.CONNECT,
    Event.HELO,
    *(Event.MAIL, Event.RCPT, Event.RCPT, Event.DATA, Event.HEADER, Event.HEADER, Event.EOH, Event.BODY, Event.BODY),
    Event.END,
)
_TELLING = b"\0\r\n%-:452 +cardtspyhimbqe"


def optneg(chance: random.Random) -> bytes:
    version = chance.choice((*VERSIONS, 5, 7, *(2,) * 9, *(6,) * 9))
    actions = chance.choice((*(0x1FF,) * 9, 0x3F, 0, chance.randrange(0x400)))
    protocol = chance.choice((0, 0, chance.randrange(2**21), chance.randrange(2**32)))
    lists = b"".join(number(chance.randrange(9)) + b"i j\0" for _ in range(chance.choice((0, 0, 2))))
    return packed(b"O", number(version) + number(actions) + number(protocol) + lists)


def answer_of(event: Event, chance: random.Random) -> bytes:
    """A packet that is an answer to an event, for the most part."""
    if chance.random() < 0.01:
        return chance.choice(_WRONG)
    return chance.choice(_CHANGES if event is Event.END and chance.random() < 0.6 else _WORDS)


def noisy(data: bytes, chance: random.Random) -> bytes:
    noisy = bytearray(data)
    for _ in range(chance.choice((1, 3)) if chance.random() < 0.03 else 0):
        at = chance.randrange(len(noisy) + 1)
        noisy[at : at + chance.choice((0, 1))] = bytes([chance.choice(_TELLING)]) * chance.choice((0, 1, 1, 2))
    return bytes(noisy)


def fuzz_milters(count: int, chance: random.Random) -> Counter[str]:
    """So many sessions of filters; what became of them. Raises AssertionError with the one that was too much."""
    fates: Counter[str] = Counter()
    for _ in range(count):
        seed = chance.randrange(2**32)
        whole, pieces = (_session(random.Random(seed), in_pieces=in_pieces) for in_pieces in (False, True))
        assert whole == pieces, seed
        fates.update(whole)
    return fates


def _session(chance: random.Random, *, in_pieces: bool) -> list[str]:
    """One client -> what became of each event."""
    offer = Offer(chance.choice((6, 6, 6, *VERSIONS)), no_header_reply=chance.random() < 0.2)
    dialogue = MilterDialogue(offer)
    dialogue.wanted.body_limit = 20
    dialogue.negotiate()
    before = noisy(optneg(chance), chance)
    _feed(dialogue, before, in_pieces=in_pieces)
    while dialogue.answer is None:
        before = chance.choice(_WORDS)
        _feed(dialogue, before, in_pieces=in_pieces)
    fates = ["agreed" if dialogue.agreed else "not agreed"]
    for event in _ORDER:
        said = b""
        if dialogue.answer is not None:
            dialogue.tell(event, b"x\0", b"i\x001\0")
            dialogue.take_output()
        while dialogue.answer is None and len(said) < 500:
            packet = noisy(answer_of(event, chance), chance)
            said += packet
            _feed(dialogue, packet, in_pieces=in_pieces)
        fates.append(_fate(dialogue, event, said and before[-4:] + said))  # where the head of a packet may be
        before += said
    return fates


def _feed(dialogue: MilterDialogue, data: bytes, *, in_pieces: bool) -> None:
    for piece in (bytes([byte]) for byte in data) if in_pieces else (data,):
        dialogue.receive(piece)


def _fate(dialogue: MilterDialogue, event: Event, said: bytes) -> str:
    changes = dialogue.take_changes()
    assert not changes or (dialogue.agreed and dialogue.agreed.actions)
    for change in changes:
        if isinstance(change, HeaderAdded | HeaderInserted | HeaderChanged):
            assert change.name.isascii() and b":" not in change.name and b"\n" not in change.name
        assert not isinstance(change, BodyReplaced) or len(change.data) <= 20
    if dialogue.failure:
        return "failed"
    if dialogue.answer is None:
        dialogue.abort()
        return "still due"
    if isinstance(dialogue.answer, Reply):
        assert dialogue.answer.code >= 400
        assert dialogue.answer.wire.count(b"\n") == len(dialogue.answer.texts)
        return "refused"
    if said and dialogue.answer is Passed.ON:
        assert any(packed(word) in said for word in (b"c", b"a", b"s", b"d")), said
    return "changed" if changes and event is Event.END else dialogue.answer.value
