"""Command lines read."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ucspi_py.core.smtp.command import Command, Mail, Rcpt, parse, parse_mail, parse_rcpt
from ucspi_py.core.smtp.envelope import Parameters
from ucspi_py.core.smtp.path import NULL, Path
from ucspi_py.core.smtp.reply import Reply

A = Path(b"a", b"b")
FOREIGN = b"\xc3\xb6"


@pytest.mark.parametrize(
    ("line", "command"),
    [
        (b"", Command(b"", b"")),
        (b" \t", Command(b"", b"")),
        (b"noop", Command(b"NOOP", b"")),
        (b"NoOp ", Command(b"NOOP", b"")),
        (b"NOOP a  b", Command(b"NOOP", b"a  b")),
        (b"NOOP\ta\t", Command(b"NOOP", b"a")),
        (b"  NOOP", Command(b"NOOP", b"")),
        (b"MAIL FROM:<A@b>", Command(b"MAIL", b"FROM:<A@b>")),
        (b"Subject: x", Command(b"SUBJECT:", b"x")),
    ],
)
def test_parse(line: bytes, command: Command) -> None:
    """A verb is what stands before the first blank, in capitals; its argument is as it was said."""
    assert parse(line) == command


@pytest.mark.parametrize(
    ("argument", "sender", "parameters"),
    [
        (b"FROM:<a@b>", A, ()),
        (b"from:<>", NULL, ()),
        (b"From: \t<a@b>", A, ()),
        (b"FROM:a@b", A, ()),
        (b"FROM:<@c:a@b>", A, ()),
        (b"FROM:<a@b> SIZE=12 body=8bitmime", A, ((b"SIZE", b"12"), (b"BODY", b"8bitmime"))),
        (b"FROM:<a@b>  AUTH=<>\tRET", A, ((b"AUTH", b"<>"), (b"RET", None))),
        (b"FROM:<a@b> X-1=a=b", A, ((b"X-1", b"a=b"),)),
        (b"FROM:a@b SIZE=0", A, ((b"SIZE", b"0"),)),
    ],
)
def test_mail(argument: bytes, sender: Path, parameters: Parameters) -> None:
    """MAIL names a sender, who may be nobody, and parameters."""
    assert parse_mail(argument, strict=False, utf8=False) == Mail(sender, parameters)


@pytest.mark.parametrize(
    ("argument", "recipient", "parameters"),
    [
        (b"TO:<a@b>", A, ()),
        (b"to: a@b", A, ()),
        (b"TO:<postmaster>", Path(b"postmaster", None), ()),
        (b"TO:<a@b> NOTIFY=NEVER orcpt=rfc822;a@b", A, ((b"NOTIFY", b"NEVER"), (b"ORCPT", b"rfc822;a@b"))),
    ],
)
def test_rcpt(argument: bytes, recipient: Path, parameters: Parameters) -> None:
    """RCPT names a recipient and parameters."""
    assert parse_rcpt(argument, strict=False, utf8=False) == Rcpt(recipient, parameters)


@pytest.mark.parametrize(
    ("argument", "refusal"),
    [
        (b"", b"501 5.5.4 Syntax: MAIL FROM:<address>"),
        (b"FROM", b"501 5.5.4 Syntax: MAIL FROM:<address>"),
        (b"FROM:", b"501 5.5.4 Syntax: MAIL FROM:<address>"),
        (b"FROM :<a@b>", b"501 5.5.4 Syntax: MAIL FROM:<address>"),
        (b"TO:<a@b>", b"501 5.5.4 Syntax: MAIL FROM:<address>"),
        (b"<a@b>", b"501 5.5.4 Syntax: MAIL FROM:<address>"),
        (b"FROM:<a@b", b"501 5.1.7 Bad sender address syntax"),
        (b"FROM:<a@b>SIZE=1", b"501 5.1.7 Bad sender address syntax"),
        (b"FROM:<\xff@b>", b"501 5.1.7 Bad sender address syntax"),
        (b"FROM:<%b@b>" % FOREIGN, b"553 5.6.7 Must declare SMTPUTF8 to send unicode address"),
        (b"FROM:<%b@b> SMTPUTF8" % FOREIGN, b"553 5.6.7 Must declare SMTPUTF8 to send unicode address"),
        (b"FROM:<a@b> SIZE=", b"501 5.5.4 Bad parameter syntax: SIZE="),
        (b"FROM:<a@b> =1", b"501 5.5.4 Bad parameter syntax: =1"),
        (b"FROM:Joe <a@b>", b"501 5.5.4 Bad parameter syntax: <a@b>"),
        (b"FROM:<a@b> -X", b"501 5.5.4 Bad parameter syntax: -X"),
        (b"FROM:<a@b> SIZE = 1", b"501 5.5.4 Bad parameter syntax: ="),
        (b"FROM:<a@b> X=\x1b", b"501 5.5.4 Bad parameter syntax: X=?"),
        (b"FROM:<a@b> " + b"?" * 200, b"501 5.5.4 Bad parameter syntax: " + b"?" * 100),
        (b"FROM:<a@b> SIZE=1 size=2", b"501 5.5.4 Duplicate parameter: SIZE"),
        (b"FROM:<a@b> RET RET", b"501 5.5.4 Duplicate parameter: RET"),
    ],
)
def test_bad_mail(argument: bytes, refusal: bytes) -> None:
    """What is wrong with a MAIL command is told in Postfix's words."""
    assert told(parse_mail(argument, strict=False, utf8=False)) == refusal


