"""Our reader of answers beside dnspython's: the same answer to every packet that both accept."""

import struct

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rdataclass
import dns.rdatatype
import dns.rrset
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.support.packets import ID, ours, response, theirs
from ucspi_py.core.dns import name as dns_name
from ucspi_py.core.dns.message import (
    AAAA,
    MX,
    NS,
    PTR,
    TXT,
    A,
    Absent,
    Answer,
    Failed,
    Found,
    Question,
    Truncated,
    is_answer,
    question,
)
from ucspi_py.core.dns.name import dotted

ASKED = question(b"2.0.0.127.bl.example", TXT)
RESPONSE, TRUNCATED = 0x8180, 0x8380


def packet(
    *records: bytes, flags: int = RESPONSE, count: int | None = None, asked: Question = ASKED, authorities: int = 0
) -> bytes:
    """An answer with these records in its answer section, the last of them in its authority section."""
    count = len(records) - authorities if count is None else count
    header = struct.pack("!HHHHHH", ID, flags, 1, count, authorities, 0)
    return header + asked.section + b"".join(records)


def record(data: bytes, kind: int = TXT, owner: bytes = b"\xc0\x0c", record_class: int = 1, ttl: int = 60) -> bytes:
    """A resource record; its owner is the name in the question unless told otherwise."""
    return owner + struct.pack("!HHLH", kind, record_class, ttl, len(data)) + data


def pointer(target: int) -> bytes:
    """The rest of a name stands at this place."""
    return struct.pack("!H", 0xC000 | target)


ABSENT = Absent(exists=True)
#: Where the first record behind the question begins.
FIRST = len(packet())
SOA = b"\0\0" + bytes(20)
BROKEN = Failed("protocol error")

ANSWERS: list[tuple[str, bytes, Answer]] = [
    ("no record", packet(), ABSENT),
    ("no such name", packet(flags=RESPONSE | 3), Absent()),
    ("server failure", packet(record(b"\1a"), flags=RESPONSE | 2), Failed("temporary failure")),
    ("refused", packet(flags=RESPONSE | 5), Failed("temporary failure")),
    ("one text", packet(record(b"\6listed")), Found((b"listed",), 60)),
    ("strings are joined", packet(record(b"\3one\0\3two")), Found((b"onetwo",), 60)),
    ("two records", packet(record(b"\3one"), record(b"\3two", ttl=7)), Found((b"one", b"two"), 7)),
    ("the same twice", packet(record(b"\3one"), record(b"\3one")), Found((b"one", b"one"), 60)),
    ("empty text", packet(record(b"\0")), Found((b"",), 60)),
    ("no string at all", packet(record(b"")), Found((b"",), 60)),
    ("a string that claims too much", packet(record(b"\7text")), Found((b"text",), 60)),
    ("another type", packet(record(b"\x7f\0\0\2", A)), ABSENT),
    ("another class", packet(record(b"\6listed", record_class=3)), ABSENT),
    ("behind an alias", packet(record(b"\1b\0", 5), record(b"\4text", owner=b"\1b\0")), Found((b"text",), 60)),
    ("an answer with no such name", packet(record(b"\4text"), flags=RESPONSE | 3), Found((b"text",), 60)),
    ("flags of no meaning", packet(record(b"\4text"), flags=0x8570), Found((b"text",), 60)),
    ("for ever", packet(record(b"\4text", ttl=0x80000000)), Found((b"text",), 0)),
    ("nothing for an hour", packet(record(SOA, 6, ttl=3600), authorities=1), Absent(True, 3600)),
    ("nobody for an hour", packet(record(SOA, 6, ttl=3600), authorities=1, flags=RESPONSE | 3), Absent(False, 3600)),
    ("a servers' name", packet(record(b"\1b\0", 2, ttl=3600), authorities=1), Absent(True, 0)),
    ("a word about nothing that is cut off", packet(record(SOA, 6)[:-1], authorities=1), BROKEN),
    ("a label and a pointer", packet(record(b"\4text", owner=b"\1b" + pointer(12))), Found((b"text",), 60)),
    ("pointer to pointer", packet(record(b"\1a"), record(b"\1b", owner=pointer(FIRST))), Found((b"a", b"b"), 60)),
    ("a name that leads to itself", packet(record(b"\4text", owner=pointer(FIRST))), BROKEN),
    ("a label that leads to itself", packet(record(b"\4text", owner=b"\1b" + pointer(FIRST))), BROKEN),
    ("a name that leads forward", packet(record(b"\4text", owner=b"\xff\xff")), BROKEN),
    (
        "two that lead to each other",
        packet(record(pointer(FIRST + 14)), record(b"", owner=pointer(FIRST + 12))),
        BROKEN,
    ),
    ("a name that leads into the header", packet(record(b"\4text", owner=pointer(2))), BROKEN),
    ("65,535 records claimed", packet(record(b"\4text"), count=65535), BROKEN),
    ("a label of 64", packet(record(b"\4text", owner=b"\x40" + b"x" * 64 + b"\0")), BROKEN),
    ("a label of 191", packet(record(b"\4text", owner=b"\xbf" + b"x" * 191 + b"\0")), BROKEN),
    (
        "a name of 255",
        packet(record(b"\1a", owner=(b"\x3f" + b"x" * 63) * 3 + b"\x3d" + b"x" * 61 + b"\0")),
        Found((b"a",), 60),
    ),
    ("a name of 256", packet(record(b"\1a", owner=(b"\x3f" + b"x" * 63) * 3 + b"\x3e" + b"x" * 62 + b"\0")), BROKEN),
    (
        "256 in two pieces",
        packet(record(b"\1a", owner=(b"\x3f" + b"x" * 63) * 3 + b"\x29" + b"x" * 41 + pointer(12))),
        BROKEN,
    ),
    ("a name without end", packet(b"\1a" * 50, count=1), BROKEN),
    ("data past the end", packet(record(b"\4text")[:-1]), BROKEN),
    ("nothing after the name", packet(b"\xc0\x0c", count=1), BROKEN),
    ("half a pointer", packet(b"\xc0", count=1), BROKEN),
]

