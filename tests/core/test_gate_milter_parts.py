"""A message part by part: the same parts in pieces of any size, and nothing that nobody wants."""

import pytest

from ucspi_py.core.gate.milter.content import HEADERS_LIMIT
from ucspi_py.core.gate.milter.parts import Part, Parts
from ucspi_py.core.milter.negotiation import Agreed
from ucspi_py.core.milter.packet import CHUNK
from ucspi_py.core.milter.words import Actions, Event, Protocol

AGREED = Agreed(6, Actions(0), Protocol(0))
CONTENT = b"From: a@b\r\nSubject: x\r\n y\r\n\r\n..dot\r\nbody\r\n"
TOLD = [
    (Event.HEADER, b"From\0a@b\0"),
    (Event.HEADER, b"Subject\0x\n y\0"),
    (Event.EOH, b""),
    (Event.BODY, b".dot\r\nbody\r\n"),
]


def taken(parts: Parts) -> list[tuple[Event, bytes]]:
    """All that wait."""
    found = []
    while part := parts.next():
        found += [(part.event, data) for data in part.data(AGREED)]
    return found


def told(content: bytes, size: int, *, has_body: bool = True, in_runs: bool = False) -> list[tuple[Event, bytes]]:
    """The parts of a message that comes in pieces of a size, each taken as soon as it is whole."""
    parts, found = Parts(has_body=has_body, in_runs=in_runs), []
    for at in range(0, len(content), size):
        parts.feed(content[at : at + size])
        found += taken(parts)
        assert parts.waiting == 0
    parts.end()
    return found + taken(parts)


@pytest.mark.parametrize("in_runs", [False, True])
@pytest.mark.parametrize("size", [1, 2, 7, 1000])
def test_pieces_of_any_size(size: int, *, in_runs: bool) -> None:
    """The parts are the same."""
    assert told(CONTENT, size, in_runs=in_runs) == TOLD
    assert told(CONTENT, size, in_runs=in_runs, has_body=False) == TOLD[:3]


def test_headers_that_nobody_answers() -> None:
    """Those that come together are one part, as long as a piece of a body may be."""
    long = b"X: " + b"y" * 40_000 + b"\r\n"
    parts = Parts(has_body=True, in_runs=True)
    parts.feed(b"A: 1\r\n" + 2 * long + b"C: 3\r\n\r\nbody")
    parts.end()

    found = iter(parts.next, None)

    assert [len(part.data(AGREED)) for part in found] == [3, 1, 1, 1]


def test_a_message_of_headers_alone() -> None:
    """Its end ends them."""
    assert told(b"Subject: x\r\n", 5) == [(Event.HEADER, b"Subject\0x\0"), (Event.EOH, b"")]


def test_a_large_body() -> None:
    """Its chunks are of one size, however it comes, and only those that are whole wait."""
    body = b"x" * 998 + b"\r\n"
    found = told(b"\r\n" + body * 200, 4096)
    assert [len(data) for _, data in found] == [0, CHUNK, CHUNK, CHUNK, 200_000 - 3 * CHUNK]
    assert b"".join(data for _, data in found) == body * 200

    parts = Parts(has_body=True, in_runs=False)
    parts.feed(b"\r\n" + body * 65)
    assert parts.waiting == 0
    parts.feed(body)
    assert parts.waiting == CHUNK


def test_a_body_that_is_not_wanted_any_more() -> None:
    """What waits of it is dropped, and what comes is."""
    parts = Parts(has_body=True, in_runs=False)
    parts.feed(b"Subject: x\r\n\r\n" + b"x" * 2 * CHUNK)
    parts.drop_body()
    assert parts.waiting == len(b"Subject: x")
    parts.feed(b"y" * CHUNK)
    parts.end()
    assert [event for event, _ in taken(parts)] == [Event.HEADER, Event.EOH]


def test_too_many_headers() -> None:
    """Nothing more is looked at."""
    parts = Parts(has_body=True, in_runs=False)
    parts.feed(b"X: y\r\n" * (HEADERS_LIMIT // 6 + 1))
    assert parts.is_too_large
    assert parts.has_next
    taken(parts)
    parts.feed(b"X: y\r\n\r\nbody\r\n")
    assert parts.next() is None


def test_a_part_that_is_a_piece_of_a_body() -> None:
    """Its data are the piece."""
    assert Part(Event.BODY, body=b"x").data(AGREED) == (b"x",)
