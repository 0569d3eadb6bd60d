"""examples/postfix/zones: its header and body checks, each line with a message that it is about."""

from collections.abc import Iterator
from typing import NamedTuple

import pytest

from tests.support.backends.known import NotQmail
from tests.support.gate import MAIL, PATIENT, RCPT, Gate, controls, gated
from tests.support.postfix_example import FOLDER
from tests.support.smtp_client import Content, Step
from tests.support.waiting import until

EXAMPLE = FOLDER / "zones"
#: Without the lists, which ask name servers.
LISTS = (
    "smtpd_client_restrictions=",
    "smtpd_sender_restrictions=",
    "smtpd_recipient_restrictions=reject_unauth_destination",
)
PLAIN = "Subject: hello\r\n\r\nhow are you\r\n"


class Shown(NamedTuple):
    """A message that a line is about, what its client hears, the log's words, and whether it arrives."""

    message: str
    words: bytes
    logged: bytes
    arrives: bool = False


HEADERS = {
    "/^Subject:.*A funny game/": Shown(
        "Subject: Fwd: a funny game\r\n\r\n",
        b"250 2.0.0 Ok: discarded",
        b"discard: header Subject: Fwd: a funny game",
    ),
    "/^Subject:.*(casino|lottery)/": Shown(
        "Subject: win\r\n in the Lottery\r\n\r\n",
        b"550 5.7.1 no advertisements, please",
        b"reject: header Subject: win? in the Lottery",
    ),
    "/^X-Spam-Flag: YES/": Shown(
        "X-Spam-Flag: yes\r\n\r\n", b"250 ok", b"warning: header X-Spam-Flag: yes", arrives=True
    ),
    r'/name="?[^"]*\.(bat|com|exe|pif|scr)/': Shown(
        "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: x/y; name=a.exe\r\n\r\n",
        b"550 5.7.1 no programs, please",
        b"reject: header Content-Type: x/y; name=a.exe",
    ),
}
BODY = {
    "/^I send you this file in order to have your advice/": Shown(
        "\r\nI send you this file in order to have your advice\r\n",
        b"550 5.7.1 a worm of 2001",
        b"reject: body I send you this file",
    ),
    "/<iframe src=.?cid:/": Shown(
        "\r\n<iframe src=3Dcid:x>\r\n<iframe src='cid:x'>\r\n",
        b"250 ok",
        b"warning: body (iframe src='cid:x')",
        arrives=True,
    ),
}


class Standing(NamedTuple):
    """The example before the model of qmail-smtpd."""

    gate: Gate
    backend: NotQmail


@pytest.fixture(scope="module")
def standing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Standing]:
    """The example."""
    folder = tmp_path_factory.mktemp("checks")
    backend = NotQmail(folder / "backend", controls(folder / "control"))
    parameters = (*PATIENT, *LISTS)
    file = EXAMPLE / "main.cf"
    with gated(backend.argv, folder, parameters=parameters, variables=backend.environment, file=file) as gate:
        yield Standing(gate, backend)


def test_each_line_is_shown() -> None:
    """None of both tables is left out."""
    for name, shown in (("header_checks", HEADERS), ("body_checks", BODY)):
        rows = (EXAMPLE / name).read_text().splitlines()
        assert [row.rsplit("/", 1)[0] + "/" for row in rows if not row.startswith("#")] == list(shown)


@pytest.mark.parametrize("line", [*HEADERS, *BODY])
def test_what_a_line_does(standing: Standing, line: str) -> None:
    """To a message that it is about, and to none other."""
    shown = {**HEADERS, **BODY}[line]
    count, mark = len(standing.backend.messages()), standing.gate.mark()
    reply = _reply(standing.gate, shown.message)
    assert reply.startswith(shown.words)
    assert len(standing.backend.messages()) == count + shown.arrives
    until(lambda: b": NOQUEUE: " + shown.logged in standing.gate.since(mark), f"{shown.logged!r} in the log")
    assert _reply(standing.gate, PLAIN).startswith(b"250 ok")


def _reply(gate: Gate, message: str) -> bytes:
    steps: list[Step] = [b"EHLO client.example.net", MAIL, RCPT, b"DATA", Content(message.encode() + b".\r\n"), b"QUIT"]
    return gate.converse(steps)[4]
