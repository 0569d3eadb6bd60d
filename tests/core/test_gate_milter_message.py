"""A message as milters hear of it and change it: its headers, its body, and both framed again."""

import random

import pytest

from ucspi_py.core.gate.milter.content import (
    BODY_LIMIT,
    HEADER_LIMIT,
    HEADERS_LIMIT,
    LINES_LIMIT,
    MOST_HEADERS,
    Framed,
    Headers,
    Unframed,
    body_limit,
    framed_headers,
)
from ucspi_py.core.gate.milter.header import Header, changed, made, wanted
from ucspi_py.core.milter.changes import HeaderAdded, HeaderChange, HeaderChanged, HeaderInserted
from ucspi_py.core.milter.packet import CHUNK, strings
from ucspi_py.core.smtp.content import Content
from ucspi_py.core.smtp.settings import BareNewline

MESSAGE = b"From: a@b\r\nSubject: one\r\n two\r\n\tthree\r\nX:y\r\n\r\n..dot\r\nbody\r\n"


def taken(content: bytes, *, size: int = 10**9) -> tuple[Headers, bytes]:
    """Headers and body, as content came in pieces of a size."""
    headers = Headers()
    body = b"".join(headers.feed(content[at : at + size]) for at in range(0, len(content), size))
    headers.end()
    return headers, body


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
def test_a_message(size: int) -> None:
    """However it comes, headers have their lines, and the body is as it was framed."""
    headers, body = taken(MESSAGE, size=size)

    assert [(header.name, header.value) for header in headers.headers] == [
        (b"From", b" a@b"),
        (b"Subject", b" one\n two\n\tthree"),
        (b"X", b"y"),
    ]
    assert body == b"..dot\r\nbody\r\n"
    assert headers.has_separator
    assert framed_headers(headers.headers) + b"\r\n" + body == MESSAGE


@pytest.mark.parametrize(
    ("content", "names", "body", "has_separator"),
    [
        (b"", [], b"", False),
        (b"\r\nbody\r\n", [], b"body\r\n", True),
        (b"no header\r\nA: b\r\n", [], b"no header\r\nA: b\r\n", False),
        (b"A: b\r\n", [b"A"], b"", False),
        (b"A: b\r\nno header\r\n", [b"A"], b"no header\r\n", False),
        (b"A: b\r\n..no header\r\n", [b"A"], b"..no header\r\n", False),
        (b"A : b\r\n\r\n", [b"A"], b"", True),
        (b" folded\r\nA: b\r\n", [], b" folded\r\nA: b\r\n", False),
        (b"A: b\r\n \r\nC: d\r\n\r\n", [b"A", b"C"], b"", True),
    ],
)
def test_odd_messages(content: bytes, names: list[bytes], body: bytes, *, has_separator: bool) -> None:
    """What is no header begins the body; where there is no body, nothing need stand before it."""
    for size in (1, 1000):
        headers, found = taken(content, size=size)
        assert ([header.name for header in headers.headers], found) == (names, body)
        assert headers.has_separator == has_separator


def test_a_dot_that_begins_a_name() -> None:
    """It is doubled for the backend, which else had another header than the one that milters have heard."""
    content = b"..From: a@b\r\n..folded: x\r\n\t.y\r\n\r\n"
    headers, _ = taken(content)

    assert [header.name for header in headers.headers] == [b".From", b".folded"]
    assert framed_headers(headers.headers) + b"\r\n" == content
    assert framed_headers([made(b".", b"x", has_blank=False)]) == b"..: x\r\n"


