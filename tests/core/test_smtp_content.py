"""The content of a message: where it ends, and what the backend reads of it."""

import re
import tracemalloc
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.readers import READERS, rfc
from ucspi_py.core.smtp import content as content_module
from ucspi_py.core.smtp.content import Content
from ucspi_py.core.smtp.settings import BareNewline

NO, NORMALIZE, REJECT = BareNewline.NO, BareNewline.NORMALIZE, BareNewline.REJECT
END = b".\r\n"
EVIL = b"MAIL FROM:<evil>\r\n"


class Told(NamedTuple):
    """What becomes of all that a client says behind 354."""

    framed: bytes
    size: int
    ended: bool = True
    flawed: bool = False
    rest: bytes = b""


#: What is said with CRLF everywhere: framed and size are the same whatever becomes of a bare LF.
SOUND = [
    (b".\r\n", Told(b"", 0)),
    (b".\r\nQUIT\r\n", Told(b"", 0, rest=b"QUIT\r\n")),
    (b"a\r\n.\r\n", Told(b"a\r\n", 3)),
    (b"a\r\n.\r\n.\r\n", Told(b"a\r\n", 3, rest=b".\r\n")),
    (b"\r\n\r\n.\r\n", Told(b"\r\n\r\n", 4)),
    (b"..\r\n.\r\n", Told(b"..\r\n", 3)),
    (b"...\r\n..x\r\n.\r\n", Told(b"...\r\n..x\r\n", 8)),
    (b".x\r\n.\r\n", Told(b"x\r\n", 3)),
    (b"a\r\n. \r\n.\r\n", Told(b"a\r\n \r\n", 6)),
    (b"a.\r\n.b.\r\n.\r\n", Told(b"a.\r\nb.\r\n", 8)),
    (b"..a\r\n.b\r\n..c\r\n.\r\n", Told(b"..a\r\nb\r\n..c\r\n", 11)),
    (b"a\r\n.\r\r\n.\r\n", Told(b"a\r\n\r\r\n", 6)),
    (b"a\r\n.\rb\r\n.\r\n", Told(b"a\r\n\rb\r\n", 7)),
    (b"a\r.\r\n.\r\n", Told(b"a\r.\r\n", 5)),
    (b"a\r\r\n.\r\r\n.\r\n", Told(b"a\r\r\n\r\r\n", 7)),
    (b"a\r.\rb\0\xff\r\n.\r\n", Told(b"a\r.\rb\0\xff\r\n", 9)),
    (b"a\r\n\0.\r\n.\r\n", Told(b"a\r\n\0.\r\n", 7)),
    (b"a\r\n.\0\r\n.\r\n", Told(b"a\r\n\0\r\n", 6)),
    (b"a", Told(b"a", 1, ended=False)),
    (b"a\r", Told(b"a\r", 2, ended=False)),
    (b"a\r\n.", Told(b"a\r\n", 3, ended=False)),
    (b"a\r\n.\r", Told(b"a\r\n", 3, ended=False)),
    (b".", Told(b"", 0, ended=False)),
]

#: What is said with a LF; then what is passed under REJECT, NORMALIZE and NO.
BARE = [
    (b"a\nb\r\n.\r\n", b"a", b"a\r\nb\r\n", b"a\r\nb\r\n"),
    (b"\n.\r\n.\r\n", b"", b"\r\n", b"\r\n..\r\n"),
    (b"a\n.\nb\r\n.\r\n", b"a", b"a\r\nb\r\n", b"a\r\n..\r\nb\r\n"),
    (b"a\n.\r\nb\r\n.\r\n", b"a", b"a\r\nb\r\n", b"a\r\n..\r\nb\r\n"),
    (b"a\r\n.\nb\r\n.\r\n", b"a\r\n", b"a\r\nb\r\n", b"a\r\n..\r\nb\r\n"),
    (b".\nb\r\n.\r\n", b"", b"b\r\n", b"..\r\nb\r\n"),
    (b".\n.\n.\nb\r\n.\r\n", b"", b"b\r\n", b"..\r\n..\r\n..\r\nb\r\n"),
    (b".\n.\r\n.\r\n", b"", b"", b"..\r\n..\r\n"),
    (b"a\n..\nb\r\n.\r\n", b"a", b"a\r\n..\r\nb\r\n", b"a\r\n..\r\nb\r\n"),
    (b"a\n.b\r\n.\r\n", b"a", b"a\r\nb\r\n", b"a\r\nb\r\n"),
    (b"a\n.\rb\r\n.\r\n", b"a", b"a\r\n\rb\r\n", b"a\r\n\rb\r\n"),
    (b"a\n.\r\r\n.\r\n", b"a", b"a\r\n\r\r\n", b"a\r\n\r\r\n"),
    (b"a\r\n\n.\r\n\r\n.\r\n", b"a\r\n", b"a\r\n\r\n\r\n", b"a\r\n\r\n..\r\n\r\n"),
    (b"a\n\r\n.\r\n", b"a", b"a\r\n\r\n", b"a\r\n\r\n"),
    (b"..\n.\r\n\r\n.\r\n", b"..", b"..\r\n\r\n", b"..\r\n..\r\n\r\n"),
]

