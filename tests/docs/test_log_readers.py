"""What the gate's page says of fail2ban and pflogsumm holds for these programs as Debian has them."""

import os
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.pages import literals, program_page
from tests.support.programs import theirs
from ucspi_py.core.auth.answer import Answer, Verdict
from ucspi_py.core.gate import loglines
from ucspi_py.core.gate.logins import answers
from ucspi_py.core.gate.logins import loglines as login_loglines
from ucspi_py.core.gate.loglines import Course
from ucspi_py.core.gate.restrictions.judgement import LogLine
from ucspi_py.core.gate.visitor import Visitor
from ucspi_py.core.smtp.envelope import Envelope
from ucspi_py.core.smtp.path import Path as Address
from ucspi_py.core.smtp.reply import Reply, reply

RECIPIENT = Address(b"r", b"example.org")
ENVELOPE = Envelope(b"mx", True, Address(b"s", b"example.net"), (), (RECIPIENT,))
#: What a client might say to have somebody else banned.
FORGED = b"x from y[192.0.2.66]: 554 5.7.1 Service unavailable; Client host [192.0.2.66] blocked"
FORGER = Envelope(FORGED, True, Address(FORGED, b"z"), (), (RECIPIENT,))


def client(number: int, name: bytes = b"mx.example.net") -> Visitor:
    """A client of its own."""
    return Visitor(name, b"192.0.2.%d" % number, unique_id=b"1764162253000430817")


def refused(number: int, text: bytes, about: Envelope = ENVELOPE, stage: bytes = b"RCPT") -> bytes:
    """Its line where it is refused."""
    said = Reply(int(text[:3]), (text[4:],))
    return loglines.rejected(stage, client(number), said, about, RECIPIENT if stage == b"RCPT" else None)


#: The modes that ban a client for a line; the number of each client is its place.
NORMAL = {"more", "normal", "extra", "aggressive"}
AUTH = {"auth", "extra", "aggressive"}
LINES: list[tuple[bytes, set[str]]] = [
    (refused(0, b"554 5.7.1 <r@example.org>: Relay access denied"), NORMAL),
    (refused(1, b"554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using bl.example"), NORMAL | {"rbl"}),
    (refused(2, b"550 5.1.1 <r@example.org>: Recipient address rejected: User unknown"), NORMAL),
    (refused(3, b"450 4.7.1 <mx>: Helo command rejected: Host not found"), NORMAL),
    (refused(4, b"554 5.7.1 <DATA>: Data command rejected: Access denied", stage=b"DATA"), NORMAL),
    (loglines.improper_pipelining(client(5), b"CONNECT", b"EHLO x\r\n" + FORGED), NORMAL),
    (loglines.too_many_errors(client(6), b"UNKNOWN"), NORMAL | {"errors"}),
    (loglines.lost(client(7), b"RCPT"), {"ddos", "aggressive"}),
    (loglines.lost(client(8), b"DATA", 77), set()),
    (loglines.timed_out(client(9), b"RCPT"), set()),
    (loglines.disconnected(client(10), {b"EHLO": [1, 1], b"RCPT": [0, 2]}), set()),
    (loglines.message(client(11), ENVELOPE, 77, reply(250, b"ok 1764162253 qp 77"), Course()), set()),
    (loglines.message(client(12), ENVELOPE, 77, reply(554, b"5.7.1 spam"), Course()), set()),
    (loglines.noted(b"RCPT", client(13), LogLine(b"reject_warning", b"554 5.7.1 x"), ENVELOPE, RECIPIENT), set()),
    (loglines.noted(b"RCPT", client(14), LogLine(b"discard", FORGED), ENVELOPE, RECIPIENT), set()),
    (loglines.noted(b"RCPT", client(15), LogLine(b"warning", b"a table"), ENVELOPE, RECIPIENT), set()),
    (loglines.warning("unable to read a file"), set()),
    (loglines.warning("the backend has ended", client(17)), set()),
    (refused(18, b"554 5.7.1 <%b@z>: Relay access denied" % FORGED, FORGER), NORMAL),
    (loglines.message(client(19, FORGED), FORGER, 77, reply(250, b"ok"), Course()), set()),
    (loglines.lost(client(20, FORGED), b"MAIL"), {"ddos", "aggressive"}),
    (login_loglines.login_failed(client(21), b"PLAIN", FORGED, answers.reason(Answer(Verdict.NO))), AUTH),
    (
        login_loglines.login_failed(client(22), b"CRAM-MD5", b"u", answers.reason(Answer(Verdict.NO, b"", "exit 3"))),
        AUTH,
    ),
    (login_loglines.login_failed(client(23), b"LOGIN", FORGED, answers.reason(Answer(Verdict.LATER))), set()),
    (login_loglines.login_not_tried(client(24), b"PLAIN", FORGED, "too many failures of this user"), set()),
    (login_loglines.logged_in(client(25)._replace(login=FORGED, method=b"PLAIN")), set()),
    (loglines.filtered(b"RCPT", client(26), reply(550, b"5.7.1 Command rejected"), ENVELOPE, RECIPIENT), NORMAL),
    (loglines.filtered(b"END-OF-MESSAGE", client(27), reply(550, b"5.7.1 " + FORGED), FORGER), set()),
    (loglines.filtered(b"MAIL", client(28), None, FORGER), set()),
]