def test_too_many_headers() -> None:
    """A megabyte of them is enough."""
    headers = Headers()
    for _ in range(20):
        assert headers.feed(b"X: " + b"y" * (HEADERS_LIMIT // 10) + b"\r\n") == b""

    assert headers.is_too_large
    assert len(framed_headers(headers.headers)) < 2 * HEADERS_LIMIT


@pytest.mark.parametrize(
    ("content", "is_too_large"),
    [
        (b"a:" + b"x" * (HEADER_LIMIT - 2) + b"\r\n\r\nbody\r\n", False),
        (b"a:" + b"x" * (HEADER_LIMIT - 1) + b"\r\n\r\nbody\r\n", True),
        (b"a:\r\n" + b" " * (HEADER_LIMIT - 3) + b"\r\n\r\nbody\r\n", False),
        (b"a:\r\n" + b" " * (HEADER_LIMIT - 2) + b"\r\n\r\nbody\r\n", True),
        (b"a:\r\n" * MOST_HEADERS + b"\r\nbody\r\n", False),
        (b"a:\r\n" * MOST_HEADERS + b"b:\r\n\r\nbody\r\n", True),
        (b"a:\r\n" + b" x\r\n" * (LINES_LIMIT - 1) + b"\r\nbody\r\n", False),
        (b"a:\r\n" + b" x\r\n" * LINES_LIMIT + b"\r\nbody\r\n", True),
    ],
)
@pytest.mark.parametrize("size", [4096, 10**9])
def test_one_header_and_many_lines(content: bytes, size: int, *, is_too_large: bool) -> None:
    """A header has as many bytes as a packet of libmilter takes, and there are no more lines than memory is worth."""
    headers, body = taken(content, size=size)

    assert headers.is_too_large == is_too_large
    assert body == (b"" if is_too_large else b"body\r\n")
    if not is_too_large:
        assert all(len(strings((one.name, one.value))) <= CHUNK for one in headers.headers)


THREE = [Header(b"A", (b"A: 1",)), Header(b"B", (b"B: 2",)), Header(b"a", (b"a: 3",))]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (HeaderAdded(b"C", b"4"), [b"A: 1", b"B: 2", b"a: 3", b"C: 4"]),
        (HeaderInserted(0, b"C", b"4"), [b"C: 4", b"A: 1", b"B: 2", b"a: 3"]),
        (HeaderInserted(1, b"C", b"4"), [b"C: 4", b"A: 1", b"B: 2", b"a: 3"]),
        (HeaderInserted(2, b"C", b"4"), [b"A: 1", b"C: 4", b"B: 2", b"a: 3"]),
        (HeaderInserted(99, b"C", b"4"), [b"A: 1", b"B: 2", b"a: 3", b"C: 4"]),
        (HeaderChanged(1, b"b", b"4"), [b"A: 1", b"b: 4", b"a: 3"]),
        (HeaderChanged(2, b"A", b"4"), [b"A: 1", b"B: 2", b"A: 4"]),
        (HeaderChanged(2, b"A", b""), [b"A: 1", b"B: 2"]),
        (HeaderChanged(1, b"A", b""), [b"B: 2", b"a: 3"]),
        (HeaderChanged(3, b"A", b""), [b"A: 1", b"B: 2", b"a: 3"]),
        (HeaderChanged(3, b"A", b"4"), [b"A: 1", b"B: 2", b"a: 3", b"A: 4"]),
    ],
)
def test_changes(change: HeaderChange, expected: list[bytes]) -> None:
    """As Postfix makes them, whose own Received is above."""
    headers = list(THREE)
    changed(headers, change, wanted(change, has_blank=False), 0)

    assert framed_headers(headers) == b"".join(line + b"\r\n" for line in expected)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ([HeaderInserted(0, b"C", b"4"), HeaderInserted(1, b"D", b"5")], b"C D A B a"),
        ([HeaderInserted(0, b"C", b"4"), HeaderInserted(2, b"D", b"5")], b"C D A B a"),
        ([HeaderInserted(0, b"C", b"4"), HeaderInserted(3, b"D", b"5")], b"C A D B a"),
        ([HeaderInserted(1, b"C", b"4"), HeaderInserted(1, b"D", b"5")], b"D C A B a"),
        ([HeaderInserted(0, b"C", b"4"), HeaderChanged(1, b"C", b""), HeaderInserted(1, b"D", b"5")], b"D A B a"),
        ([HeaderInserted(0, b"C", b"4"), HeaderChanged(1, b"A", b""), HeaderInserted(1, b"D", b"5")], b"C D B a"),
    ],
)
def test_places_count_our_own_received(changes: list[HeaderChange], expected: bytes) -> None:
    """What is inserted before it stays above it, and what comes behind is counted from there."""
    headers, above = list(THREE), 0
    for change in changes:
        above = changed(headers, change, wanted(change, has_blank=False), above)

    assert [header.name for header in headers] == expected.split()