NO_ANSWERS: list[tuple[str, bytes]] = [
    ("empty", b""),
    ("6 bytes", packet()[:6]),
    ("header only", packet()[:12]),
    ("another id", b"\0\0" + packet()[2:]),
    ("a question", packet(flags=0x0100)),
    ("no question", packet()[:4] + b"\0\0" + packet()[6:]),
    ("two questions", packet()[:4] + b"\0\2" + packet()[6:]),
    ("another name", packet(asked=question(b"3.0.0.127.bl.example", TXT))),
    ("a longer name", packet(asked=question(b"2.0.0.127.bl.example.org", TXT))),
    ("another type", packet(asked=question(b"2.0.0.127.bl.example", A))),
    ("cut inside the question", packet()[:-1]),
]

NAMES = [
    ((b"Mail", b"Example", b""), b"mail.example"),
    ((b"mail", b"example"), b"mail.example"),
    ((b"",), b"."),
    ((), b"."),
    ((b"a.b", b"\n%:\xff\0", b"A_-9"), b"a\\056b.\\012\\045\\072\\377\\000.a_-9"),
]

labels = st.binary(min_size=1, max_size=8).map(lambda raw: raw.replace(b".", b"-"))
dotted_names = st.lists(labels, max_size=4).map(b".".join)
strings = st.lists(st.binary(max_size=20) | st.just(b"x" * 255), min_size=1, max_size=3)


@pytest.mark.parametrize(("said", "expected"), [case[1:] for case in ANSWERS], ids=[case[0] for case in ANSWERS])
def test_an_answer_is_read(said: bytes, expected: Answer) -> None:
    """As dns_txt.c reads it, but for pointers: C passes them over, whatever they lead to."""
    assert is_answer(said, ID, ASKED)
    assert ours(said, ASKED) == expected


@pytest.mark.parametrize("said", [case[1] for case in NO_ANSWERS], ids=[case[0] for case in NO_ANSWERS])
def test_what_is_no_answer_is_ignored(said: bytes) -> None:
    """Late, forged or broken: it does not count."""
    assert not is_answer(said, ID, ASKED)


def test_case_does_not_matter() -> None:
    """Servers may echo the question in another case."""
    assert is_answer(packet(record(b"\4text")).upper(), ID, ASKED)


def test_a_truncated_answer_is_asked_for_again() -> None:
    """Whatever it holds."""
    assert ours(packet(record(b"\4text"), flags=TRUNCATED), ASKED) is Truncated


@pytest.mark.parametrize(("kind", "size"), [(A, 4), (AAAA, 16)])
def test_addresses_have_their_size(kind: int, size: int) -> None:
    """Anything else under that type is passed over, as in dns_ip.c."""
    asked = question(b"host.example", kind)
    said = packet(record(b"x" * size, kind), record(b"x" * 5, kind), record(b"y" * size, kind), asked=asked)

    assert ours(said, asked) == Found((b"x" * size, b"y" * size), 60)


POINTS = question(b"2.0.0.127.in-addr.arpa", PTR)
#: Where the name in the data of the first record begins.
TARGET = len(packet(asked=POINTS)) + 12
MAIL = b"\4Mail\7example\0"

