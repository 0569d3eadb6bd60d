"""Header and body checks before real backends: cases 76 to 79, and nobody else waits for them."""

import os
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.server.test_gate_content import Kept
from tests.support.backends.known import Keeper, Mailfront, NotQmail, RealQmail, Scripted
from tests.support.gate import LOCAL, MAIL, PATIENT, RCPT, Gate, controls, gate_words, gated
from tests.support.programs import ours, theirs
from tests.support.smtp_client import Content, Manner, Step, every_manner, short, shorts
from tests.support.waiting import until
from ucspi_py.system.process.signals import readable

EHLO = b"EHLO client.example.net"
BEGIN: list[Step] = [EHLO, MAIL, RCPT, b"DATA"]
KINDS: list[Callable[[Path, Path], Keeper]] = [NotQmail, Mailfront]
KINDS += [RealQmail] if os.environ.get("QMAIL_SMTPD") else []
HEADERS = rb"""
/^Subject: .*casino/ REJECT No spam, please
/^Subject: later/ REJECT 4.7.3 Not now
/^Subject: plain/ REJECT
/^Subject: nothing/ DISCARD unwanted
/^Subject: friend/ PASS
/^Subject: look/ WARN look at this
/^X-Mailer:/ IGNORE
/^Received: from (inside)/ REPLACE Received: from [$1]
/^To:/ PREPEND X-To: there is one
"""
BODY = rb"""
/forbidden/ REJECT 5.7.0 Forbidden
/\.evil/ REPLACE .
/private/ STRIP private
/^(b)ob$/ REPLACE ${1}x
"""
_PATIENT = (*PATIENT, "smtpd_junk_command_limit=1000000")
FORMAT = b"Subject: %b\r\nTo: x\r\n\r\n%b\r\n.\r\n"


@pytest.fixture(scope="module", params=KINDS, ids=lambda made: made.__name__)
def kept(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kept]:
    """A gate with checks before each backend that keeps its messages."""
    folder = tmp_path_factory.mktemp("checks")
    (folder / "headers").write_bytes(HEADERS)
    (folder / "body").write_bytes(BODY)
    control = controls(folder / "control")
    backend: Keeper = request.param(folder / "backend", control)
    asked = (f"header_checks=pcre:{folder}/headers", f"body_checks=pcre:{folder}/body")
    with gated(
        backend.argv, folder, control=control, parameters=(*_PATIENT, *asked), variables=backend.environment
    ) as gate:
        yield Kept(gate, backend)


@every_manner
@pytest.mark.parametrize(
    ("subject", "body", "reply", "logged"),
    [
        (b"play\r\n in our casino", b"x", b"550 5.7.1 No spam, please", b"reject: header Subject: play? in our casino"),
        (b"later", b"x", b"451 4.7.3 Not now", b"reject: header Subject: later"),
        (b"plain", b"x", b"550 5.7.1 message content rejected", b"reject: header Subject: plain"),
        (b"any", b"a\r\nthe forbidden word", b"550 5.7.0 Forbidden", b"reject: body the forbidden word"),
        (b"nothing", b"x", b"250 2.0.0 Ok: discarded", b"discard: header Subject: nothing"),
    ],
)
def test_case_76_a_refused_message_is_not_queued(  # noqa: PLR0917
    kept: Kept, manner: Manner, subject: bytes, body: bytes, reply: bytes, logged: bytes
) -> None:
    """Its end is answered in our words and never told to the backend; the session goes on with the next message."""
    count, mark = len(kept.backend.messages()), kept.gate.mark()
    steps = [*BEGIN, Content(FORMAT % (subject, body)), MAIL, RCPT, b"DATA", Content(FORMAT % (b"good", b"x")), b"QUIT"]
    replies = kept.gate.converse(steps, manner)
    assert replies[4] == reply
    assert [short(one)[:3] for one in replies[5:]] == ["250", "250", "354", "250", "221"]
    assert [message.text for message in kept.since(count)] == [b"Subject: good\nX-To: there is one\nTo: x\n\nx\n"]
    about = b" from unknown[192.0.2.7]; from=<s@example.net> to=<r@example.org> proto=ESMTP helo=<client.example.net>: "
    line = b": NOQUEUE: " + logged + about
    until(lambda: line in kept.gate.since(mark), f"{line!r} in the log")
    assert b"message from unknown[192.0.2.7]: " + reply in kept.gate.since(mark)


@every_manner
def test_case_78_what_is_asked_is_changed_and_nothing_else(kept: Kept, manner: Manner) -> None:
    """Lines that are removed, put before and rewritten; a dot that comes of a table ends no message."""
    wire = b"Received: from inside\r\n\tby b\r\nX-Mailer: y\r\n z\r\nSubject:\tlook\r\nTo: x\r\n\r\n"
    wire += b"..a\r\nis .evil\r\nprivate\r\nbob\r\n..\r\nend\r\n.\r\n"
    count, mark = len(kept.backend.messages()), kept.gate.mark()
    replies = kept.gate.converse([*BEGIN, Content(wire), b"QUIT"], manner)
    assert short(replies[4])[:3] == "250"
    text = b"Received: from [inside]\nSubject:\tlook\nX-To: there is one\nTo: x\n\n.a\n.\nbx\n.\nend\n"
    assert [message.text for message in kept.since(count)] == [text]
    until(lambda: b"strip: body private from" in kept.gate.since(mark), "the log")
    assert b"X-Mailer" not in kept.gate.since(mark)


