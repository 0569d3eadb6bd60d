"""The whole chain with real parts: swaks, the server, rblsmtpd over zones of a real rbldnsd, mailfront behind."""

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.dnsbl import rbldnsd
from tests.support.field import FieldHost, field_host, swaks
from tests.support.programs import ours, theirs
from tests.support.server import QUIET, Server
from tests.support.waiting import PATIENCE, until

ZONES = {
    "one.example": ":127.0.0.2:Listed by one, see http://one.example/?$\n127.0.0.3\n127.0.0.5\n",
    "two.example": ":127.0.0.2:Listed by two\n127.0.0.4\n127.0.0.5\n",
    "good.example": ":127.0.0.2:Known to be good\n127.0.0.5\n",
    "127.in-addr.arpa": ":127.0.0.2:\n",
}

RULES = b"""\
127.0.0.1:allow,RELAYCLIENT="@relayed"
127.0.0.6:allow,RBLSMTPD="-Not from there"
127.0.0.7:deny
127.0.0.8:allow,RBLSMTPD="",RELAYCLIENT=""
:allow
"""

GREETED = ["220 0 mailfront ESMTP", "250-0", "250-8BITMIME", "250-ENHANCEDSTATUSCODES", "250 PIPELINING"]
BEGUN = [*GREETED, "250 Sender='me@client.example'."]
ENDED = ["354 End your message with a period on a line by itself.", "250 Received N bytes.", "221 2.0.0 Good bye."]
HELD = ["220 rblsmtpd.local", "250 rblsmtpd.local", "250 rblsmtpd.local"]


@pytest.fixture(scope="module")
def dns() -> Iterator[str]:
    """The name server with the zones."""
    with rbldnsd(ZONES) as ip:
        yield ip


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    """The compiled rules."""
    cdb = tmp_path / "rules.cdb"
    subprocess.run([theirs("tcprules"), cdb, tmp_path / "tmp"], input=RULES, check=True)
    return cdb


def heard(port: int, source: str) -> list[str]:
    """What swaks hears from a server, without the size of its message."""
    return [re.sub(r"Received \d+", "Received N", line) for line in swaks(port, source)]


@pytest.mark.parametrize("form", ["C", "ours", "ours under C", "C under ours"])
def test_swaks(form: str, dns: str, rules: Path, tmp_path: Path) -> None:
    """Clean, listed, allow-listed, relaying, told by a rule, denied: the same in every form of the chain."""
    server = theirs("tcpserver") if form in ("C", "ours under C") else ours("pytcpserver")
    screen = theirs("rblsmtpd") if form in ("C", "C under ours") else ours("pyrblsmtpd")
    zones = ("-a", "good.example", "-r", "one.example", "-r", "two.example")
    backend = (theirs("smtpfront-echo"), "accept-sender", "relayclient", "accept-recipient")
    environment = {"PATH": os.environ["PATH"], "DNSCACHEIP": dns}
    options = ("-v", "-x", str(rules), *QUIET)

    with Server(server, options, (screen, *zones, *backend), tmp_path, env=environment) as running:
        told = {source: heard(running.port, f"127.0.0.{source}") for source in range(1, 9)}
        log = running.wait_log(b"rblsmtpd: 127.0.0.3 pid", b"rblsmtpd: 127.0.0.6 pid", b" status 25600\n")

    through = [*BEGUN, "250 Recipient='friend@elsewhere.example'.", *ENDED]
    assert told == {
        1: [*BEGUN, "250 Recipient='friend@elsewhere.example@relayed'.", *ENDED],
        2: through,
        3: [*HELD, "451 Listed by one, see http://one.example/?127.0.0.3", "221 rblsmtpd.local"],
        4: [*HELD, "451 Listed by two", "221 rblsmtpd.local"],
        5: through,
        6: [*HELD, "553 Not from there", "221 rblsmtpd.local"],
        7: [],
        8: through,
    }
    assert log.count(b"rblsmtpd: ") == 3


#: As the field writes it: the limit in front, numbers from id, the port by name, AUTH's words behind, the log on 1.
RUN = """#!/bin/sh
QMAILDUID=`id -u qmaild`
NOFILESGID=`id -g qmaild`
MAXSMTPD=`cat /var/qmail/control/concurrencyincoming`
LOCAL=`head -1 /var/qmail/control/me`
exec softlimit -m 9000000 \\
  tcpserver -v -R -l "$LOCAL" -x /etc/tcp.smtp.cdb -c "$MAXSMTPD" \\
    -u "$QMAILDUID" -g "$NOFILESGID" 0 smtp \\
  rblsmtpd -r one.example -r two.example \\
  /var/qmail/bin/qmail-smtpd mx.ours.example /bin/checkpassword /bin/true 2>&1
"""


def run_script(host: FieldHost, text: str) -> tuple[list[list[str]], list[str]]:
    """Run a run script, visit it from several addresses: what each client heard, and the log's lines, sorted."""
    script = host.folder / "run"
    script.write_text(host.translate(text))
    log = host.folder / "run.log"
    told: list[list[str]] = []
    with log.open("wb") as output, subprocess.Popen(["sh", script], env=host.environment, stdout=output) as process:
        try:
            for visitor in (1, 2, 3, 4, 9):
                _wait_until_empty(log, len(told))
                told.append(heard(host.port, f"127.0.0.{visitor}"))
            _wait_until_empty(log, len(told))
            said = _masked(log.read_text())
        finally:
            process.terminate()
            process.wait(PATIENCE)
    return told, said


def _wait_until_empty(log: Path, visitors: int) -> None:
    """Wait until as many visitors have come and gone; it says so at the start, too."""
    until(lambda: log.read_bytes().count(b"tcpserver: status: 0/2\n") == visitors + 1, f"{visitors} ends")


def _masked(log: str) -> list[str]:
    """The servers' lines without process ids and client ports; C's parent and child write theirs in any order."""
    log = re.sub(r"(pid|ok|deny|end) \d+", r"\1 N", log)
    lines = re.sub(r":\d+\n", ":N\n", log).splitlines()
    return sorted(line for line in lines if not line.startswith("mailfront"))


def test_field_run_script(dns: str) -> None:
    """A run script goes on as it stands once the names of its programs are changed."""
    path = f"{Path(ours('pytcpserver')).parent}:{os.environ['PATH']}"
    with field_host({"DNSCACHEIP": dns, "PATH": path}) as host:
        before = run_script(host, RUN)
        after = run_script(host, re.sub(r"\b(tcpserver|rblsmtpd) ", r"py\1 ", RUN))

    assert after == before
    relayed, refused, listed_by_one, listed_by_two, denied = after[0]
    assert "250 Recipient='friend@elsewhere.example'." in relayed
    assert "550 5.1.0 Mail system is not configured to accept that recipient" in refused
    assert "451 Listed by one, see http://one.example/?127.0.0.3" in listed_by_one
    assert "451 Listed by two" in listed_by_two
    assert denied == []
    arguments = "arguments mx.ours.example /bin/checkpassword /bin/true"
    assert f"qmail-smtpd: {arguments}; uid 65534, groups 65534; limit 8789 kB" in after[1]