#: Ends that one server or another takes for the end of a message (SMTP smuggling, 2023), with what stands around them.
SMUGGLED = [
    *(b"\n.\n", b"\n.\r\n", b"\r\n.\n", b"\r.\r", b"\r\n.\r", b"\n.\r", b"\r.\r\n", b"\r\n\0.\r\n", b"\r\n.\0\r\n"),
    *(
        b"\r\r\n.\r\r\n",
        b"\r\n.\r\r\n",
        b"\n\n.\n\n",
        b"\n.\r\r\n",
        b"\r\n.\r\n\n",
        b"\n\r.\n\r",
        b"\r\n..\n.\n",
        b"\r\n. \r\n",
    ),
]

NOISE = st.lists(
    st.one_of(
        st.sampled_from(
            [b"\r\n", b"\n", b"\r", b".", b"a", b"\r\n.", b"\n.", b".\r\n", b"..", b"\r\n.\r\n", b"\0", b"\xff"]
        ),
        st.binary(max_size=3),
    ),
    max_size=25,
).map(b"".join)


@pytest.mark.parametrize("bare_newline", BareNewline)
@pytest.mark.parametrize(("said", "expected"), SOUND)
def test_sound(bare_newline: BareNewline, said: bytes, expected: Told) -> None:
    """Content ends at CRLF, dot, CRLF; dots are doubled anew; CR, NUL and 8-bit bytes are as they were."""
    assert told([said], bare_newline) == expected
    assert told(bytewise(said), bare_newline) == expected


@pytest.mark.parametrize("bare_newline", BareNewline)
@pytest.mark.parametrize(("said", "rejected", "normalized", "taken"), BARE)
def test_bare(bare_newline: BareNewline, said: bytes, rejected: bytes, normalized: bytes, taken: bytes) -> None:
    """A bare LF stops what is passed, or is a line end like others, where a lone dot is no end."""
    expected = {REJECT: rejected, NORMALIZE: normalized, NO: taken}[bare_newline]

    for pieces in ([said], bytewise(said)):
        result = told(pieces, bare_newline)

        assert result.framed == expected
        assert (result.ended, result.rest) == (True, b"")
        assert result.flawed == (bare_newline is REJECT)


@pytest.mark.parametrize("length", [0, 1, 4])
@pytest.mark.parametrize("changed", [b"\n", b"\r", b"a", b"", b"\r\n", b"\n\n"])
def test_even(length: int, changed: bytes) -> None:
    """Among lines of one length, too, no bare LF passes, wherever it is, and nothing else is taken for one."""
    even = (b"a" * length + b"\r\n") * 5
    for at in range(len(even)):
        said = even[:at] + changed + even[at + 1 :]
        for end in range(len(said) + 1):
            content = Content(REJECT)

            content.receive(said[:end])

            assert content.flawed == bool(re.search(rb"(?<!\r)\n", said[:end]))


