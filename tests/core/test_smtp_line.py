"""Command lines out of what a client sends."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ucspi_py.core.smtp.line import CommandReader, Flaw, Flawed

LIMIT = 20

TOO_LONG = Flawed(Flaw.TOO_LONG, b"")

LINES: list[tuple[bytes, list[bytes | Flawed]]] = [
    (b"", []),
    (b"NOOP", []),
    (b"NOOP\r", []),
    (b"NOOP\r\nRSET\r\nQU", [b"NOOP", b"RSET"]),
    (b"\r\n\r\n", [b"", b""]),
    (b"x" * LIMIT + b"\r\nNOOP\r\n", [b"x" * LIMIT, b"NOOP"]),
    (b"x" * (LIMIT + 1) + b"\r\nNOOP\r\n", [TOO_LONG, b"NOOP"]),
    (b"x" * 3000 + b"\r\nNOOP\r\n", [TOO_LONG, b"NOOP"]),
    (b"x" * 3000 + b"\nNOOP\r\n", [TOO_LONG, b"NOOP"]),
    (b"x" * LIMIT + b"\r\r\nNOOP\r\n", [TOO_LONG, b"NOOP"]),
    (b"\0\xff\r" * 3000 + b"\r\nNOOP\r\n", [TOO_LONG, b"NOOP"]),
    (b"x" * 3000, []),
    (b"NOOP\nRSET\r\n", [Flawed(Flaw.BARE_LF, b"NOOP"), b"RSET"]),
    (b"NO\0OP\r\nRSET\r\n", [Flawed(Flaw.NUL, b"NO\0OP"), b"RSET"]),
    (b"NO\rOP\r\nRSET\r\n", [Flawed(Flaw.BARE_CR, b"NO\rOP"), b"RSET"]),
    (b"NOOP\r\r\nRSET\r\n", [Flawed(Flaw.BARE_CR, b"NOOP\r"), b"RSET"]),
    (b"N\xc3\xb6\r\nRSET\r\n", [Flawed(Flaw.EIGHT_BIT, b"N\xc3\xb6"), b"RSET"]),
    (b"\0\r\xff\n", [Flawed(Flaw.NUL, b"\0\r\xff")]),
    (b"\r\xff\n", [Flawed(Flaw.BARE_CR, b"\r\xff")]),
    (b"\xff\n", [Flawed(Flaw.BARE_LF, b"\xff")]),
]

BYTES = st.lists(
    st.one_of(
        st.sampled_from([b"\r\n", b"\n", b"\r", b"\0", b"\xff", b"NOOP\r\n", b"x" * LIMIT, b"\x16"]),
        st.binary(max_size=5),
    ),
    max_size=20,
).map(b"".join)


@pytest.mark.parametrize(("said", "lines"), LINES)
def test_lines(said: bytes, lines: list[bytes | Flawed]) -> None:
    """A line ends at CRLF; a line with a flaw ends at LF and is told once."""
    assert read([said]) == lines


@pytest.mark.parametrize(("said", "lines"), LINES)
def test_lines_byte_by_byte(said: bytes, lines: list[bytes | Flawed]) -> None:
    """It does not matter how the bytes arrive."""
    assert read([said[at : at + 1] for at in range(len(said))]) == lines


@given(BYTES, st.data())
def test_any_split(said: bytes, data: st.DataObject) -> None:
    """Any bytes give the same lines in any pieces, and no sound line has anything in it that is not one."""
    at = data.draw(st.integers(0, len(said)))

    lines = read([said])

    assert read([said[:at], said[at:]]) == lines
    assert len(lines) == said.count(b"\n")
    for line in lines:
        assert isinstance(line, Flawed) or (line.isascii() and len(line) <= LIMIT and not set(line) & set(b"\0\r\n"))


@given(BYTES, st.data())
def test_rest_at_any_split(said: bytes, data: st.DataObject) -> None:
    """What stands behind a line can be taken as it came; nothing is lost between the lines and it."""
    at = data.draw(st.integers(0, len(said)))
    count = data.draw(st.integers(0, said.count(b"\n")))
    reader = CommandReader(10**6)

    for piece in (said[:at], said[at:]):
        reader.feed(piece)
    for _ in range(count):
        assert reader.next() is not None

    rest = b"".join(said.split(b"\n", count)[count:])
    assert reader.has_more == bool(rest)
    assert reader.take_rest() == rest
    assert not reader.has_more
    assert reader.next() is None


def test_memory() -> None:
    """Of a line without end no more than the limit is kept."""
    reader = CommandReader(LIMIT)
    for _ in range(1000):
        reader.feed(b"x" * 7)
        assert reader.next() is None
        assert reader.buffered <= LIMIT + 1


@pytest.mark.parametrize("hello", [b"\x16", b"\x16\x03\x01", b"\x80\x2e\x01", b"\x04\x01\0\x19", b"\x05", b"\x03\0"])
def test_foreign(hello: bytes) -> None:
    """Another protocol is known by its first byte, also behind lines."""
    reader = CommandReader(LIMIT)
    assert not reader.foreign
    reader.feed(b"NOOP\r\n" + hello)
    assert not reader.foreign

    assert reader.next() == b"NOOP"
    assert reader.foreign


def test_not_foreign() -> None:
    """The middle of a long line is no other protocol."""
    reader = CommandReader(LIMIT)
    reader.feed(b"x" * 100)
    assert reader.next() is None
    reader.feed(b"\x16\x03")

    assert not reader.foreign


def read(pieces: list[bytes]) -> list[bytes | Flawed]:
    """The lines of what comes in such pieces."""
    reader = CommandReader(LIMIT)
    lines = []
    for piece in pieces:
        reader.feed(piece)
        while (line := reader.next()) is not None:
            lines.append(line)
    return lines