@pytest.mark.parametrize(
    ("argument", "refusal"),
    [
        (b"", b"501 5.5.4 Syntax: RCPT TO:<address>"),
        (b"FROM:<a@b>", b"501 5.5.4 Syntax: RCPT TO:<address>"),
        (b"TO: ", b"501 5.5.4 Syntax: RCPT TO:<address>"),
        (b"TO:<>", b"501 5.1.3 Bad recipient address syntax"),
        (b"TO:<a@b@c>", b"501 5.1.3 Bad recipient address syntax"),
        (b"TO:<%b@b>" % FOREIGN, b"553 5.6.7 Must declare SMTPUTF8 to send unicode address"),
        (b"TO:<a@b> ORCPT=%b" % FOREIGN, b"553 5.6.7 Must declare SMTPUTF8 to send unicode address"),
        (b"TO:<a@b> NOTIFY=NEVER NOTIFY=NEVER", b"501 5.5.4 Duplicate parameter: NOTIFY"),
    ],
)
def test_bad_rcpt(argument: bytes, refusal: bytes) -> None:
    """What is wrong with a RCPT command is told in Postfix's words."""
    assert told(parse_rcpt(argument, strict=False, utf8=False)) == refusal


def test_strict() -> None:
    """Strictly, an address has its < and >."""
    assert told(parse_mail(b"FROM:a@b", strict=True, utf8=False)) == b"501 5.1.7 Bad sender address syntax"
    assert told(parse_rcpt(b"TO:a@b", strict=True, utf8=False)) == b"501 5.1.3 Bad recipient address syntax"


def test_smtputf8() -> None:
    """UTF-8 is taken from whoever declares it, where it may be declared."""
    path = Path(FOREIGN, b"b")

    said = b"FROM:<%b@b> SMTPUTF8" % FOREIGN
    assert parse_mail(said, strict=True, utf8=True) == Mail(path, ((b"SMTPUTF8", None),))
    assert told(parse_mail(b"FROM:<%b@b>" % FOREIGN, strict=True, utf8=True)).startswith(b"553 5.6.7 ")
    assert parse_rcpt(b"TO:<%b@b>" % FOREIGN, strict=True, utf8=True) == Rcpt(path, ())


LINES = st.lists(
    st.one_of(
        st.sampled_from([b"MAIL", b"FROM:", b"<a@b>", b" ", b"SIZE=1", b"=", b"SMTPUTF8", b'"', b"<>", FOREIGN]),
        st.binary(max_size=3),
    ),
    max_size=12,
).map(b"".join)


@given(LINES, st.booleans(), st.booleans())
def test_noise(line: bytes, strict: bool, utf8: bool) -> None:
    """Whatever is said is a command of three values or a refusal of one line."""
    argument = parse(line).argument

    for said in (parse_mail(argument, strict=strict, utf8=utf8), parse_rcpt(argument, strict=strict, utf8=utf8)):
        if isinstance(said, Reply):
            assert said.code in (501, 553)
            assert said.wire.count(b"\n") == 1
        else:
            names = [name for name, _ in said.parameters]
            assert len(set(names)) == len(names)
            assert all(name == name.upper() for name in names)


def told(said: Mail | Rcpt | Reply) -> bytes:
    """The refusal as the client reads it."""
    assert isinstance(said, Reply)
    return said.wire.removesuffix(b"\r\n")