@pytest.mark.parametrize("some", [1, 6, 64])
@pytest.mark.parametrize("changed", [b"\n", b"\r", b".", b"", b"\r\n", b"\n\n", b"\r\n.\r\n"])
@pytest.mark.parametrize("bare_newline", BareNewline)
def test_even_pieces(bare_newline: BareNewline, changed: bytes, some: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pieces of such lines mean what they mean line by line, wherever they are cut, and however they are looked at."""
    monkeypatch.setattr(content_module, "_SOME", some)
    even = b"ab\r\n" * 5
    for at in range(len(even)):
        said = even[:at] + changed + even[at + 1 :]
        expected = line_by_line(said, bare_newline)
        for cut in range(len(said)):
            assert told([said[:cut], said[cut:]], bare_newline) == expected


@pytest.mark.parametrize("bare_newline", BareNewline)
def test_an_attachment_is_passed_as_it_came(bare_newline: BareNewline) -> None:
    """Without a copy of it in memory, also while it is looked through."""
    piece = (b"a" * 76 + b"\r\n") * 1680
    content = Content(bare_newline)
    content.receive(b"Subject: large\r\n\r\na")
    tracemalloc.start()
    passed = content.receive(piece)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert passed is piece
    assert peak < len(piece) / 2


@pytest.mark.parametrize("bare_newline", BareNewline)
@pytest.mark.parametrize("start", [b"", b"a\r\n", b"a\r\nb"])
@pytest.mark.parametrize("end", SMUGGLED)
def test_smuggling(bare_newline: BareNewline, start: bytes, end: bytes) -> None:
    """Wherever segments are cut, every server reads one message and no command, or the message is refused."""
    said = start + end + EVIL + b"\r\n.\r\nQUIT\r\n"
    whole = told([said], bare_newline)

    assert whole == told(bytewise(said), bare_newline)
    for at in range(len(said)):
        assert told([said[:at], said[at:]], bare_newline) == whole
    assert whole.ended
    if end.startswith(b"\r\n.\r\n"):
        assert whole.rest.startswith(b"\n" + EVIL)
    else:
        assert whole.rest == b"QUIT\r\n"
    assert whole.flawed == (bare_newline is REJECT and b"\n" in said[: -len(whole.rest)].replace(b"\r\n", b""))
    assert_one_message(whole)


@given(NOISE, NOISE, st.sampled_from(BareNewline), st.data())
def test_any_split(said: bytes, more: bytes, bare_newline: BareNewline, data: st.DataObject) -> None:
    """Any bytes mean the same in any pieces, and the same as when they are read line by line."""
    said += more
    at = data.draw(st.integers(0, len(said)))

    whole = told([said], bare_newline)

    assert told([said[:at], said[at:]], bare_newline) == whole
    assert told(bytewise(said), bare_newline) == whole
    assert line_by_line(said, bare_newline) == whole


@given(NOISE, st.sampled_from(BareNewline))
def test_one_message(said: bytes, bare_newline: BareNewline) -> None:
    """Whatever is said, every server takes it for one message that ends where it ends for us."""
    result = told([said, b"\r\n.\r\n"], bare_newline)

    assert result.ended
    assert_one_message(result)


@given(NOISE, st.sampled_from(BareNewline))
def test_well_formed(text: bytes, bare_newline: BareNewline) -> None:
    """Lines that are sent as RFC 5321 says arrive as they were, and are not changed on the way."""
    lines = text.replace(b"\r\n", b"\n").split(b"\n")
    stuffed = b"".join(b"%b%b\r\n" % (b"." if line.startswith(b".") else b"", line) for line in lines)

    result = told([stuffed + END], bare_newline)

    assert result == Told(stuffed, sum(map(len, lines)) + 2 * len(lines))
    read = rfc(result.framed + END)
    assert read is not None
    assert read.lines == lines
    assert_one_message(result)


@pytest.mark.parametrize("line", [b"x" * 76 + b"\r\n", b"..\r\n", b".x\r\n", b"x", b"\r", b"\0"])
@pytest.mark.parametrize("bare_newline", BareNewline)
def test_memory(line: bytes, bare_newline: BareNewline) -> None:
    """However long a message or a line is, no more of it is kept than a few times a piece."""
    piece = line * (2**16 // len(line))
    content = Content(bare_newline)
    tracemalloc.start()
    for _ in range(40):
        content.receive(piece)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert content.size > 2**20
    assert peak < 6 * 2**16


def told(pieces: list[bytes], bare_newline: BareNewline) -> Told:
    """What becomes of content that comes in such pieces."""
    content = Content(bare_newline)
    framed = b""
    for piece in pieces:
        is_shut = content.flawed or content.ended
        passed = content.receive(piece)
        assert not (is_shut and passed)
        framed += passed
    return Told(framed, content.size, content.ended, content.flawed, content.rest)


def bytewise(said: bytes) -> list[bytes]:
    """The bytes one by one."""
    return [said[at : at + 1] for at in range(len(said))]


def assert_one_message(result: Told) -> None:
    """What is passed is one message for every server; a refused one does not end and is of no server."""
    for reader in READERS.values():
        assert reader(result.framed) is None
    if result.flawed:
        return
    assert not result.framed or result.framed.endswith(b"\r\n")
    read = [reader(result.framed + END + EVIL) for reader in READERS.values()]
    assert [each and each.taken for each in read] == [len(result.framed) + len(END)] * len(READERS)
    by_rfc, by_qmail, by_lf = (each.lines for each in read if each)
    assert by_rfc == by_qmail
    assert [line.rstrip(b"\r") for line in by_rfc] == by_lf


def line_by_line(said: bytes, bare_newline: BareNewline) -> Told:
    """What becomes of content, read line by line as plainly as it can be."""
    framed, size, flawed, was_bare = b"", 0, False, False
    *lines, last = said.split(b"\n")
    for at, line in enumerate(lines):
        is_bare = not line.endswith(b"\r")
        text = line.removesuffix(b"\r")
        if text == b"." and not is_bare and not was_bare:
            return Told(framed, size, True, flawed, b"\n".join([*lines[at + 1 :], last]))
        if flawed:
            size += len(line) + 1
        elif is_bare and bare_newline is REJECT:
            flawed = True
            framed += stuffed(text)
            size += len(text) + 1 - (text.startswith(b".") and text != b".")
        elif text != b".":
            framed += stuffed(text) + b"\r\n"
            size += len(text.removeprefix(b".")) + 2
        elif bare_newline is NO:
            framed += b"..\r\n"
            size += 3
        was_bare = is_bare
    if last in (b".", b".\r"):
        return Told(framed, size, False, flawed)
    if flawed:
        return Told(framed, size + len(last), False, flawed)
    return Told(framed + stuffed(last), size + len(last.removeprefix(b".")), False, flawed)


def stuffed(line: bytes) -> bytes:
    """A line as it was said, its dots doubled as they should have been; nothing of one that is a dot alone."""
    return line[1:] if line.startswith(b".") and not line.startswith(b"..") else line
