"""What pysumm tells of the log of a real service is what its clients have gone through."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import nameserver
from tests.support.backends.known import Scripted
from tests.support.gate import MAIL, RCPT, RELAY, STRANGER, Gate, gated
from tests.support.nameserver import healthy, lists
from tests.support.programs import ours
from tests.support.smtp_client import Content, Manner
from tests.support.waiting import until

EHLO = b"EHLO client.example.net"
FOREIGN = b"RCPT TO:<u@elsewhere.example>"
MESSAGE = (MAIL, RCPT, b"DATA", Content(b"x\r\n.\r\n"))
CLEAN, DENIED = "127.0.0.9", "127.0.0.66"
RULES = """\
127.0.0.1:allow,TCPREMOTEIP="192.0.2.7"
127.0.0.2:allow,TCPREMOTEIP="192.0.2.8",RELAYCLIENT=""
127.0.0.9:allow,TCPREMOTEIP="192.0.2.9"
127.0.0.66:deny
"""


@pytest.fixture
def gate(backend: Scripted, tmp_path: Path) -> Iterator[Gate]:
    """Two zones that list the same client, before a gate."""
    records = {
        zone: found
        for name in ("bl.example", "copy.example")
        for zone, found in {**healthy(name), **lists(name, "192.0.2.7", text="listed")}.items()
    }
    backend.does()
    screens = (ours("pyrblsmtpd"), "-v", "-T", "2", "-r", "bl.example", "-r", "copy.example")
    with (
        nameserver.running(records, tmp_path) as dns,
        gated(
            backend.argv,
            tmp_path,
            screens=screens,
            options=("-v",),
            rules=RULES,
            variables={"DNSCACHEIP": dns},
        ) as gate,
    ):
        yield gate


def test_the_log_of_a_service_is_summed_up(gate: Gate, tmp_path: Path) -> None:
    """A listed client, one that wants to relay, one that may, and one that a rule denies."""
    gate.converse([EHLO, MAIL, RCPT, b"QUIT"], Manner.STEPS, STRANGER)
    gate.converse([EHLO, MAIL, FOREIGN, RCPT, *MESSAGE[2:], b"QUIT"], Manner.STEPS, CLEAN)
    gate.converse([EHLO, *MESSAGE, b"QUIT"], Manner.STEPS, RELAY)
    gate.talk(b"", DENIED)
    until(lambda: gate.log().count(b"tcpserver: end ") == 4)
    (tmp_path / "log").write_bytes(gate.log_file.read_bytes())

    done = subprocess.run([ours("pysumm"), "--json", tmp_path / "log"], capture_output=True, check=True)

    report = json.loads(done.stdout)
    total = {name: report["total"][name] for name in ("connections", "denied", "screened", "rejected", "messages")}
    assert total == {"connections": 3, "denied": 1, "screened": 1, "rejected": 1, "messages": 2}, done.stdout
    assert [(zone["zone"], zone["listed"], zone["alone"]) for zone in report["zones"]] == [
        ("bl.example", 1, 0),
        ("copy.example", 1, 0),
    ]
    assert report["pairs"] == [{"first": "bl.example", "second": "copy.example", "both": 1}]
    assert report["relays"]["by_address"] == 1
    assert report["restrictions"] == [{"name": "reject_unauth_destination", "number": 1}]
