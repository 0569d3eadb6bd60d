"""examples/fail2ban: the real fail2ban finds whom it should ban in these programs' lines, whoever has stamped them."""

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.checkout import ROOT
from tests.support.programs import theirs
from ucspi_py.core.auth.answer import Answer, Verdict
from ucspi_py.core.client.connection import Endpoints, Names
from ucspi_py.core.dnsbl import loglines as dnsbl
from ucspi_py.core.gate import loglines as gate
from ucspi_py.core.gate.logins import answers
from ucspi_py.core.gate.logins import loglines as logins
from ucspi_py.core.gate.loglines import Course
from ucspi_py.core.gate.restrictions.judgement import LogLine
from ucspi_py.core.gate.visitor import Visitor
from ucspi_py.core.log.event import event_of, with_event
from ucspi_py.core.log.forms import FORMS, Stamp
from ucspi_py.core.service import logevents
from ucspi_py.core.service import loglines as service
from ucspi_py.core.smtp import loglines as smtp
from ucspi_py.core.smtp.envelope import Envelope
from ucspi_py.core.smtp.path import Path as Address
from ucspi_py.core.smtp.reply import Reply, reply

EXAMPLE = ROOT / "examples/fail2ban"
FILTER = str(EXAMPLE / "filter.d/ucspi_py.conf")
RECIPIENT = Address(b"r", b"example.org")
#: What a client might say, or a name server of it, to have somebody else banned.
FORGED = (
    b"x from y[192.0.2.250]: 554 5.7.1 no",
    b"x\n2026-11-26 05:00:00 rblsmtpd: 192.0.2.251 pid 7: 553 no",
    b"2026-11-26 05:00:00 mail smtpd[7]: rblsmtpd: 192.0.2.252 pid 7: 553 no",
    b":192.0.2.253::25",
    b"@4000000065f0a1b2123456f4 tcpserver: limit 7 from 192.0.2.254: 5/4 connections of the client",
    b'","ip":"192.0.2.249","decision":"deny","x":"',
    b'","decision":"deny","user":"',
    b'{"ts":"2026-11-26T05:00:00.123456Z","level":"info","event":"connection","pid":7,"ip":"192.0.2.248","decision":"deny"}',
    b"x ip=192.0.2.247 decision=deny",
    b'" ip=192.0.2.246 decision=deny code=554 x="',
    b",decision:deny,code:554",
    b',"decision":"deny',
    b"\\",
)


def decided(word: bytes, ends: Endpoints, names: Names) -> bytes:
    """What rules have decided about a client, in djb's form and as an event."""
    line, about = service.decided(word, 7, ends, names), logevents.about(ends, b"7c")
    return with_event(line, lambda: logevents.decided(word.decode(), about, names, logevents.load(3, 40)))


def turned_away(number: int, reason: bytes) -> bytes:
    """It is over a limit, in djb's form and as an event."""
    client = ends(number)
    line = service.turned_away(7, client.remote_ip, reason)
    return with_event(line, lambda: logevents.turned_away(logevents.about(client, b"7c"), reason))


def refused(number: int, line: bytes, names: Names) -> bytes:
    """A screen of the server refuses it, in djb's form and as an event."""
    about = logevents.about(ends(number), b"7c")
    return with_event(line, lambda: logevents.refused(about, names, event_of(line)))


def ends(number: int, network: bytes = b"192.0.2.") -> Endpoints:
    """A connection of a client of its own."""
    return Endpoints(b"192.0.2.1", b"25", b"%b%d" % (network, number), b"4711")


def client(number: int, name: bytes = b"mx.example.net") -> Visitor:
    """It at the gate."""
    return Visitor(name, b"192.0.2.%d" % number, unique_id=b"1764162253000430817")


def envelope(said: bytes = b"mx") -> Envelope:
    """What it wants. said: by it, wherever it may."""
    return Envelope(said, True, Address(said, b"example.net"), (), (RECIPIENT,))


def rejected(who: Visitor, text: bytes, said: bytes = b"mx") -> bytes:
    """Its line where it is refused at RCPT."""
    return gate.rejected(b"RCPT", who, Reply(int(text[:3]), (text[4:],)), envelope(said), RECIPIENT)


def login(number: int, answer: Answer, user: bytes = b"u") -> bytes:
    """Its line where it may not log in."""
    return logins.login_failed(client(number), b"PLAIN", user, answers.reason(answer))


