"""Noise for everything that reads what strangers send: python -m tests.fuzz

[--packets 1000000] [--dialogues 100000] [--sessions 1000000] [--headers 1000000] [--milters 200000]
[--milted 200000] [--seed N]; 0 = none of them.

DNS packets: no exception, never a listing out of a packet that is not a well-formed answer to the question, and the
same answer as dnspython's wherever that accepts the packet. Dialogues with refused clients: no exception, one of six
replies, never 354, no memory. Sessions of the gate: tests/fuzz_gate.py. Headers of proxies: tests/fuzz_proxy.py.
Milters: tests/fuzz_milter.py. The gate behind milters: tests/fuzz_milter_gate.py.
"""

import argparse
import random
import struct
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence

import dns.exception
import dns.flags
import dns.name
import dns.wire

from tests.fuzz_gate import fuzz_sessions
from tests.fuzz_milter import fuzz_milters
from tests.fuzz_milter_gate import fuzz_milted_gate
from tests.fuzz_proxy import fuzz_headers
from tests.support.packets import ID, ours, response, theirs
from ucspi_py.core.dns.message import TXT, A, Absent, Answer, Failed, Found, Question, is_answer, question
from ucspi_py.core.dnsbl.answers import Listed, after_address, after_text
from ucspi_py.core.dnsbl.zone import parse
from ucspi_py.core.smtp.refusal import LINE_LIMIT, RefusalDialogue
from ucspi_py.core.smtp.verdict import Refuse

_QUESTIONS = [question(b"2.0.0.127.bl.example", TXT), question(b"2.0.0.127.bl.example", A), question(b"x", A)]
_TEXTS = [
    [],
    [[b"listed"]],
    [[b"one", b"two"], [b""]],
    [[b"x" * 255, b"y" * 100]],
    [[b"a"]] * 9,
]
#: Bytes that mean something in a packet.
_TELLING = b"\0\1\x0c\x10\x3f\x40\x7f\x80\xc0\xff"

_LIST, _CODES, _ALLOW = parse("bl"), parse("bl=127.[0..255].[0..255].[0..255]"), parse("bl", allow=True)
_IP, _LISTING = b"192.0.2.7", Found((b"\x7f\0\0\2",))
#: What is an error of an allow-list without codes: you ask too much, or whatever a resolver answers about everybody.
_ERRORS = frozenset((b"\x7f\0\0\xff", b"\x7f\0\0\1"))

#: Everything that a refused client may hear.
_REPLIES = frozenset(
    (
        b"451 no",
        b"250 rblsmtpd.local",
        b"221 rblsmtpd.local",
        b"500 line too long",
        b"421 too many commands",
        b"421 this is an SMTP server",
    )
)
_WORDS = [
    *(b"HELO x", b"ehlo x", b"MAIL FROM:<a@b>", b"rcpt TO:<c@d>", b"DATA", b"BDAT 5 LAST", b"RSET", b"noop", b"QUIT"),
    *(b"STARTTLS", b"AUTH PLAIN x", b"VRFY x", b".", b"", b"GET / HTTP/1.1", b"\x16\x03\x01", b"blah", b"354", b" "),
]
_ENDS = [b"\r\n", b"\r\n", b"\r\n", b"\n", b"\r", b"\r\r\n", b"\n.\r\n", b"\r\n.\r\n", b"\r\n.\n", b"\0\r\n", b""]
#: Bytes that one dialogue may keep: an unfinished line, and three quotes of 100.
_MEMORY_LIMIT = LINE_LIMIT + 3 * 100


def fuzz_packets(number: int, chance: random.Random) -> Counter[str]:
    """So many packets; what became of them. Raises AssertionError with the packet that was too much."""
    honest = [(asked, response(asked, texts)) for asked in _QUESTIONS for texts in _TEXTS]
    fates: Counter[str] = Counter()
    for _ in range(number):
        asked, packet = chance.choice(honest)
        packet = chance.choice(_MUTATIONS)(packet, asked, chance)
        for _ in range(chance.randrange(3)):
            packet = chance.choice(_MUTATIONS[:-2])(packet, asked, chance)
        try:
            fates[_read(packet, asked)] += 1
        except Exception as error:
            raise AssertionError(f"{type(error).__name__} for {packet!r}") from error
    return fates


