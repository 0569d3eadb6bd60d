"""What Content-Type says of the body behind it (RFC 2045, 5.1; header_token.c, mime_state.c). Never looks at one."""

import re
from collections.abc import Iterator
from typing import NamedTuple

#: RFC 2045, 5.1: tspecials.
_SPECIAL = rb'()<>@,;:\\"/\[\]?='
_PIECE = re.compile(
    rb"(?P<blank>[ \t\r\n]+)|(?P<sign>[%b\x00-\x1f\x7f])|(?P<word>[^%b\x00-\x20\x7f]+)" % (_SPECIAL, _SPECIAL)
)
_QUOTED = re.compile(rb'([^"\\]*(?:\\.[^"\\]*)*)(?:"|\\?\Z)', re.DOTALL)
_IN_QUOTES = re.compile(rb"[ \t\r]*\n|\\(.)", re.DOTALL)
_OF_COMMENT = re.compile(rb"\\.|[()]", re.DOTALL)
#: header_token.c: parts of a parameter that are looked at; ``boundary = x`` has three.
_PARTS = 3


class ContentType(NamedTuple):
    """What stands in a body. is_message: headers of another one. is_digest: its parts do. boundaries: of its parts."""

    is_message: bool = False
    is_digest: bool = False
    boundaries: tuple[bytes, ...] = ()


class _Token(NamedTuple):
    """kind: ``word``, ``quoted`` or ``sign``."""

    kind: str
    text: bytes


def content_type(value: bytes) -> ContentType | None:
    """Parse what stands behind ``Content-Type:``; None = nothing is said."""
    parameters = _parameters(value)
    kind = next(parameters, [])
    if not kind:
        return None
    main, sub = _word(kind[:1]), _word(kind[2:3]) if kind[1:2] == [_Token("sign", b"/")] else b""
    if main == b"message":
        return ContentType(is_message=sub in (b"rfc822", b"global"))
    if main == b"multipart":
        # More than one boundary is an error, by which a part could be hidden: each of them counts.
        found = tuple(tokens[2].text for tokens in parameters if _is_boundary(tokens))
        return ContentType(is_digest=sub == b"digest", boundaries=found)
    return ContentType()


def _is_boundary(tokens: list[_Token]) -> bool:
    return len(tokens) == _PARTS and _word(tokens[:1]) == b"boundary" and tokens[1] == _Token("sign", b"=")


def _word(tokens: list[_Token]) -> bytes:
    return tokens[0].text.lower() if tokens and tokens[0].kind == "word" else b""


def _parameters(value: bytes) -> Iterator[list[_Token]]:
    """The first tokens of each part between semicolons."""
    tokens = list[_Token]()
    for token in _tokens(value):
        if token == _Token("sign", b";"):
            yield tokens
            tokens = []
        elif len(tokens) < _PARTS:
            tokens.append(token)
    if tokens:
        yield tokens


def _tokens(value: bytes) -> Iterator[_Token]:
    at = 0
    while found := _PIECE.match(value, at):
        at = found.end()
        sign = found["sign"]
        if sign == b"(":
            at = _end_of_comment(value, at)
        elif sign == b'"':
            quoted = _QUOTED.match(value, at)
            at = quoted.end() if quoted else len(value)
            yield _Token("quoted", _unquoted(quoted[1] if quoted else b""))
        elif sign:
            yield _Token("sign", sign)
        elif found["word"]:
            yield _Token("word", found["word"])


def _unquoted(text: bytes) -> bytes:
    return _IN_QUOTES.sub(lambda found: found[1] or b"", text)


def _end_of_comment(value: bytes, at: int) -> int:
    """Where a comment ends that begins before this place; comments nest."""
    depth = 1
    for found in _OF_COMMENT.finditer(value, at):
        depth += (found[0] == b"(") - (found[0] == b")")
        if not depth:
            return found.end()
    return len(value)
