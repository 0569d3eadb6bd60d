"""EHLO's keywords, ours and those of a backend."""

import pytest

from ucspi_py.core.smtp.ehlo import ehlo_reply, keywords
from ucspi_py.core.smtp.reply import reply
from ucspi_py.core.smtp.settings import Greeting

GREETING = Greeting(b"gate.example", b"gate.example ESMTP")


@pytest.mark.parametrize(
    ("size", "smtputf8", "lines"),
    [
        (0, False, [b"250-gate.example", b"250-PIPELINING", b"250-SIZE", b"250 8BITMIME"]),
        (1000, False, [b"250-gate.example", b"250-PIPELINING", b"250-SIZE 1000", b"250 8BITMIME"]),
        (0, True, [b"250-gate.example", b"250-PIPELINING", b"250-SIZE", b"250-8BITMIME", b"250 SMTPUTF8"]),
    ],
)
def test_we_announce_what_we_can(size: int, smtputf8: bool, lines: list[bytes]) -> None:
    """And nothing that only the backend knows."""
    assert ehlo_reply(GREETING._replace(size=size), smtputf8).splitlines() == lines


def test_a_name_forges_no_keyword() -> None:
    """control/me is a file."""
    assert ehlo_reply(Greeting(b"a\r\n250-CHUNKING", b""), False).startswith(b"250-a??250-CHUNKING\r\n250-PIPELINING")


KEYWORDS = [
    (reply(250, b"host"), {}),
    (reply(250, b"host PIPELINING", b"PIPELINING", b"SIZE 100"), {b"PIPELINING": b"", b"SIZE": b"100"}),
    (
        reply(250, b"h", b"size", b" 8bitmime ", b"AUTH  LOGIN PLAIN"),
        {b"SIZE": b"", b"8BITMIME": b"", b"AUTH": b"LOGIN PLAIN"},
    ),
    (reply(250, b"h", b"", b"  ", b"X"), {b"X": b""}),
    (reply(502, b"h", b"PIPELINING"), {}),
]


@pytest.mark.parametrize(("answer", "announced"), KEYWORDS)
def test_the_keywords_of_a_backend_are_read(answer: object, announced: dict[bytes, bytes]) -> None:
    """From the second line of its 250 on, in any case."""
    assert keywords(answer) == announced  # type: ignore[arg-type]
