"""What a client of the gate may say: noise that knows its SMTP."""

import random
from collections.abc import Sequence
from typing import NamedTuple

from ucspi_py.core.smtp.settings import BareNewline, SmtpSettings

HOST = b"gate.example"
#: Settings under which limits are met soon.
_LIMITS = {"soft_error_limit": 3, "hard_error_limit": 6, "recipient_limit": 3, "recipient_overshoot_limit": 1}

_PATHS = [
    *(b"<>", b"<postmaster>", b'<"q s"@a.example>', b"<@x.example:a@a.example>", b"a@a.example", b"<a@b", b""),
    *(b'<"\\r\\n.\\""@a.example>', b"<\xc3\xb6@a.example>", b"<\xff@b>", b"<a..b@[192.0.2.1]>", b"<u%o@a.example>"),
    *(b"<a@b>RSET", b"<a@b> <c@d>", b"<a\tb@c>", b'<"a@b>', b"<" + b"x" * 260 + b"@a>"),
]
_PARAMETERS = [
    *(b" SIZE=10", b" SIZE=5000", b" SIZE=x", b" BODY=8BITMIME", b" body=7bit", b" SMTPUTF8", b" SIZE=1 SIZE=2"),
    *(b" AUTH=<>", b" NOTIFY=NEVER", b" X=1", b" =", b" ", b"  SIZE=10\t"),
]
_OTHERS = [
    *(b"RSET", b"RSET", b"NOOP", b"noop x", b"VRFY a@b", b"VRFY", b"HELP", b"RSET x", b"DATA x", b"QUIT", b"QUIT x"),
    *(b"STARTTLS", b"AUTH PLAIN AAAA", b"BDAT 5 LAST", b"EXPN x", b"XCLIENT NAME=x", b"ETRN x", b"BLAH", b"", b" "),
    *(b"NO\0OP", b"NOOP\rQUIT", b"EHLO \xff", b"NOOP\x0bx", b"DATAX", b"HELO again"),
]
_FOREIGN = [b"GET / HTTP/1.1", b"Subject: x", b"\x16\x03\x01\x02", b".", b"\xff", b"\0"]
_ENDS = [b"\n", b"\r", b"\r\r\n", b"\n\r\n", b"\0\r\n", b"\r\n\r\n", b""]
_LINES = [
    *(b"text", b"", b".", b"..", b".x", b"...", b"\r", b".\r", b"\0", b"\0.", b".\0", b"\xff\xfe", b". ", b"a\r.\rb"),
    *(b"MAIL FROM:<s666@a.example>", b"RCPT TO:<r666@a.example>", b"DATA", b"RSET", b"QUIT", b"250 ok", b"x" * 300),
]
_LINE_ENDS = [
    *(b"\n", b"\r", b"\r\r\n", b"\n.\n", b"\n.\r\n", b"\r\n.\n", b"\r.\r", b"\r.\r\n", b"\n.\r", b"\r\n.\r\r\n"),
    *(b"\r\n\0.\r\n", b"\r\r\n.\r\r\n"),
]


class Step(NamedTuple):
    """What a client says at once. is_content: it says so only where it was asked for content."""

    said: bytes
    is_content: bool = False


def settings(chance: random.Random) -> SmtpSettings:
    """Settings of which each changes what is said."""
    drawn: dict[str, object] = {
        name: chance.choice([True, False])
        for name in ("helo_required", "strict_rfc821_envelopes", "disable_vrfy_command", "smtputf8_enable")
    }
    if chance.random() < 0.3:
        drawn |= _LIMITS
    return SmtpSettings(
        forbid_bare_newline=chance.choice(list(BareNewline)),
        forbid_unauth_pipelining=chance.random() < 0.3,
        junk_command_limit=chance.choice([2, 100]),
        line_length_limit=chance.choice([100, 2048]),
        **drawn,  # type: ignore[arg-type]
    )


def steps(chance: random.Random) -> list[Step]:
    """What a client says from the banner on: transactions, with whatever comes to mind between their commands."""
    said = [Step(chance.choice([b"EHLO c.example", b"EHLO c.example", b"HELO c", b"HELO", b"EHLO a b\x01c"]) + b"\r\n")]
    for _ in range(chance.randrange(1, 4)):
        said.append(Step(_command(chance, b"MAIL FROM:", b"s")))
        said += [Step(_command(chance, b"RCPT TO:", b"r")) for _ in range(chance.choice([0, 1, 1, 1, 2, 5]))]
        said += [Step(b"DATA" + _end(chance)), Step(_content(chance), is_content=True)]
    for _ in range(chance.choice([0, 0, 1, 2, 5, 12])):
        said.insert(chance.randrange(len(said) + 1), Step(_other(chance)))
    return [*said, Step(b"QUIT\r\n")] if chance.random() < 0.7 else said


def pieces(chance: random.Random, said: Sequence[Step]) -> list[Step]:
    """The same, as it may arrive: all at once, or cut anywhere."""
    whole = b"".join(step.said for step in said)
    places = sorted(chance.randrange(len(whole) + 1) for _ in range(chance.randrange(8)))
    return [Step(whole[start:end]) for start, end in zip([0, *places], [*places, len(whole)], strict=True)]


def _command(chance: random.Random, words: bytes, letter: bytes) -> bytes:
    path = b"<%b%d@a.example>" % (letter, chance.randrange(100)) if chance.random() < 0.8 else chance.choice(_PATHS)
    parameters = chance.choice(_PARAMETERS) if chance.random() < 0.2 else b""
    return words + path + parameters + _end(chance)


def _other(chance: random.Random) -> bytes:
    draw = chance.random()
    if draw < 0.85:
        return chance.choice(_OTHERS) + _end(chance)
    if draw < 0.9:
        return chance.choice(_FOREIGN) + _end(chance)
    if draw < 0.95:
        return chance.randbytes(chance.randrange(50))
    return chance.choice(_OTHERS) + b"x" * chance.randrange(5000) + b"\r\n"


def _end(chance: random.Random) -> bytes:
    return b"\r\n" if chance.random() < 0.97 else chance.choice(_ENDS)


def _content(chance: random.Random) -> bytes:
    """Lines of all kinds and, mostly, an end."""
    ends = _LINE_ENDS if chance.random() < 0.3 else [b"\r\n"]
    lines = [chance.choice(_LINES) for _ in range(chance.randrange(12))]
    content = b"".join(line + (b"\r\n" if chance.random() < 0.7 else chance.choice(ends)) for line in lines)
    return content + (b".\r\n" if chance.random() < 0.3 else b"\r\n.\r\n" if chance.random() < 0.95 else b"")
