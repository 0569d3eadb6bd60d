"""Addresses of the envelope."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ucspi_py.core.smtp.path import NULL, Path, parse_path, route

LABEL = b"x" * 63
DOMAIN = b".".join([LABEL] * 3)

#: What was said, what it is, and how it is told again.
PATHS = [
    (b"<>", NULL, b"<>"),
    (b"<a@b.example>", Path(b"a", b"b.example"), b"<a@b.example>"),
    (b"<A@B.Example>", Path(b"A", b"B.Example"), b"<A@B.Example>"),
    (b"<a>", Path(b"a", None), b"<a>"),
    (b"<PostMaster>", Path(b"PostMaster", None), b"<PostMaster>"),
    (b"<!#$%&'*+-/=?^_`{|}~0.x@b>", Path(b"!#$%&'*+-/=?^_`{|}~0.x", b"b"), b"<!#$%&'*+-/=?^_`{|}~0.x@b>"),
    (b'<"a"@b>', Path(b"a", b"b"), b"<a@b>"),
    (b'<"\\a"@b>', Path(b"a", b"b"), b"<a@b>"),
    (b'<"q s"@b>', Path(b"q s", b"b"), b'<"q s"@b>'),
    (b'<"<>,:;@[]()"@b>', Path(b"<>,:;@[]()", b"b"), b'<"<>,:;@[]()"@b>'),
    (b'<"a\\"b\\\\c\\ d"@b>', Path(b'a"b\\c d', b"b"), b'<"a\\"b\\\\c d"@b>'),
    (b'<""@b>', Path(b"", b"b"), b'<""@b>'),
    (b'<" ">', Path(b" ", None), b'<" ">'),
    (b"<a..b@b>", Path(b"a..b", b"b"), b'<"a..b"@b>'),
    (b"<.a.@b>", Path(b".a.", b"b"), b'<".a."@b>'),
    (b"<a@b.example.>", Path(b"a", b"b.example"), b"<a@b.example>"),
    (b"<a@b_-c.1>", Path(b"a", b"b_-c.1"), b"<a@b_-c.1>"),
    (b"<a@[192.0.2.1]>", Path(b"a", b"[192.0.2.1]"), b"<a@[192.0.2.1]>"),
    (b"<a@[IPv6:2001:db8::1]>", Path(b"a", b"[IPv6:2001:db8::1]"), b"<a@[IPv6:2001:db8::1]>"),
    (b"<@c.example:a@b>", Path(b"a", b"b"), b"<a@b>"),
    (b"<@c.example,@[192.0.2.1]:a@b>", Path(b"a", b"b"), b"<a@b>"),
    (b'<"u@other.example"@b>', Path(b"u@other.example", b"b"), b'<"u@other.example"@b>'),
    (b"<" + b"x" * 250 + b"@abc>", Path(b"x" * 250, b"abc"), b"<" + b"x" * 250 + b"@abc>"),
    (b"<\xc3\xb6@\xc3\xa4.example>", Path(b"\xc3\xb6", b"\xc3\xa4.example"), b"<\xc3\xb6@\xc3\xa4.example>"),
    (b'<"\xc3\xb6 "@b>', Path(b"\xc3\xb6 ", b"b"), b'<"\xc3\xb6 "@b>'),
]

NAKED = [
    (b"a@b.example", Path(b"a", b"b.example"), b"<a@b.example>"),
    (b"postmaster", Path(b"postmaster", None), b"<postmaster>"),
    (b'"q s"@b', Path(b"q s", b"b"), b'<"q s"@b>'),
]

NO_PATHS = [
    *(b"", b"<", b">", b"<a@b", b"a@b>", b"<a@b>>", b"<<a@b>>", b"<a@b>x", b"< >", b"<a@>", b"<@b>", b"<@>", b"@"),
    *(b"<a@b@c>", b"<a b@c>", b"<a @b>", b"<a@ b>", b"< a@b>", b"<a@b >", b"<a\\ b@c>", b"<a,b@c>", b"<(c)a@b>"),
    *(b"<a;b@c>", b"<a:b@c>", b"<a@b>,<c@d>", b'<"a@b>', b'<"a"b@c>', b'<a"b"@c>', b'<"a\\"@b>', b'<"">'),
    *(b'<"a"b>', b'<"a"."b"@c>', b"<a@.b>", b"<a@b..c>", b"<a@b..>", b"<a@.>", b"<a@b%c>", b"<a@b!c>", b"<a@b c>"),
    *(b"<a@[1.2.3]>", b"<a@[1.2.3.256]>", b"<a@[01.2.3.4]>", b"<a@[::1]>", b"<a@[IPv6:1]>", b"<a@[tag:x]>", b"<a@[]>"),
    *(
        b"<a@[1.2.3.4].b>",
        b"<a@[1.2.3.4>",
        b"<a@1.2.3.4]>",
        b"<@c:>",
        b"<@c:@d:a@b>",
        b"<c:a@b>",
        b"<a@b\0>",
        b"<a\t@b>",
    ),
    *(b"<a\t@b>", b"<a\x1b@b>", b"<a\x7f@b>", b'<"a\x1b"@b>', b'<"a\\\x1b"@b>', b'<"a\r\n"@b>', b"<a\n@b>", b"<a@b>\n"),
    *(b"<" + b"x" * 251 + b"@abc>", b"<a@" + DOMAIN + b"." + LABEL + b">", b'<"' + b'\\"' * 130 + b'"@b>'),
    *(b"<a@-b>", b"<a@b-.c>", b"<a@1.2.3.4>", b"<a@1>", b"<a@1.>", b"<a@" + b"x" * 64 + b".c>"),
    *(b"<\xff@b>", b"<a@\xc3>", b'<"\xc3"@b>'),
]


@pytest.mark.parametrize(("said", "path", "wire"), PATHS)
@pytest.mark.parametrize("strict", [False, True])
def test_paths(said: bytes, path: Path, wire: bytes, strict: bool) -> None:
    """A path is what it says, and is told again in one form only."""
    assert parse_path(said, strict=strict, utf8=True) == (path, b"")
    assert path.wire == wire
    assert path.address == wire[1:-1]


@pytest.mark.parametrize(("said", "path", "wire"), NAKED)
def test_no_angles(said: bytes, path: Path, wire: bytes) -> None:
    """An address without < and > is taken unless RFC 5321 is to be kept strictly."""
    assert parse_path(said, strict=False, utf8=False) == (path, b"")
    assert parse_path(said, strict=True, utf8=False) is None
    assert path.wire == wire


@pytest.mark.parametrize("said", NO_PATHS)
@pytest.mark.parametrize("strict", [False, True])
def test_no_paths(said: bytes, strict: bool) -> None:
    """What is no path by RFC 5321 is none, and neither is what is too long."""
    assert parse_path(said, strict=strict, utf8=True) is None


@pytest.mark.parametrize("said", [b"<\xc3\xb6@b>", b"<a@\xc3\xb6>", b'<"\xc3\xb6"@b>', b"\xc3\xb6@b"])
def test_eight_bits(said: bytes) -> None:
    """UTF-8 is taken only by who takes SMTPUTF8."""
    assert parse_path(said, strict=False, utf8=False) is None
    assert parse_path(said, strict=False, utf8=True) is not None


@pytest.mark.parametrize("path", [b"<>", b"<a@b>", b'<"> "@b>', b"a@b"])
@pytest.mark.parametrize(("behind", "rest"), [(b" SIZE=1 X", b"SIZE=1 X"), (b"\t SIZE=1", b"SIZE=1"), (b" ", b"")])
def test_rest(path: bytes, behind: bytes, rest: bytes) -> None:
    """What stands behind the path is given back."""
    parsed = parse_path(path + behind, strict=False, utf8=False)

    assert parsed is not None
    assert parsed[1] == rest


def test_null() -> None:
    """Only <> is the null reverse-path."""
    assert NULL.is_null
    assert not Path(b"", b"b").is_null
    assert not Path(b"a", None).is_null


def test_postmaster() -> None:
    """Only the bare postmaster is the one whom everybody may write to, in any case."""
    assert Path(b"PostMaster", None).is_postmaster
    assert not Path(b"postmaster", b"b").is_postmaster
    assert not Path(b"postmaster2", None).is_postmaster


@pytest.mark.parametrize(
    ("local", "routes"),
    [
        (b"a", False),
        (b"a+b=c.d", False),
        (b"u%other.example", True),
        (b"other!u", True),
        (b"u@other.example", True),
        (b"a b", False),
    ],
)
@pytest.mark.parametrize("domain", [b"b", None])
def test_route(local: bytes, routes: bool, domain: bytes | None) -> None:
    """A local part that names another host may lead there."""
    assert route(Path(local, domain)) == routes


LOCALS = st.text(
    st.characters(min_codepoint=32, exclude_characters="\x7f", exclude_categories=["Cs"]), max_size=60
).map(str.encode)
DOMAINS = st.sampled_from([None, b"b", b"b.example", b"[192.0.2.1]", b"[IPv6:::1]", b"\xc3\xb6.example"])
PIECES = [b"<", b">", b"@", b'"', b"\\", b" ", b".", b":", b",", b"[", b"]", b"a", b"b", b"%", b"\xc3\xb6", b"1.2.3.4"]
NOISE = st.lists(st.one_of(st.sampled_from(PIECES), st.binary(max_size=2)), max_size=20).map(b"".join)


@given(LOCALS, DOMAINS)
def test_replay(local: bytes, domain: bytes | None) -> None:
    """Any path that can be is the same when it is told again."""
    path = Path(local, domain)

    parsed = parse_path(path.wire, strict=True, utf8=True)

    assert parsed == (path, b"") or len(path.wire) > 256


@given(NOISE, st.booleans(), st.booleans(), st.booleans())
def test_noise(noise: bytes, angles: bool, strict: bool, utf8: bool) -> None:
    """Whatever is taken can be told again, means the same then, and has nothing in it that ends it."""
    parsed = parse_path(b"<%b>" % noise if angles else noise, strict=strict, utf8=utf8)

    if parsed is None:
        return
    wire = parsed[0].wire
    assert parse_path(wire, strict=True, utf8=utf8) == (parsed[0], b"")
    assert wire.startswith(b"<")
    assert wire.endswith(b">")
    assert len(wire) <= 256
    assert not set(wire) & set(range(32))
    assert utf8 or wire.isascii()
