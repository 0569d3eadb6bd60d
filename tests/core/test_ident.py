"""RFC 1413, as remoteinfo.c reads it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ucspi_py.core.client.ident import LINE_LIMIT, AnswerReader, question

ANSWERS = [
    (b"4321 , 25 : USERID : UNIX : joe\r\n", b"joe"),
    (b"4321,25:USERID:UNIX:joe\n", b"joe"),
    (b"4321 , 25 : USERID : OTHER , US-ASCII :\tj o e\t\r\n", b"joe"),
    (b"4321 , 25 : ERROR : NO-USER\r\n", b""),
    (b"\n", b""),
    (b"a:b:c:\n", b""),
    (b"a:b:c:d:e\n", b"d:e"),
    (b"a:b:c:\xe9\x01\n", b"\xe9\x01"),
    (b"a:b:c:root\0joe\n", b"root"),
    (b"a:b:c:joe\nmore:to:come:x\n", b"joe"),
    (b"a:b:c:" + b"x" * 257, b"x" * 257),
    (b"a:b:c:" + b" x" * 300, b"x" * 257),
    (b"a:b:c:" + b" " * (LINE_LIMIT - 8) + b"x\n", b"x"),
]

UNFINISHED = [b"", b"4321 , 25 : USERID : UNIX : joe", b"a" * 1000, b"a:b:c:" + b"x" * 256, b"a:b:c:" + b" " * 1000]


def test_the_question() -> None:
    """Their port first, then ours, as C writes it."""
    assert question(b"4321", b"25") == b"4321 , 25\r\n"


@pytest.mark.parametrize(("answer", "expected"), ANSWERS, ids=repr)
def test_an_answer(answer: bytes, expected: bytes) -> None:
    """What follows the third colon, without blanks."""
    assert read([answer]) == expected


@pytest.mark.parametrize("answer", UNFINISHED, ids=repr)
def test_an_answer_without_an_end_is_none(answer: bytes) -> None:
    """The line end, or 257 bytes, are waited for."""
    assert read([answer]) is None


@pytest.mark.parametrize("poured", [b" ", b"x", b"a:b:c: ", b"\0"])
def test_a_line_without_end_is_no_answer(poured: bytes) -> None:
    """Blanks, or anything before the colons, as much as may come: no more than the limit is read."""
    reader = AnswerReader()

    for taken in range(1, LINE_LIMIT + 1):
        assert not reader.exhausted
        assert reader.receive(poured[-1:] if taken > len(poured) else poured[taken - 1 : taken]) is None
    assert reader.exhausted
    assert reader.receive(b":::joe\n") is None


@given(st.lists(st.binary() | st.sampled_from([b":", b"\n", b"x" * 100, b" " * 1500])))
def test_pieces_make_no_difference(pieces: list[bytes]) -> None:
    """Whole, in pieces, or one byte at a time."""
    whole = b"".join(pieces)

    expected = read([whole])

    assert read(pieces) == expected
    assert read([whole[at : at + 1] for at in range(len(whole))]) == expected


@given(st.binary())
def test_an_answer_fits_into_the_environment(data: bytes) -> None:
    """No NUL, no line end, no blanks, and not without end."""
    answer = read([b"a:b:c:" + data + b"\n"])

    assert answer is not None
    assert len(answer) <= 257
    assert not set(answer) & set(b"\0\n \t\r")


def read(pieces: list[bytes]) -> bytes | None:
    """The answer, once some piece has completed it."""
    reader = AnswerReader()
    return next((answer for answer in map(reader.receive, pieces) if answer is not None), None)