def _read(packet: bytes, asked: Question) -> str:
    """What becomes of one packet."""
    if not is_answer(packet, ID, asked):
        return "no answer"
    said = ours(packet, asked)
    expected = theirs(packet, asked)
    assert expected is None or said == expected, f"dnspython: {expected}"
    if isinstance(said, type):
        return "truncated"
    if _lists(said, asked):
        assert _is_well_formed(packet, asked)
        return "listed" if expected else "listed, though dnspython refuses it"
    return {Found: "found", Absent: "absent", Failed: "failed"}[type(said)]


def _lists(said: Answer, asked: Question) -> bool:
    """Whether a zone would list a client for such an answer."""
    if asked.kind == TXT:
        return isinstance(after_text(_LIST, _IP, _LISTING, said), Listed)
    allowed = isinstance(after_address(_ALLOW, said), Listed)
    refused = after_address(_CODES, said) is None and isinstance(after_text(_CODES, _IP, said, Absent()), Listed)
    wrong = isinstance(said, Found) and not _ERRORS.isdisjoint(said.records)
    assert allowed == (refused and not wrong)
    return refused


def _is_well_formed(packet: bytes, asked: Question) -> bool:
    """Whether header, question and every record of the answer section are as they should be, read by dnspython."""
    parser = dns.wire.Parser(packet)
    try:
        number, flags, questions, answers = parser.get_struct("!HHHH")
        parser.get_struct("!HH")
        name = parser.get_name()
        section = name.to_digestable() + struct.pack("!HH", *parser.get_struct("!HH"))
        for _ in range(answers):
            dns.name.from_wire_parser(parser)
            parser.get_struct("!HHI")
            parser.get_counted_bytes(2)
    except (dns.exception.DNSException, struct.error):
        return False
    wanted = (ID, dns.flags.QR, 1, asked.section.lower())
    return (number, flags & (dns.flags.QR | dns.flags.TC), questions, section) == wanted and flags & 15 in (0, 3)


def _flip(packet: bytes, _asked: Question, chance: random.Random) -> bytes:
    changed = bytearray(packet)
    for _ in range(chance.randrange(1, 4)):
        if changed:
            changed[chance.randrange(len(changed))] = (
                chance.choice(_TELLING) if chance.random() < 0.7 else chance.randrange(256)
            )
    return bytes(changed)


def _flip_behind_the_question(packet: bytes, asked: Question, chance: random.Random) -> bytes:
    start = min(len(packet), 12 + len(asked.section))
    return packet[:start] + _flip(packet[start:], asked, chance)


def _count(packet: bytes, _asked: Question, chance: random.Random) -> bytes:
    at = chance.choice([2, 6, 8, 10])
    return (
        packet[:at]
        + chance.choice([b"\0\0", b"\0\1", b"\0\3", b"\x81\x80", b"\x81\x83", b"\xff\xff"])
        + packet[at + 2 :]
    )


def _cut(packet: bytes, _asked: Question, chance: random.Random) -> bytes:
    return packet[: chance.randrange(len(packet) + 1)]


def _lengthen(packet: bytes, _asked: Question, chance: random.Random) -> bytes:
    return packet + chance.randbytes(chance.randrange(40))


def _repeat(packet: bytes, _asked: Question, chance: random.Random) -> bytes:
    start, end = sorted(chance.randrange(len(packet) + 1) for _ in range(2))
    return packet[:end] + packet[start:]


def _point(packet: bytes, _asked: Question, chance: random.Random) -> bytes:
    at = chance.randrange(len(packet) + 1)
    return packet[:at] + struct.pack("!H", 0xC000 | chance.randrange(max(1, len(packet)))) + packet[at + 2 :]