@every_manner
def test_a_friend_is_not_looked_at(kept: Kept, manner: Manner) -> None:
    """Behind PASS."""
    count = len(kept.backend.messages())
    replies = kept.gate.converse([*BEGIN, Content(FORMAT % (b"friend", b"forbidden")), b"QUIT"], manner)
    assert short(replies[4])[:3] == "250"
    assert kept.since(count)[0].text == b"Subject: friend\nTo: x\n\nforbidden\n"


def test_a_large_message_is_looked_at_while_it_passes(kept: Kept) -> None:
    """8 MB, of which all but the first 51200 bytes are looked at by nobody."""
    lines = b"".join(b"%07d %b\r\n" % (number, b"." * (number % 90)) for number in range(160_000))
    wire = b"Subject: x\r\n\r\n" + (lines + b"forbidden\r\n").replace(b"\r\n.", b"\r\n..")
    count = len(kept.backend.messages())
    assert short(kept.gate.converse([*BEGIN, Content(wire + b".\r\n"), b"QUIT"])[4])[:3] == "250"
    assert kept.since(count)[0].text == (b"Subject: x\r\n\r\n" + lines + b"forbidden\r\n").replace(b"\r\n", b"\n")


@pytest.fixture
def scripted(tmp_path: Path) -> Scripted:
    """A backend whose bytes are known."""
    return Scripted(tmp_path / "backend")


def test_case_76_the_backend_reads_the_end_without_a_dot(scripted: Scripted, tmp_path: Path) -> None:
    """As soon as the message is refused, and while its rest still comes."""
    (tmp_path / "headers").write_bytes(b"/^Subject: spam/ REJECT\n")
    asked = (f"header_checks=regexp:{tmp_path}/headers",)
    with gated(scripted.argv, tmp_path, parameters=(*_PATIENT, *asked)) as gate, gate.client() as client:
        client.converse(BEGIN)
        client.say(b"From: x\r\nSubject: spam\r\n\r\n")
        assert scripted.last().end
        assert scripted.last().input.endswith(b"DATA\r\n")
        client.say(b"the rest\r\n.\r\n")
        assert short(client.reply()) == "550 5.7.1"
        assert shorts(client.converse([MAIL, RCPT, b"DATA", Content(b"\r\ngood\r\n.\r\n")]))[3][:3] == "250"
    assert scripted.last().input.endswith(b"DATA\r\n\r\ngood\r\n.\r\n")


def test_alone_the_gate_checks_too(scripted: Scripted, tmp_path: Path) -> None:
    """Under another server, where each client has a process."""
    (tmp_path / "body").write_bytes(b"/forbidden/ REJECT no\n/(a|a)*c$/ REJECT catastrophic\n")
    asked = (*_PATIENT, f"body_checks=pcre:{tmp_path}/body")
    with gated(scripted.argv, tmp_path, parameters=asked, server=theirs("tcpserver")) as gate:
        refused, taken = (b"\r\n%b\r\n.\r\n" % line for line in (b"forbidden", 100 * b"a"))
        replies = gate.converse([*BEGIN, Content(refused), MAIL, RCPT, b"DATA", Content(taken), b"QUIT"])
        assert [short(reply)[:3] for reply in replies[4:]] == ["550", "250", "250", "354", "250", "221"]


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ("/a/ HOLD", "line 2: HOLD needs a queue, and the gate has none"),
        ("/a/ filter x:y", "line 2: FILTER needs a queue, and the gate has none"),
        ("/a/ no", "line 2: 'no' is no action of a header or body check"),
        ("/a/ PREPEND text", "line 2: PREPEND must be followed by a header, name: text"),
    ],
)
def test_the_server_does_not_start_with_what_the_gate_cannot_do(rule: str, said: str, tmp_path: Path) -> None:
    """It names the file and the line, and ends with 100."""
    table = tmp_path / "headers"
    table.write_text(f"/b/ OK\n{rule}\n")
    gate = gate_words(controls(tmp_path / "control"), (f"header_checks=regexp:{table}",))
    words = [ours("pytcpserver"), "127.0.0.1", "0", *gate, "true"]
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 100
    assert f"tcpserver: fatal: table regexp:{table} {said}" in done.stderr


