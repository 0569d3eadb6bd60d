"""Content-Type as Postfix reads it, and messages within messages: each header belongs to the right table."""

import email.message
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core.test_content_message import Run, framed, nothing
from ucspi_py.core.gate.content.content_type import ContentType, content_type


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (b"", None),
        (b" ; boundary=x", None),
        (b" text/plain", ContentType()),
        (b" message/rfc822", ContentType(is_message=True)),
        (b" Message / Global (x)", ContentType(is_message=True)),
        (b" message/partial", ContentType()),
        (b" message", ContentType()),
        (b' "message"/rfc822', ContentType()),
        (b" multipart/mixed", ContentType()),
        (b" multipart/mixed; boundary=a", ContentType(boundaries=(b"a",))),
        (b" multipart/digest; BOUNDARY=a;x=y", ContentType(is_digest=True, boundaries=(b"a",))),
        (b' multipart/x; a=b; boundary="a; \\"b"; boundary=c', ContentType(boundaries=(b'a; "b', b"c"))),
        (b" (a(b)\\)) multipart (/) / mixed;\n\tboundary (x) = (y) c", ContentType(boundaries=(b"c",))),
        (b' multipart/x; boundary="a \n b', ContentType(boundaries=(b"a b",))),
        (b" multipart/x; boundary", ContentType()),
        (b" multipart/x; boundary=", ContentType()),
        (b" multipart/x; boundary a b", ContentType()),
        (b" multipart/x (; boundary=c", ContentType()),
        (b" multipart/x; boundary=\xff\xfe", ContentType(boundaries=(b"\xff\xfe",))),
    ],
)
def test_what_a_content_type_says(value: bytes, expected: ContentType | None) -> None:
    """header_token.c: comments, quotes, and whatever is left out."""
    assert content_type(value) == expected


@given(st.text(string.ascii_letters + string.digits + " '()+_,-./:=?", min_size=1).map(str.strip).filter(bool))
def test_a_boundary_is_the_one_that_python_reads(boundary: str) -> None:
    """For all that RFC 2046 allows in one."""
    message = email.message.Message()
    message.add_header("Content-Type", "multipart/mixed", charset="x", boundary=boundary)
    said = content_type(message["Content-Type"].encode())
    assert said and said.boundaries == (boundary.encode(),)


@pytest.mark.parametrize(
    "value", [b" (" * 50_000, b' "' + b"\\a" * 50_000, b";" * 100_000, b" \n" * 50_000, b"a=" * 50_000]
)
def test_no_content_type_takes_long(value: bytes) -> None:
    """100 KB of what is odd: there is no way back in its reading."""
    content_type(b" multipart/x; boundary=a" + value)


class Tree:
    """A message by chance. text: its lines. expected: what is asked of its headers, in their order."""

    def __init__(self, draw: st.DrawFn) -> None:
        self.expected: list[str] = []
        self._draw = draw
        self._count = 0
        self.text = self._entity("H", 0)

    def _entity(self, table: str, depth: int, *, is_digest: bool = False) -> str:
        """Headers and a body."""
        kind = self._draw(st.sampled_from(["text", "multipart", "digest", "message"] if depth < 4 else ["text"]))
        self._count += 1
        name = f"b{self._count}."
        head, body = self._head(table, "X-N", name), f"of {name}\n--not {name}\n"
        if kind in ("multipart", "digest"):
            sub = "mixed" if kind == "multipart" else "digest"
            head += self._head("M", "Content-Type", f'multipart/{sub}; boundary="{name}"')
            parts = [
                f"--{name}\n{self._entity('M', depth + 1, is_digest=kind == 'digest')}"
                for _ in range(self._draw(st.integers(0, 3)))
            ]
            body += "".join(parts) + self._draw(st.sampled_from(["", f"--{name}--\nX-Behind: x\n"]))
        elif kind == "message":
            head += self._head("M", "Content-Type", "message/rfc822")
            body = self._entity("N", depth + 1)
        elif is_digest and self._draw(st.booleans()):
            body = self._entity("N", depth + 1)
        elif is_digest:
            head += self._head("M", "Content-Type", "text/plain")
        return f"{head}\n{body}"

    def _head(self, table: str, name: str, value: str) -> str:
        fold = self._draw(st.sampled_from(["", "\n "]))
        self.expected.append(f"{table} {name}: {fold}{value}")
        return f"{name}: {fold}{value}\n"


@st.composite
def trees(draw: st.DrawFn) -> Tree:
    """Messages by chance."""
    return Tree(draw)


@given(trees())
def test_each_header_belongs_to_one_table(tree: Tree) -> None:
    """Of the message, of a part, of a message in it, however they are nested."""
    run = Run(framed(tree.text), nothing)
    assert [line for line in run.asked if not line.startswith("B ")] == tree.expected
    assert run.passed == framed(tree.text)