NAMED: list[tuple[str, bytes, Answer]] = [
    ("one name", packet(record(MAIL, PTR), asked=POINTS), Found((b"mail.example",), 60)),
    (
        "the first of two",
        packet(record(MAIL, PTR, ttl=7), record(b"\1b\0", PTR), asked=POINTS),
        Found((b"mail.example",), 7),
    ),
    ("the root", packet(record(b"\0", PTR), asked=POINTS), Found((b".",), 60)),
    (
        "another class before",
        packet(record(b"\1b\0", PTR, record_class=3), record(MAIL, PTR), asked=POINTS),
        Found((b"mail.example",), 60),
    ),
    ("another class alone", packet(record(MAIL, PTR, record_class=3), asked=POINTS), ABSENT),
    (
        "behind an alias",
        packet(record(MAIL, 5), record(b"\1b" + pointer(TARGET), PTR, owner=pointer(TARGET)), asked=POINTS),
        Found((b"b.mail.example",), 60),
    ),
    (
        "nothing after it is looked at",
        packet(record(MAIL, PTR), b"\xff", count=9, asked=POINTS),
        Found((b"mail.example",), 60),
    ),
    ("no data", packet(record(b"", PTR), asked=POINTS), BROKEN),
    ("a name that leads to itself", packet(record(pointer(TARGET), PTR), asked=POINTS), BROKEN),
    ("a name that is cut off", packet(record(MAIL[:-1], PTR), asked=POINTS), BROKEN),
    ("a name of 257", packet(record((b"\x3f" + b"x" * 63) * 4 + b"\0", PTR), asked=POINTS), BROKEN),
]


@pytest.mark.parametrize(("said", "expected"), [case[1:] for case in NAMED], ids=[case[0] for case in NAMED])
def test_a_name_is_read(said: bytes, expected: Answer) -> None:
    """The first one of the class that was asked for counts (dns_name.c)."""
    assert is_answer(said, ID, POINTS)
    assert ours(said, POINTS) == expected


SERVERS: list[tuple[str, int, tuple[bytes, ...], Answer]] = [
    ("mail servers", MX, (b"\0\x0a" + MAIL, b"\0\5" + MAIL), Found((b"mail.example", b"mail.example"), 60)),
    ("no mail server", MX, (b"\0\0\0",), Found((b".",), 60)),
    ("a mail server that is cut off", MX, (b"\0\0" + MAIL[:-1],), BROKEN),
    ("a preference alone", MX, (b"\0",), BROKEN),
    ("name servers", NS, (MAIL, b"\1b\0"), Found((b"mail.example", b"b"), 60)),
    ("more servers than anybody needs", NS, (b"\1b\0",) * 101, Found((b"b",) * 100, 60)),
]


@pytest.mark.parametrize(
    ("kind", "data", "expected"), [row[1:] for row in SERVERS], ids=[name for name, *_ in SERVERS]
)  # fmt: skip
def test_the_servers_of_a_domain(kind: int, data: tuple[bytes, ...], expected: Answer) -> None:
    """In the order in which they came, and no more than a hundred."""
    asked = question(b"a.example", kind)

    assert ours(packet(*(record(one, kind) for one in data), asked=asked), asked) == expected


def test_a_refusal_is_told_from_a_failure() -> None:
    """SERVFAIL may be well again soon."""
    refused, fails = (ours(packet(flags=RESPONSE | code), ASKED) for code in (5, 2))

    assert isinstance(refused, Failed)
    assert refused.is_refusal
    assert isinstance(fails, Failed)
    assert not fails.is_refusal