def _noise_behind_the_question(_packet: bytes, asked: Question, chance: random.Random) -> bytes:
    header = struct.pack("!HHHHHH", ID, 0x8180, 1, chance.randrange(4), chance.randrange(2), 0)
    return header + asked.section + chance.randbytes(chance.randrange(60))


def _noise(_packet: bytes, _asked: Question, chance: random.Random) -> bytes:
    return chance.randbytes(chance.randrange(600))


_Mutation = Callable[[bytes, Question, random.Random], bytes]
#: The last two begin anew and do not change what was there.
_MUTATIONS: Sequence[_Mutation] = (
    *(_flip_behind_the_question, _flip_behind_the_question, _flip, _count, _cut, _lengthen, _repeat, _point),
    *(_noise_behind_the_question, _noise),
)


def fuzz_dialogues(number: int, chance: random.Random) -> Counter[str]:
    """So many dialogues; how they ended. Raises AssertionError with the one that was too much."""
    ends: Counter[str] = Counter()
    for _ in range(number):
        pieces = _pieces(chance)
        try:
            ends[_talk(pieces)] += 1
        except Exception as error:
            raise AssertionError(f"{type(error).__name__} for {pieces!r}") from error
    return ends


def _pieces(chance: random.Random) -> list[bytes]:
    """What one client says, in pieces as they might arrive."""
    said = b""
    for _ in range(chance.randrange(30)):
        draw = chance.random()
        if draw < 0.9:
            said += chance.choice(_WORDS) + chance.choice(_ENDS)
        elif draw < 0.97:
            said += chance.randbytes(chance.randrange(50))
        else:
            said += chance.choice(_WORDS) + b"x" * chance.randrange(2 * LINE_LIMIT)
    places = sorted(chance.randrange(len(said) + 1) for _ in range(chance.randrange(5)))
    return [said[start:end] for start, end in zip([0, *places], [*places, len(said)], strict=True)]


def _talk(pieces: Sequence[bytes]) -> str:
    """How one dialogue ends."""
    dialogue = RefusalDialogue(Refuse(451, b"no"))
    last = ""
    for piece in pieces:
        was_finished = dialogue.finished
        told = dialogue.receive(piece)
        assert not (was_finished and told)
        *replies, rest = told.split(b"\r\n")
        assert not rest
        assert _REPLIES.issuperset(replies)
        assert _kept(dialogue) <= _MEMORY_LIMIT
        last = replies[-1].decode() if replies else last
    return last if dialogue.finished else "talks on"


def _kept(dialogue: RefusalDialogue) -> int:
    """Bytes that a dialogue has kept of what the client said."""
    kept = [value for value in vars(dialogue).values() if isinstance(value, bytes) and value != dialogue.reply]
    return sum(map(len, (*kept, *dialogue.said.values())))


def _main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--packets", type=int, default=1_000_000)
    parser.add_argument("--dialogues", type=int, default=100_000)
    parser.add_argument("--sessions", type=int, default=1_000_000)
    parser.add_argument("--headers", type=int, default=1_000_000)
    parser.add_argument("--milters", type=int, default=200_000)
    parser.add_argument("--milted", type=int, default=200_000)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**9))
    options = parser.parse_args()
    sys.stdout.write(f"seed {options.seed}\n")
    kinds = {
        "packets": fuzz_packets,
        "dialogues": fuzz_dialogues,
        "sessions": fuzz_sessions,
        "headers": fuzz_headers,
        "milters": fuzz_milters,
        "milted": fuzz_milted_gate,
    }
    for name, fuzz in kinds.items():
        start = time.monotonic()
        number = getattr(options, name)
        fates = fuzz(number, random.Random(options.seed))
        sys.stdout.write(f"{number} {name} in {time.monotonic() - start:.0f} s\n")
        for fate, count in fates.most_common():
            sys.stdout.write(f"{count:8d} {fate}\n")


if __name__ == "__main__":
    _main()