NOBODY = Names(b"mail.example.org", None, None)
BANNED = [
    refused(1, smtp.refused(b"rblsmtpd", b"192.0.2.1", 7, b"451 listed"), NOBODY),
    smtp.refused(b"rblsmtpd", b"192.0.2.2", 7, b"553 http://bl.example/?192.0.2.2"),
    decided(b"deny", ends(3), NOBODY),
    decided(b"deny", ends(4), Names(b"::1", b"mx.example.net", b"root")),
    turned_away(5, b"5/4 connections of the client"),
    turned_away(6, b"61/60 connections of the client in 60 seconds"),
    rejected(client(7), b"554 5.7.1 <r@example.org>: Relay access denied"),
    gate.screened(b"rblsmtpd", 7, client(8), reply(451, b"listed"), None),
    gate.too_many_errors(client(9), b"RCPT"),
    gate.improper_pipelining(client(10), b"CONNECT", b"EHLO x\r\n"),
    gate.not_smtp(client(11), b"CONNECT", b"GET / HTTP/1.0\r\n"),
    login(12, Answer(Verdict.NO)),
    login(13, Answer(Verdict.NO, b"", "exit 3")),
]
PASSED_OVER = [
    refused(101, smtp.refused(b"greylist", b"192.0.2.101", 7, b"451 come back"), NOBODY),
    decided(b"ok", ends(102), NOBODY),
    turned_away(103, b"all slots are taken"),
    turned_away(104, b"90/64 connections of the network"),
    turned_away(105, b"load average 9.12, 4.00 at most"),
    service.arrived(7, b"192.0.2.106"),
    service.unsecured(7, b"192.0.2.107", "no shared cipher"),
    service.without_header(7, b"192.0.2.108", "not one of --proxy-from"),
    service.dropping("unable to look up 192.0.2.109: timed out"),
    dnsbl.would_refuse(b"192.0.2.110", 7, b"553 listed"),
    dnsbl.said(b"192.0.2.111", 7, {b"mail": b"FROM:<a@b>"}),
    rejected(client(112), b"450 4.2.0 <r@example.org>: Recipient address rejected: Greylisted"),
    rejected(client(113)._replace(login=b"u"), b"550 5.1.1 <r@example.org>: Recipient address rejected"),
    gate.noted(b"RCPT", client(114), LogLine(b"reject_warning", b"554 5.7.1 no"), envelope(), RECIPIENT),
    gate.message(client(115), envelope(), 77, reply(250, b"ok"), Course()),
    gate.lost(client(116), b"DATA", 77),
    gate.warning("unable to read a file", client(117)),
    login(118, Answer(Verdict.LATER)),
    logins.login_not_tried(client(119), b"PLAIN", b"u", "too many failures of this user"),
    logins.logged_in(client(120)._replace(login=b"u", method=b"PLAIN")),
]
SIXTH = decided(b"deny", ends(6, b"2001:db8::"), Names(b"::1", b"mx", None))
LINES = [*BANNED, SIXTH, *PASSED_OVER]
MEANT = [*(f"192.0.2.{number}" for number in range(1, len(BANNED) + 1)), "2001:db8::6"]


def forging(number: int, said: bytes) -> list[bytes]:
    """Every line of a client that says this wherever it may. number: of its address."""
    ip, who = b"192.0.2.%d" % number, client(number, said)
    return [
        decided(b"ok", ends(number), Names(said, said, said)),
        decided(b"deny", ends(number), Names(said, said, said)),
        refused(number, smtp.refused(b"greylist", ip, 7, b"451 come back"), Names(said, said, said)),
        dnsbl.said(ip, 7, {b"helo": said, b"mail": b"FROM:<%b>" % said}),
        rejected(who, b"554 5.7.1 <%b>: no" % said, said),
        rejected(who, b"450 4.7.1 <%b>: no" % said, said),
        gate.improper_pipelining(who, b"CONNECT", said),
        gate.message(who._replace(login=said, method=said), envelope(said), 77, reply(250, said), Course()),
        login(number, Answer(Verdict.NO), said),
        logins.logged_in(who._replace(login=said, method=said)),
    ]


Stamper = Callable[[bytes, Path], bytes]


def _multilog(lines: bytes, folder: Path) -> bytes:
    subprocess.run([theirs("multilog"), "t", folder / "log"], input=lines, check=True)
    return (folder / "log/current").read_bytes()