Stamp = Callable[[bytes], bytes]


def _local(lines: bytes) -> bytes:
    done = subprocess.run([theirs("tai64nlocal")], input=_multilog(lines), capture_output=True, check=True)
    return done.stdout


def _multilog(lines: bytes) -> bytes:
    return _each(b"@4000000065f0a1b2123456f4 ")(lines)


def _each(stamp: bytes) -> Stamp:
    return lambda lines: b"".join(stamp + line for line in lines.splitlines(keepends=True))


STAMPS: dict[str, Stamp] = {
    "multilog": _multilog,
    "tai64nlocal": _local,
    "svlogd -tt": _each(b"2026-11-26_05:00:00.12345 "),
    "s6-log T": _each(b"2026-11-26 05:00:00.123456789  "),
    "syslog": _each(b"Nov 26 05:00:00 mail smtpd: "),
    "syslog with a process id": _each(b"2026-11-26T05:00:00.123456+00:00 mail smtpd[77]: "),
    "splogger": _each(b"Nov 26 05:00:00 mail smtpd: 1157520813.485077 "),
}


@pytest.mark.parametrize("stamp", STAMPS)
def test_fail2ban_bans_whom_its_own_filter_bans(stamp: str, tmp_path: Path) -> None:
    """Whatever has stamped the lines; and nobody bans another."""
    assert _banned(STAMPS[stamp], _filter(), tmp_path) == _meant("more")


@pytest.mark.parametrize("mode", ["normal", "rbl", "ddos", "extra", "aggressive", "errors", "auth"])
def test_each_mode_of_the_filter_finds_its_lines(mode: str, tmp_path: Path) -> None:
    """And no line of others."""
    assert _banned(STAMPS["multilog"], _filter().replace("mode=more", f"mode={mode}"), tmp_path) == _meant(mode)


def test_the_filter_as_it_is_reads_multilogs_own_files(tmp_path: Path) -> None:
    """Without a word of ours."""
    assert _banned(STAMPS["multilog"], "postfix", tmp_path) == _meant("more")


@pytest.mark.parametrize(
    ("of_syslog", "stamp"),
    [(False, "multilog"), (True, "syslog"), (True, "syslog with a process id"), (True, "splogger")],
)
def test_pflogsumm_counts_refusals(of_syslog: bool, stamp: str, tmp_path: Path) -> None:
    """By the page's own commands, with the reasons and the clients."""
    theirs("tai64nlocal")
    log = tmp_path / "log"
    log.write_bytes(STAMPS[stamp](b"".join(line for line, _ in LINES)))
    command = _commands()[of_syslog].replace("pflogsumm", theirs("pflogsumm"))
    command = re.sub(r"/var/log/\S+", str(log), command)

    done = subprocess.run(["/bin/sh", "-c", command], capture_output=True, check=True, env={**os.environ, "TZ": "UTC"})

    report = done.stdout.decode()
    assert done.stderr == b""
    assert re.search(r"^ +8 +rejected", report, re.MULTILINE), report
    assert re.search(r"^ +1 +reject warnings", report, re.MULTILINE)
    assert re.search(r"^ +2 +discarded", report, re.MULTILINE)
    assert "\n    Relay access denied (total: 1)\n           1   example.net\n" in report
    assert "\n    Recipient address rejected: User unknown (total: 1)\n           1   r@example.org\n" in report
    assert "\n  smtpd (total: 7)\n" in report
    assert "\n         1   a table\n" in report


def _meant(mode: str) -> list[str]:
    return [f"192.0.2.{number}" for number, (_, modes) in enumerate(LINES) if mode in modes]


def _banned(stamp: Stamp, filter_words: str, folder: Path) -> list[str]:
    """Whom fail2ban finds in a log of all lines."""
    log = folder / "log"
    log.write_bytes(stamp(b"".join(line for line, _ in LINES)))
    command = [theirs("fail2ban-regex"), "-o", "ip", str(log), filter_words]
    return subprocess.run(command, capture_output=True, check=True, text=True).stdout.split()


def _filter() -> str:
    (found,) = [re.search(r"^filter +?= (.+)$", text, re.MULTILINE) for text in _blocks() if "[smtpgate]" in text]
    assert found
    return found[1]


def _commands() -> list[str]:
    """That for files of multilog, and that for files of syslog."""
    return [text for text in _blocks() if "| pflogsumm" in text]


def _blocks() -> list[str]:
    return literals(program_page("pysmtpgate"))
