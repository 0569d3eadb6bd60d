"""Screens before the gate: their verdict is spoken at RCPT, and whoever relays is spared (point 7 of the issue)."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import nameserver
from tests.support.backends.known import Scripted
from tests.support.gate import MAIL, RCPT, RELAY, Gate, gated
from tests.support.greylist import GREYLIST, made
from tests.support.nameserver import healthy, lists
from tests.support.programs import ours
from tests.support.smtp_client import Content, Manner, every_manner, short, shorts
from tests.support.waiting import until

EHLO = b"EHLO client.example.net"
RBLSMTPD = ours("pyrblsmtpd")
MESSAGE = (MAIL, RCPT, b"DATA", Content(b"x\r\n.\r\n"))


@pytest.fixture(scope="module")
def dns(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A list that has both the stranger and the relay in it."""
    records = {
        **healthy("bl.example"),
        **lists("bl.example", "192.0.2.7", text="listed, see http://bl.example/"),
        **lists("bl.example", "192.0.2.8", text="listed too"),
    }
    with nameserver.running(records, tmp_path_factory.mktemp("dns")) as server:
        yield server


@pytest.fixture(scope="module")
def listed(backend: Scripted, dns: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gate]:
    """pyrblsmtpd before pysmtpgate."""
    folder = tmp_path_factory.mktemp("listed")
    screen = (RBLSMTPD, "-r", "bl.example")
    with gated(backend.argv, folder, screens=screen, variables={"DNSCACHEIP": dns}) as gate:
        yield gate


@every_manner
def test_a_listed_client_hears_it_at_rcpt(listed: Gate, backend: Scripted, manner: Manner) -> None:
    """The gate's banner and EHLO, the list's words for each recipient, no backend; the log has the whole envelope."""
    runs, mark = len(backend.visits()), listed.mark()
    replies = listed.converse([EHLO, MAIL, RCPT, b"RCPT TO:<postmaster@example.org>", b"DATA", b"QUIT"], manner)
    assert replies[2:4] == [b"451 listed, see http://bl.example/"] * 2
    assert [short(reply)[:3] for reply in replies] == ["250", "250", "451", "451", "554", "221"]
    assert backend.since(runs) == []
    wanted = (
        b"smtpgate: NOQUEUE: reject: RCPT from unknown[192.0.2.7]: 451 listed, see http://bl.example/; "
        b"from=<s@example.net> to=<r@example.org> proto=ESMTP helo=<client.example.net>\n"
    )
    until(lambda: wanted in listed.since(mark), f"{wanted!r} in {listed.since(mark)!r}")
    assert b"rblsmtpd: 192.0.2.7" in listed.since(mark), "fail2ban and qmailmrtg7 know this line"


@every_manner
def test_a_listed_client_that_relays_is_spared(listed: Gate, backend: Scripted, manner: Manner) -> None:
    """And its backend is told of no list."""
    runs = len(backend.visits())
    replies = listed.converse([EHLO, *MESSAGE, b"QUIT"], manner, RELAY)
    assert [short(reply)[:3] for reply in replies] == ["250", "250", "250", "354", "250", "221"]
    assert b"RBLSMTPD" not in backend.since(runs)[0].environment


@every_manner
def test_bare_postmaster_hears_from_listed_clients(listed: Gate, backend: Scripted, manner: Manner) -> None:
    """So that they can complain."""
    runs = len(backend.visits())
    replies = listed.converse([EHLO, MAIL, RCPT, b"RCPT TO:<Postmaster>", b"QUIT"], manner)
    assert [short(reply)[:3] for reply in replies[2:4]] == ["451", "250"]
    assert b"r@example.org" not in backend.since(runs)[0].input


def test_a_client_that_is_not_listed_passes(listed: Gate) -> None:
    """From mynetworks, or from anywhere else."""
    assert shorts(listed.converse([EHLO, *MESSAGE], source="127.0.0.9"))[4] == "250"


