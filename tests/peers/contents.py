"""Tables of header and body checks by chance, and messages that they are about."""

import random
from collections.abc import Iterator, Mapping

TABLES = ("header_checks", "mime_header_checks", "nested_header_checks", "body_checks")
_NAMES = [
    "Subject",
    "X-A",
    "X-B",
    "To",
    "From",
    "Content-Type",
    "Content-Disposition",
    "MIME-Version",
    "Received",
    "X-Long",
    "Content-ID",
]
_WORDS = [
    "alpha",
    "beta",
    "gamma",
    "delta",
    "Viagra",
    "--",
    ".dot",
    "name=x.exe",
    "[x]",
    "100%",
    ";",
    "été",
    "=",
    "a=b",
    "$5",
]
_QUIET = ["DUNNO", "OK", "INFO", "INFO noted", "WARN", "WARN see $1", "IGNORE", "IGNORE it", "STRIP", "STRIP gone $1"]
_FINAL = [
    "REJECT",
    "REJECT no $1",
    "REJECT 5.6.1 no",
    "REJECT 4.7.9 later",
    "REJECT 2.0.0 odd",
    "DISCARD",
    "DISCARD it",
]
_FINAL += ["PASS", "PASS friend"]
_HEADERS = ["PREPEND X-Put: $1", "REPLACE X-Put: <$1>", "REPLACE Subject: new", "PREPEND X-Dot: ."]
_BODIES = ["PREPEND .", "PREPEND >$1", "REPLACE .", "REPLACE ..$1", "REPLACE new line"]
_LONG = (2000, 2047, 2048, 2049, 4096, 5000)


def tables(draw: random.Random) -> dict[str, str]:
    """A source of each table, some of them empty."""
    return {name: "".join(_rules(draw, name)) if draw.random() < 0.85 else "" for name in TABLES}


def limits(draw: random.Random, tables: Mapping[str, str]) -> tuple[str, ...]:
    """Parameters beside the tables; behind PASS the gate has no limit, and Postfix has."""
    is_limited = not any("PASS" in text for text in tables.values())
    return (
        f"body_checks_size_limit={draw.choice([51200, 51200, 0, 50])}",
        f"header_size_limit={draw.choice([102400, 102400, 60 if is_limited else 102400])}",
        f"mime_nesting_limit={draw.choice([100, 1 if is_limited else 100])}",
        f"mime_boundary_length_limit={draw.choice([2048, 2048, 3])}",
        f"disable_mime_input_processing={draw.choice(['no', 'no', 'no', 'yes'])}",
    )


def message(draw: random.Random) -> bytes:
    """The content of a message, as it is sent behind 354, without its end."""
    lines = list(_entity(draw, 0))
    return b"".join((b"." if line.startswith(".") else b"") + line.encode("latin-1") + b"\r\n" for line in lines)


def _rules(draw: random.Random, table: str) -> Iterator[str]:
    for _ in range(draw.randrange(1, 6)):
        yield f"/{_pattern(draw, table)}/ {draw.choice(_actions(draw, table))}\n"


def _pattern(draw: random.Random, table: str) -> str:
    word = draw.choice(["alpha", "beta", "gamma", "delta", "viagra", "exe", "dot"])
    if table == "body_checks":
        return draw.choice(
            [f"({word})", f"^({word}|beta)", f"({word})$", "^(-+)b", "(x{2000})", r"^(\.)", f"({word}.*a)"]
        )
    name = draw.choice([name for name in _NAMES if name != "Received"])
    return draw.choice(
        [f"^{name}:.*({word})", f"^({name}):", f"^X-.*({word})", f"^[^R].*({word})$", f"^{name}:.*(b.*a)"]
    )


def _actions(draw: random.Random, table: str) -> list[str]:
    if draw.random() < 0.3:
        return _FINAL
    return _QUIET + 2 * (_BODIES if table == "body_checks" else _HEADERS)


def _entity(draw: random.Random, depth: int, *, bare: bool = False) -> Iterator[str]:
    """Headers, an empty line, a body. bare: without headers."""
    kind = draw.choice(["text", "text", "multipart", "message", "digest"] if depth < 3 else ["text"])
    boundary = f"b{draw.randrange(3)}" + draw.choice(["", "", "ound"])
    heads = [] if bare else [_header(draw) for _ in range(draw.randrange(0 if depth else 1, 4))]
    if kind in ("multipart", "digest"):
        heads.append(_content_type(draw, "mixed" if kind == "multipart" else "digest", boundary))
    elif kind == "message":
        heads.append(
            draw.choice(
                ["Content-Type: message/rfc822", "Content-type: MESSAGE/(x)RFC822", "Content-Type: message/partial"]
            )
        )
    for head in heads:
        yield from head.split("\n")
    # Postfix puts an empty line between the first headers and what is none of them; the gate does not.
    if depth and draw.random() < 0.1:
        yield "no header"
    else:
        yield ""
    if kind in ("multipart", "digest"):
        yield from _parts(draw, depth, boundary)
    elif kind == "message":
        yield from _entity(draw, depth + 1)
    else:
        yield from _body(draw)


def _parts(draw: random.Random, depth: int, boundary: str) -> Iterator[str]:
    yield from _body(draw)
    for _ in range(draw.randrange(3)):
        yield f"--{boundary}{draw.choice(['', '', ' ', 'x'])}"
        yield from _entity(draw, depth + 1, bare=draw.random() < 0.2)
    if draw.random() < 0.7:
        yield f"--{boundary}--"
        yield from _body(draw)


def _content_type(draw: random.Random, sub: str, boundary: str) -> str:
    value = draw.choice([boundary, f'"{boundary}"', f"{boundary} (comment)", f'"{boundary}'])
    fold = draw.choice(["", "", "\n\t", "\n "])
    said = draw.choice(["boundary", "charset=x; boundary", "BOUNDARY"])
    return f"Content-Type: multipart/{sub};{fold}{said}={value}"


def _header(draw: random.Random) -> str:
    name = draw.choice(_NAMES)
    words = [draw.choice(_WORDS) for _ in range(draw.randrange(1, 6))]
    if draw.random() < 0.05:
        words.append("l" * draw.choice(_LONG))
    joints = draw.choices([" ", "\n ", "\n\t", "  "], [6, 1, 1, 1], k=len(words))
    return f"{name}: " + "".join(word + joint for word, joint in zip(words, joints, strict=True)).rstrip()


def _body(draw: random.Random) -> Iterator[str]:
    for _ in range(draw.randrange(6)):
        line = draw.choice(["", ".", "..", "--", "-", "--b0", "a: b", *[" ".join(draw.choices(_WORDS, k=4))] * 5])
        if draw.random() < 0.04:
            line = draw.choice("x.-") * draw.choice(_LONG) + draw.choice(["", "alpha", "."])
        yield line