def test_lists_and_checks_work_together(scripted: Scripted, tmp_path: Path) -> None:
    """What a list puts on top of a message is looked at, too; what it throws away is not."""
    (tmp_path / "headers").write_bytes(b"/^X-Listed: (.*)/ REPLACE X-Seen: $1\n/^Subject: spam/ REJECT\n")
    table = "inline:{ {s@example.net=PREPEND X-Listed: yes}, {d@example.net=DISCARD} }"
    asked = (
        *PATIENT,
        f"header_checks=regexp:{tmp_path}/headers",
        f"smtpd_sender_restrictions=check_sender_access {table}",
        "smtpd_relay_restrictions=reject_unauth_destination",
    )
    with gated(scripted.argv, tmp_path, parameters=asked) as gate:
        gate.converse([*BEGIN, Content(b"a: b\r\n\r\n.\r\n"), b"QUIT"])
        assert b"DATA\r\nX-Seen: yes\r\na: b\r\n\r\n.\r\n" in scripted.last().input
        thrown: list[Step] = [EHLO, b"MAIL FROM:<d@example.net>", RCPT, b"DATA", Content(b"Subject: spam\r\n\r\n.\r\n")]
        assert short(gate.converse([*thrown, b"QUIT"])[4]) == "250 2.0.0"


def test_a_table_that_cannot_be_read_lets_nothing_pass(scripted: Scripted, tmp_path: Path) -> None:
    """451, and what is wrong is said at the start and at the message; it is used when it is mended."""
    table = tmp_path / "headers"
    with gated(scripted.argv, tmp_path, parameters=(*PATIENT, f"header_checks=regexp:{table}")) as gate:
        until(lambda: f"table regexp:{table}: file does not exist".encode() in gate.log(), "the complaint")
        message = [*BEGIN, Content(b"a: b\r\n\r\n.\r\n"), b"QUIT"]
        assert short(gate.converse(message)[4]) == "451 4.3.0"
        table.write_bytes(b"/^a:/ DUNNO\n")
        os.utime(table, (1, 1))
        until(lambda: short(gate.converse(message)[4])[:3] == "250", "a message that passes")


#: Expressions that go back over what they have read for as long as a line is long.
_CATASTROPHIC = b"/^(a|a)*c$/ REJECT catastrophic\n/^end/ REPLACE the end\n"


def test_case_79_nobody_waits_for_a_catastrophic_expression(scripted: Scripted, tmp_path: Path) -> None:
    """Other clients are answered while a header of 100 KB is looked at; the expression is passed over and named."""
    (tmp_path / "body").write_bytes(_CATASTROPHIC)
    (tmp_path / "headers").write_bytes(b"/(a|a)*z/ REJECT catastrophic\n")
    asked = (f"body_checks=pcre:{tmp_path}/body", f"header_checks=pcre:{tmp_path}/headers")
    wire = b"Subject: " + b"a" * 100_000 + b"\r\n\r\n" + (b"a" * 1000 + b"\r\n") * 40 + b"end\r\n.\r\n"
    with gated(scripted.argv, tmp_path, parameters=(*_PATIENT, *asked)) as gate:
        longest, reply = _others_wait(gate, wire)
        assert short(reply)[:3] == "250"
        assert b"\r\nthe end\r\n.\r\n" in scripted.last().input
        assert b"table pcre:%b/body line 1: a message took too long" % bytes(tmp_path) in gate.log()
        assert b"table pcre:%b/headers line 1: a message took too long" % bytes(tmp_path) in gate.log()
    assert longest < 0.5


def test_nobody_waits_for_a_thousand_expressions(scripted: Scripted, tmp_path: Path) -> None:
    """On a message whose every line is looked at."""
    rules = b"".join(b"/spam word %d .* here$/ REJECT\n" % number for number in range(1000))
    (tmp_path / "body").write_bytes(rules)
    asked = (f"body_checks=pcre:{tmp_path}/body", "body_checks_size_limit=0")
    wire = b"\r\n" + b"a line of a body with some words in it\r\n" * 1000 + b".\r\n"
    with gated(scripted.argv, tmp_path, parameters=(*_PATIENT, *asked)) as gate:
        longest, reply = _others_wait(gate, wire)
        assert short(reply)[:3] == "250"
    assert longest < 0.5


def _others_wait(gate: Gate, wire: bytes) -> tuple[float, bytes]:
    """How many seconds others wait at most for a reply while this message is looked at, and what becomes of it."""
    with gate.client(LOCAL) as sender, gate.client() as other:
        sender.converse(BEGIN)
        sender.socket.setblocking(False)
        longest, sent, is_answered = 0.0, 0, False
        while not is_answered:
            sent += _sent(sender.socket, wire[sent:])
            begun = time.monotonic()
            assert short(other.ask(b"NOOP"))[:3] == "250"
            longest = max(longest, time.monotonic() - begun)
            is_answered = sent == len(wire) and readable(0, sender.socket.fileno())
        sender.socket.setblocking(True)
        return longest, sender.reply()


def _sent(connected: socket.socket, data: bytes) -> int:
    try:
        return connected.send(data) if data else 0
    except BlockingIOError:
        return 0