@pytest.mark.parametrize("kind", [PTR, TXT], ids=["asked for", "not asked for"])
@pytest.mark.parametrize("chain", [1, 16], ids=["long names", "long chains"])
def test_64_kilobytes_are_read_in_one_go(kind: int, chain: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """An answer of 5,000 records that all lead to the longest name costs some milliseconds, and not a second."""
    records = [record(b"", 5, owner=b"\1a" * (126 if chain == 1 else 1) + b"\0")]
    places = [TARGET - 12]
    while sum(map(len, records)) < 65000:
        if len(places) < chain:
            places.append(TARGET - 12 + sum(map(len, records)))
            records.append(record(b"", 5, owner=pointer(places[-2])))
        records.append(record(MAIL, kind, owner=pointer(places[-1])))
    said = packet(*records, asked=POINTS)
    walked = []
    labels_of = dns_name._labels

    def counted(packet: bytes, position: int, end: int) -> tuple[int, int | None]:
        found = labels_of(packet, position, end)
        walked.append(found[0] - position)
        return found

    monkeypatch.setattr(dns_name, "_labels", counted)

    assert isinstance(ours(said, POINTS), Found | Absent)
    assert sum(walked) < len(said)


def test_whatever_goes_wrong_in_reading_is_a_failed_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody waits for it; and a library may fail to be loaded once root is given up."""

    def fail(*_words: object) -> None:
        raise ImportError

    monkeypatch.setattr("dns.name.from_wire", fail)

    assert ours(packet(record(MAIL, PTR), asked=POINTS), POINTS) == BROKEN


@pytest.mark.parametrize("number", [16, 17])
def test_pointers_are_followed_so_far(number: int) -> None:
    """A chain of them is work for us and none for who sends it; servers need two or three."""
    places = [12] + [FIRST + 12 * at for at in range(number - 1)]
    said = packet(*(record(b"", owner=pointer(place)) for place in places))

    assert ours(said, ASKED) == (Found((b"",) * number, 60) if number == 16 else BROKEN)


def test_what_one_record_may_point_to_another_may_not() -> None:
    """A place behind what has been read of a name is none for it, also where a record in between has named it."""
    first = record(b"\5alias\7example\0", PTR)
    size, root = FIRST + 11, FIRST + 12 + 14
    second = record(b"\4here", owner=pointer(root))
    # Its first label is all that the first record says, and then comes the pointer of the second one.
    third = record(b"\4here", owner=pointer(size))

    assert ours(packet(first, second), ASKED) == Found((b"here",), 60)
    assert ours(packet(first, second, third), ASKED) == BROKEN


@pytest.mark.parametrize(("name_labels", "expected"), NAMES, ids=repr)
def test_a_name_as_text(name_labels: tuple[bytes, ...], expected: bytes) -> None:
    """Lower case, and no byte that could pass for something else."""
    assert dotted(name_labels) == expected


@given(st.binary(max_size=300) | st.lists(st.sampled_from([b"x" * 63, b"x" * 64, b"ab"])).map(b".".join))
@example(b".".join([b"x" * 63] * 3 + [b"x" * 61]))
@example(b".".join([b"x" * 63] * 3 + [b"x" * 62]))
def test_a_question_is_dnspythons(name: bytes) -> None:
    """The same wire form for every name, and the same names refused as too long."""
    pieces = tuple(label for label in name.split(b".") if label)
    try:
        expected = dns.name.Name((*pieces, b""))
    except dns.exception.DNSException:
        with pytest.raises(ValueError, match="too long"):
            question(name, A)
        return

    message = dns.message.from_wire(question(name, A).packet(ID))

    assert message.id == ID
    assert message.flags == dns.flags.RD
    assert message.question == [dns.rrset.RRset(expected, dns.rdataclass.IN, dns.rdatatype.A)]


@given(dotted_names, st.lists(strings), st.sampled_from([TXT, A, PTR]))
def test_dnspythons_answers_are_understood(name: bytes, texts: list[list[bytes]], kind: int) -> None:
    """Texts and addresses under one name, compressed as dnspython does it."""
    asked = question(name, kind)
    said = response(asked, texts)

    assert is_answer(said, ID, asked)
    assert ours(said, asked) == theirs(said, asked)


@settings(max_examples=500)
@given(
    st.lists(strings, max_size=3),
    st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255)), max_size=3),
    st.none() | st.integers(0, 400),
    st.sampled_from([TXT, A, PTR]),
)
def test_damaged_answers(texts: list[list[bytes]], changes: list[tuple[int, int]], size: int | None, kind: int) -> None:
    """Whatever is changed or cut off: an answer, and dnspython's where that accepts the packet too."""
    asked = question(b"2.0.0.127.bl.example", kind)
    damaged = bytearray(response(asked, texts))
    for place, byte in changes:
        damaged[place % len(damaged)] = byte
    said = bytes(damaged[:size])

    if is_answer(said, ID, asked):
        expected = theirs(said, asked)

        assert expected is None or ours(said, asked) == expected


@settings(max_examples=500)
@given(st.integers(0, 4), st.binary(max_size=80), st.sampled_from([TXT, A, PTR]))
def test_noise_behind_the_question(count: int, noise: bytes, kind: int) -> None:
    """Never anything but an answer, and nothing in it that the packet has not got."""
    asked = question(b"2.0.0.127.bl.example", kind)
    said = packet(noise, count=count, asked=asked)

    found = ours(said, asked)

    assert isinstance(found, Found | Absent | Failed)
    if isinstance(found, Found) and kind != PTR:
        assert sum(map(len, found.records)) <= len(noise)
    expected = theirs(said, asked)
    assert expected is None or found == expected
