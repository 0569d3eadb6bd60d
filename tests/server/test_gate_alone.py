"""pysmtpgate alone, under Debian's tcpserver: the verdicts of the absorbed one."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from tests.support.backends.known import NotQmail, Scripted
from tests.support.gate import APPENDED, LOCAL, MAIL, RCPT, RELAY, STRANGER, Gate, controls, gated
from tests.support.programs import theirs
from tests.support.smtp_client import Content, Manner, Step, every_manner, short
from tests.support.waiting import until

EHLO = b"EHLO client.example.net"
BODY = Content(b"Subject: x\r\n\r\nbody\r\n.\r\n")
BARE = Content(b"Subject: x\r\n\r\nbody\nx\r\n.\r\n")
FOREIGN = b"RCPT TO:<u@elsewhere.example>"
DIALOGUES: dict[str, Sequence[Step]] = {
    "refused": [EHLO, MAIL, FOREIGN, b"DATA", BODY, b"QUIT"],
    "let through": [EHLO, MAIL, RCPT, b"DATA", BODY, MAIL, RCPT, b"DATA", BODY, b"QUIT"],
    "some of three": [EHLO, MAIL, FOREIGN, RCPT, FOREIGN, b"DATA", BODY, b"QUIT"],
    "out of order": [b"DATA", RCPT, MAIL, MAIL, b"RSET", b"HELP", b"FOO", b"VRFY a", b"QUIT"],
    "bare newline": [EHLO, MAIL, RCPT, b"DATA", BARE, b"NOOP", b"QUIT"],
    "postmaster": [b"HELO x", MAIL, b"RCPT TO:<postmaster>", b"DATA", BODY, b"QUIT"],
    "gone": [EHLO, MAIL, RCPT, b"RSET"],
    "BDAT": [EHLO, b"BDAT 10 LAST", b"QUIT"],
}
FORMS = ["absorbed", "under tcpserver"]
#: Replies to a whole message.
_MESSAGE = rb"bare <LF>|^250 ok \d+ qp"


@pytest.fixture(scope="module")
def backends(tmp_path_factory: pytest.TempPathFactory) -> dict[str, NotQmail]:
    """A queue for each form."""
    folder = tmp_path_factory.mktemp("backends")
    return {form: NotQmail(folder / form, controls(folder / "control")) for form in FORMS}


@pytest.fixture(scope="module")
def gates(backends: dict[str, NotQmail], tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Gate]]:
    """Both forms, with the same parameters and rules."""
    folder = tmp_path_factory.mktemp("gates")
    absorbed, alone = (backends[form] for form in FORMS)
    parameters = ("smtpd_error_sleep_time=0",)
    tcpserver = theirs("tcpserver")
    with (
        gated(absorbed.argv, folder / "absorbed", parameters=parameters, variables=absorbed.environment) as first,
        gated(
            alone.argv, folder / "alone", parameters=parameters, variables=alone.environment, server=tcpserver
        ) as second,
    ):
        yield dict(zip(FORMS, (first, second), strict=True))


@pytest.mark.parametrize("source", [STRANGER, RELAY, APPENDED, LOCAL])
@pytest.mark.parametrize("name", DIALOGUES)
def test_the_same_verdicts(gates: dict[str, Gate], backends: dict[str, NotQmail], name: str, source: str) -> None:
    """Replies, messages and lines of the log are those of the absorbed gate, to the byte but for times and numbers."""
    found = []
    for form in FORMS:
        gate, backend = gates[form], backends[form]
        count, mark = len(backend.messages()), gate.mark()
        replies = gate.converse(DIALOGUES[name], source=source)
        has_end = b"QUIT" not in DIALOGUES[name] or not _count(replies, _MESSAGE)
        lines = _lines(gate, mark, expected=_count(replies, _MESSAGE + b"|Relay access denied") + has_end)
        found.append((list(map(_masked, replies)), backend.messages()[count:], lines))
    assert found[0] == found[1]


@pytest.mark.parametrize("name", ["refused", "some of three"])
@every_manner
def test_alone_in_every_manner(gates: dict[str, Gate], name: str, manner: Manner) -> None:
    """The same replies, however the bytes come."""
    alone = gates["under tcpserver"]
    steps = DIALOGUES[name]
    assert list(map(_masked, alone.converse(steps, manner))) == list(map(_masked, alone.converse(steps)))


def test_alone_the_backend_has_three_descriptors(tmp_path: Path) -> None:
    """And the environment that tcpserver gives, with RELAYCLIENT for whom it is due."""
    backend = Scripted(tmp_path / "backend")
    with gated(backend.argv, tmp_path, server=theirs("tcpserver")) as gate:
        gate.converse([EHLO, MAIL, RCPT, b"QUIT"])
        gate.converse([EHLO, MAIL, RCPT, b"QUIT"], source=LOCAL)
    first, second = backend.visits()
    assert set(first.descriptors) == set(second.descriptors) == {0, 1, 2}
    assert first.environment[b"TCPREMOTEIP"] == b"192.0.2.7"
    assert b"RELAYCLIENT" not in first.environment
    assert second.environment[b"RELAYCLIENT"] == b""
    assert (first.end, second.end) == ("quit", "quit")


def test_alone_a_silent_client_is_left(tmp_path: Path) -> None:
    """After smtpd_timeout."""
    backend = Scripted(tmp_path / "backend")
    parameters = ("smtpd_timeout=1",)
    with (
        gated(backend.argv, tmp_path, parameters=parameters, server=theirs("tcpserver")) as gate,
        gate.client() as client,
    ):
        assert [short(reply) for reply in client.rest()] == ["421 4.4.2"]


def test_alone_rblsmtpd_is_obeyed(tmp_path: Path) -> None:
    """$RBLSMTPD of a rule is spoken at RCPT; postmaster passes."""
    backend = Scripted(tmp_path / "backend")
    rules = '127.0.0.1:allow,TCPREMOTEIP="192.0.2.7",RBLSMTPD="-not you"\n:allow\n'
    with gated(backend.argv, tmp_path, rules=rules, server=theirs("tcpserver")) as gate:
        replies = gate.converse([EHLO, MAIL, RCPT, b"RCPT TO:<postmaster>", b"QUIT"])
    assert replies[2:4] == [b"553 not you", b"250 recipient ok"]


def _masked(reply: bytes) -> bytes:
    return re.sub(rb"(ok|qp) \d+", rb"\1 N", reply)


def _count(replies: Sequence[bytes], wanted: bytes) -> int:
    """How many replies have a line in the log: each refusal and each message has."""
    return sum(bool(re.search(wanted, reply)) for reply in replies)


def _lines(gate: Gate, mark: int, expected: int) -> list[bytes]:
    """The gate's own lines, once there are so many."""

    def lines() -> list[bytes]:
        return [line for line in gate.since(mark).splitlines() if line.startswith(b"smtpgate: ")]

    until(lambda: len(lines()) >= expected, f"{expected} lines in {gate.since(mark)!r}")
    return [_masked(line) for line in lines()]