@pytest.mark.parametrize(
    ("value", "lines"),
    [
        (b"a\n\tb", (b"X: a", b"\tb")),
        (b"a\r\n b\r\n c", (b"X: a", b" b", b" c")),
        (b"a\nEvil: b", (b"X: a", b"\tEvil: b")),
        (b"a\r\n\r\nbody", (b"X: a", b"\tbody")),
        (b"a\n \t \n b", (b"X: a", b" b")),
        (b"a\rb\0c", (b"X: a bc",)),
        (b"a\n", (b"X: a",)),
        (b".", (b"X: .",)),
    ],
)
def test_values_of_milters(value: bytes, lines: tuple[bytes, ...]) -> None:
    """No line of a value ends the headers, or is another one."""
    headers: list[Header] = []
    changed(headers, HeaderAdded(b"X", value), made(b"X", value, has_blank=False), 0)

    assert headers[0].lines == lines


def test_a_blank_of_its_own() -> None:
    """A milter that hears the blank behind the colon says it, too."""
    headers: list[Header] = []
    changed(headers, HeaderAdded(b"X", b"\ty"), made(b"X", b"\ty", has_blank=True), 0)

    assert headers[0].lines == (b"X:\ty",)
    assert headers[0].value == b"\ty"


@pytest.mark.parametrize("size", [1, 2, 3, 1000])
@pytest.mark.parametrize(
    ("body", "framed"),
    [
        (b"", b""),
        (b"a\r\nb\r\n", b"a\r\nb\r\n"),
        (b"a\nb\n", b"a\r\nb\r\n"),
        (b"a", b"a\r\n"),
        (b".\r\n..\r\n", b"..\r\n...\r\n"),
        (b"a\r\n.\r\nMAIL FROM:<evil@x>\r\n", b"a\r\n..\r\nMAIL FROM:<evil@x>\r\n"),
        (b"a\n.\nb", b"a\r\n..\r\nb\r\n"),
        (b"a\r.\rb\r", b"a . b \r\n"),
        (b"a\r\r\n.", b"a \r\n..\r\n"),
    ],
)
def test_bodies_of_milters(body: bytes, framed: bytes, size: int) -> None:
    """Whatever a milter takes for a line end, there is no end of the message in it."""
    framing = Framed()
    pieces = [framing.feed(body[at : at + size]) for at in range(0, len(body), size)]

    assert b"".join(pieces) + framing.end() == framed


def test_noise() -> None:
    """Framed and unframed again, any body comes to the same, and is never more than one message."""
    chance = random.Random(19)
    for _ in range(2000):
        body = bytes(chance.choice(b"\r\n\n..a") for _ in range(chance.randrange(20)))
        framing, unframing = Framed(), Unframed()
        framed = framing.feed(body) + framing.end()
        content = Content(BareNewline.REJECT)
        content.receive(framed + b".\r\n")
        cut = chance.randrange(len(framed) + 1)
        plain = unframing.feed(framed[:cut]) + unframing.feed(framed[cut:])

        assert (content.ended, content.flawed, content.rest) == (True, False, b""), body
        assert len(plain) == content.size
        again = Framed()
        assert again.feed(plain) + again.end() == framed


@pytest.mark.parametrize(("of_messages", "limit"), [(None, BODY_LIMIT), (0, BODY_LIMIT), (1000, 1000)])
def test_a_body_of_a_milter_has_a_limit(of_messages: int | None, limit: int) -> None:
    """That of messages, and one of its own where they have none."""
    assert body_limit(of_messages) == limit