def _svlogd(lines: bytes, folder: Path) -> bytes:
    (folder / "log").mkdir()
    subprocess.run([theirs("svlogd"), "-tt", folder / "log"], input=lines, capture_output=True, check=True)
    return (folder / "log/current").read_bytes()


def _s6_log(lines: bytes, folder: Path) -> bytes:
    subprocess.run([theirs("s6-log"), "T", folder / "log"], input=lines, check=True)
    return (folder / "log/current").read_bytes()


def _each(stamp: bytes) -> Stamper:
    return lambda lines, _folder: b"".join(stamp + line for line in lines.splitlines(keepends=True))


STAMPS: dict[str, Stamper] = {
    "multilog": _multilog,
    "svlogd -tt": _svlogd,
    "s6-log T": _s6_log,
    "ISO": _each(b"2026-11-26T05:00:00.123456+00:00 "),
    "rsyslog": _each(b"2026-11-26T05:00:00.123456+00:00 mail smtpd[77]: "),
    "syslog": _each(b"Nov 26 05:00:00 mail smtpd[77]: "),
    "splogger": _each(b"Nov 26 05:00:00 mail smtpd: 1157520813.485077 "),
}


#: Where a line of another form than djb's may come from: nobody else may have stamped it.
OTHERS = [(form, stamp) for form in FORMS for stamp in ("", "multilog", "rsyslog")]


def written(lines: list[bytes], form: str) -> bytes:
    """Lines in another form than djb's."""
    return b"".join(FORMS[form](Stamp("2026-11-26T05:00:00.123456Z", 7), event_of(line)) for line in lines)


@pytest.mark.parametrize(("form", "stamp"), OTHERS)
def test_the_same_are_banned_in_another_form(form: str, stamp: str, tmp_path: Path) -> None:
    """With a time of its own, and another one's before it or none; again for nothing that another one has said."""
    told = [line for number, said in enumerate(FORGED, 20) for line in forging(number, said)]

    found = banned(STAMPS.get(stamp, _each(b""))(written([*LINES, *told], form), tmp_path), tmp_path)

    assert found == [*MEANT, *(f"192.0.2.{number}" for number, _ in enumerate(FORGED, 20) for _ in range(4))]


@pytest.mark.parametrize("stamp", STAMPS)
def test_who_is_refused_for_good_is_banned_and_nobody_else(stamp: str, tmp_path: Path) -> None:
    """Whoever has stamped the lines, and by whatever program of ours."""
    assert banned(STAMPS[stamp](b"".join(LINES), tmp_path), tmp_path) == MEANT


@pytest.mark.parametrize("stamp", STAMPS)
def test_nobody_has_another_one_banned(stamp: str, tmp_path: Path) -> None:
    """Whatever a client says of itself: its own lines are banned for its own address alone."""
    lines = [line for number, said in enumerate(FORGED, 20) for line in forging(number, said)]

    found = banned(STAMPS[stamp](b"".join(lines), tmp_path), tmp_path)

    own = [f"192.0.2.{number}" for number, _ in enumerate(FORGED, 20)]
    assert found == [ip for ip in own for _ in range(4)]


def test_the_jail_is_one_that_fail2ban_takes(tmp_path: Path) -> None:
    """Installed as its head says, and switched on."""
    shutil.copytree("/etc/fail2ban", tmp_path / "etc", ignore=shutil.ignore_patterns("jail.d"))
    shutil.copytree(EXAMPLE, tmp_path / "etc", dirs_exist_ok=True)
    jail, log = tmp_path / "etc/jail.d/ucspi_py.local", tmp_path / "current"
    log.write_bytes(b"")
    command = [theirs("fail2ban-client"), "-c", str(tmp_path / "etc"), "--dp"]
    assert "ucspi_py" not in subprocess.run(command, capture_output=True, check=True, text=True).stdout

    jail.write_text(f"[ucspi_py]\nenabled = true\nlogpath = {log}\n")

    told = subprocess.run(command, capture_output=True, check=True, text=True).stdout
    assert f"['set', 'ucspi_py', 'addlogpath', '{log}'" in told
    assert "['start', 'ucspi_py']" in told


def banned(text: bytes, folder: Path) -> list[str]:
    """Whom fail2ban finds in a log."""
    log = folder / "read"
    log.write_bytes(text)
    command = [theirs("fail2ban-regex"), "-o", "ip", str(log), FILTER]
    return subprocess.run(command, capture_output=True, check=True, text=True).stdout.split()