def test_permanent_and_allowed_by_a_rule(backend: Scripted, dns: str, tmp_path: Path) -> None:
    """-b is 553 at RCPT; RBLSMTPD="" in a rule lets in, RBLSMTPD="-text" is spoken at RCPT, too."""
    rules = (
        '127.0.0.1:allow,TCPREMOTEIP="192.0.2.7"\n'
        '127.0.0.4:allow,TCPREMOTEIP="192.0.2.7",RBLSMTPD=""\n'
        '127.0.0.5:allow,TCPREMOTEIP="192.0.2.77",RBLSMTPD="-not from there"\n'
        ":allow\n"
    )
    screen = (RBLSMTPD, "-b", "-r", "bl.example")
    with gated(backend.argv, tmp_path, screens=screen, rules=rules, variables={"DNSCACHEIP": dns}) as gate:
        told = [gate.converse([EHLO, MAIL, RCPT], source=f"127.0.0.{number}")[2] for number in (1, 4, 5)]
    assert told == [b"553 listed, see http://bl.example/", b"250 recipient ok", b"553 not from there"]


def test_the_backend_is_not_told_to_refuse_once_more(backend: Scripted, tmp_path: Path) -> None:
    """RBLSMTPD of a rule is ours to speak: whoever is spared by the gate would be refused by a patched qmail-smtpd."""
    rules = '127.0.0.1:allow,RBLSMTPD="-no",RELAYCLIENT=""\n127.0.0.2:allow,TCPREMOTEIP="192.0.2.7",RBLSMTPD="-no"\n'
    with gated(backend.argv, tmp_path, rules=rules) as gate:
        for source, recipient in (("127.0.0.1", RCPT), ("127.0.0.2", b"RCPT TO:<postmaster>")):
            assert shorts(gate.converse([EHLO, MAIL, recipient, b"QUIT"], source=source))[2] == "250"
            assert b"RBLSMTPD" not in backend.last().environment


def test_the_greylist_is_spoken_at_rcpt(backend: Scripted, tmp_path: Path) -> None:
    """451 for a new network, nothing for who relays, and the backend once the time is over."""
    runs = len(backend.visits())
    screen = (GREYLIST, "-s", made(tmp_path / "db"), "-d", "1")
    with gated(backend.argv, tmp_path, screens=screen) as gate:
        replies = gate.converse([EHLO, MAIL, RCPT, b"QUIT"])
        assert [short(reply)[:3] for reply in replies] == ["250", "250", "451", "221"]
        assert replies[2].startswith(b"451 Greylisted")
        assert shorts(gate.converse([EHLO, *MESSAGE], source=RELAY))[4] == "250"
        assert len(backend.since(runs)) == 1
        until(lambda: shorts(gate.converse([EHLO, MAIL, RCPT, b"QUIT"]))[2] == "250", "the end of the delay")


def test_both_screens_and_a_gate(backend: Scripted, dns: str, tmp_path: Path) -> None:
    """In one chain: the list is heard before the greylist."""
    screens = (RBLSMTPD, "-r", "bl.example", GREYLIST, "-s", made(tmp_path / "db"), "-d", "3600")
    with gated(backend.argv, tmp_path, screens=screens, variables={"DNSCACHEIP": dns}) as gate:
        told = gate.converse([EHLO, MAIL, RCPT])[2]
        assert told == b"451 listed, see http://bl.example/"
        assert shorts(gate.converse([EHLO, *MESSAGE], source=RELAY))[4] == "250"


@pytest.mark.parametrize("behind", ["pyrblsmtpd", "pygreylist", "pysmtpgate"])
def test_the_gate_is_the_last_of_our_programs(behind: str) -> None:
    """A screen or a gate behind it is refused at the start, by name."""
    done = subprocess.run(
        [ours("pytcpserver"), "127.0.0.1", "0", ours("pysmtpgate"), ours(behind), "true"],
        capture_output=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 100
    assert behind.encode() in done.stderr
    assert b"Traceback" not in done.stderr
