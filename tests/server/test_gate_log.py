"""The gate's log under a real server: one id for each connection, in every line of it and for its backend."""

import re
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.backends.known import Scripted
from tests.support.gate import MAIL, PATIENT, RCPT, Gate, gated
from tests.support.smtp_client import Content
from tests.support.waiting import until

EHLO = b"EHLO client.example.net"
FOREIGN = b"RCPT TO:<u@elsewhere.example>"
MESSAGE = (MAIL, RCPT, b"DATA", Content(b"x\r\n.\r\n"))


@pytest.fixture
def gate(backend: Scripted, tmp_path: Path) -> Iterator[Gate]:
    """A gate of two workers."""
    backend.does()
    with gated(backend.argv, tmp_path, parameters=PATIENT, options=("-w", "2", "-v")) as gate:
        yield gate


def test_a_connection_has_one_id_in_all_its_lines_and_for_its_backend(gate: Gate, backend: Scripted) -> None:
    """And another connection another one, whichever worker serves it, and after a restart of them."""
    runs = len(backend.visits())
    for _ in range(5):
        gate.converse([EHLO, MAIL, FOREIGN, *MESSAGE[1:], b"QUIT"])
    gate.process.send_signal(signal.SIGHUP)
    for _ in range(5):
        gate.converse([EHLO, MAIL, FOREIGN, *MESSAGE[1:], b"QUIT"])
    until(lambda: gate.log().count(b"smtpgate: disconnect from ") == 10)

    lines = re.findall(rb"^smtpgate\[(\d+)\]: (\S+ \S+)", gate.log_file.read_bytes(), re.MULTILINE)
    ids = {one: [words for each, words in lines if each == one] for one, _ in lines}
    assert list(ids.values()) == [[b"NOQUEUE: reject:", b"message from", b"disconnect from"]] * 10, ids
    assert [visit.environment[b"UNIQUE_ID"] for visit in backend.since(runs)] == list(ids)


def test_what_is_wrong_with_a_backend_is_told_of_its_connection(gate: Gate, backend: Scripted) -> None:
    """Which others of the same moment are not."""
    backend.does({"DATA": [["!exit 1"]]})
    gate.converse([EHLO, *MESSAGE[:3], b"QUIT"])
    until(lambda: b"smtpgate: warning: the backend " in gate.log())

    (line,) = re.findall(rb"^smtpgate\[(\d+)\]: warning: ", gate.log_file.read_bytes(), re.MULTILINE)
    assert line == backend.visits()[-1].environment[b"UNIQUE_ID"]
