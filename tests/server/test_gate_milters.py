"""Milters of a main.cf before a running gate, in a worker of pytcpserver and alone."""

import contextlib
import subprocess
from pathlib import Path

import pytest

from tests.support.backends.known import NotQmail
from tests.support.gate import APPENDED, MAIL, RCPT, RELAY, STRANGER, controls, gate_words, gated
from tests.support.milter import ScriptedMilter, scripted_milter
from tests.support.nameserver import Records, running
from tests.support.programs import ours, theirs
from tests.support.server import QUIET, Server
from tests.support.smtp_client import Client, Content, Manner, Step
from tests.support.waiting import until
from ucspi_py.core.milter.packet import packed

EHLO = b"EHLO client.example.net"
BODY = Content(b"Subject: x\r\n\r\n..\r\nbody\r\n.\r\n")
MESSAGE: list[Step] = [EHLO, MAIL, RCPT, b"DATA", BODY, b"QUIT"]
SPAM = packed(b"y", b"554 5.7.1 Spam\0")
SEEN = packed(b"h", b"X-Seen\0yes\0") + packed(b"c")


def macros(milter: ScriptedMilter, event: bytes) -> dict[bytes, bytes]:
    """What a milter has been told beside an event, the last time."""
    data = next(heard.data for heard in reversed(milter.heard) if heard.command == b"D" and heard.data[:1] == event)
    words = data[1:].split(b"\0")
    return dict(zip(words[0:-1:2], words[1::2], strict=True))


@pytest.mark.parametrize("server", [None, "tcpserver"])
def test_the_milters_of_a_main_cf(server: str | None, tmp_path: Path) -> None:
    """Each hears the session with the macros that the file names, in its order; the paths are of queue_directory."""
    file = tmp_path / "main.cf"
    with scripted_milter(tmp_path / "one") as first, scripted_milter() as second:
        file.write_text(
            f"smtpd_milters = unix:one, {{ {second.service}, connect_timeout=5s }}\n"
            f"queue_directory = {tmp_path}\nmilter_mail_macros = {{mail_addr}}\nsmtpd_error_sleep_time = 0\n"
        )
        second.says[b"E"] = SEEN
        backend = NotQmail(tmp_path / "backend", controls(tmp_path / "control"))
        with gated(
            backend.argv, tmp_path, file=file, variables=backend.environment, server=server and theirs(server)
        ) as gate:
            replies = gate.converse(MESSAGE)
            second.says[b"R"] = SPAM
            refused = gate.converse([EHLO, MAIL, RCPT])[-1]

    assert replies[-2].startswith(b"250 ok ")
    assert refused == b"554 5.7.1 Spam"
    assert macros(first, b"M") == {b"{mail_addr}": b"s@example.net"}
    assert macros(second, b"R")[b"{rcpt_addr}"] == b"r@example.org"
    [message] = backend.messages()
    assert b"X-Seen: yes\n" in message.text


@pytest.mark.parametrize("by_address", [False, True])
def test_descriptors_of_milters_are_counted(tmp_path: Path, *, by_address: bool) -> None:
    """Where few files may be open there are fewer places: nobody passes by a milter for which there was none left."""
    few = ("sh", "-c", 'ulimit -n 321; exec "$@"', "sh")
    backend = NotQmail(tmp_path / "backend", controls(tmp_path / "control"))
    with scripted_milter() as one, scripted_milter() as two, contextlib.ExitStack() as stack:
        two.says[b"M"] = SPAM
        both = f"{one.service} {two.service}"
        (tmp_path / "milters").write_text(f"192.0.2.1 {one.service}\n127.0.0.0/8 {both}\n")
        asked = f"smtpd_milter_maps=cidr:{tmp_path}/milters" if by_address else f"smtpd_milters={both}"
        words = gate_words(controls(tmp_path / "control"), (asked, "milter_default_action=accept"))
        server = stack.enter_context(
            Server(ours("pytcpserver"), ("-w1", *QUIET), (*words, *backend.argv), tmp_path, before=few)
        )
        for _ in range(110):
            client = Client(stack.enter_context(server.connect()))
            assert client.reply().startswith(b"220 ")
            assert client.converse([EHLO, MAIL], Manner.STEPS)[-1] == b"554 5.7.1 Spam"
        server.wait_log(b"warning: the hard limit of open files allows --held 40, not 2000")


def test_a_milter_that_is_not_there(tmp_path: Path) -> None:
    """Its default action is done, and the log says why."""
    backend = NotQmail(tmp_path / "backend", controls(tmp_path / "control"))
    parameters = (f"smtpd_milters=unix:{tmp_path}/none",)
    with gated(backend.argv, tmp_path, parameters=parameters, variables=backend.environment) as gate:
        assert gate.converse([EHLO, MAIL])[-1] == b"451 4.7.1 Service unavailable - try again later"
        gate.wait_log(b"its default action is done, tempfail")


def test_names_are_asked_of_name_servers(tmp_path: Path) -> None:
    """Where the milter is, and who comes, by the name that leads back to its address."""
    records: Records = {
        "milter.example.org A": ["127.0.0.1"],
        "7.2.0.192.in-addr.arpa PTR": ["c.example.net."],
        "c.example.net A": ["192.0.2.7"],
    }
    backend = NotQmail(tmp_path / "backend", controls(tmp_path / "control"))
    with scripted_milter() as milter, running(records, tmp_path) as name_server:
        parameters = (f"smtpd_milters={milter.service.replace('127.0.0.1', 'milter.example.org')}",)
        variables = {**backend.environment, "DNSCACHEIP": name_server}
        with gated(backend.argv, tmp_path, parameters=parameters, variables=variables) as gate:
            assert gate.converse([EHLO, MAIL, RCPT])[-1].startswith(b"250")
    assert [heard.data.partition(b"\0")[0] for heard in milter.heard if heard.command == b"C"] == [b"c.example.net"]
    assert macros(milter, b"C")[b"_"] == b"c.example.net [192.0.2.7]"


@pytest.mark.parametrize("limited", ["connection_count", "message_rate"])
def test_connections_at_once_are_told(limited: str, tmp_path: Path) -> None:
    """Those of the client, where it has a limit of any kind; 0 where it has none."""
    backend = NotQmail(tmp_path / "backend", controls(tmp_path / "control"))
    with scripted_milter() as milter:
        limit, asked = f"smtpd_client_{limited}_limit=5", "milter_connect_macros={client_connections}"
        parameters = (f"smtpd_milters={milter.service}", limit, asked)
        serving = gated(backend.argv, tmp_path, parameters=parameters, variables=backend.environment)
        with serving as gate, gate.client():
            assert macros(milter, b"C") == {b"{client_connections}": b"1"}
            with gate.client():
                assert macros(milter, b"C") == {b"{client_connections}": b"2"}
            with gate.client(RELAY):
                assert macros(milter, b"C") == {b"{client_connections}": b"0"}


def test_milters_by_address(tmp_path: Path) -> None:
    """A table has other milters for a client than the list, or none; what it has is looked up again when it changes."""
    table = tmp_path / "milters"
    backend = NotQmail(tmp_path / "backend", controls(tmp_path / "control"))
    with scripted_milter() as listed, scripted_milter() as other:
        listed.says[b"R"] = other.says[b"M"] = SPAM
        table.write_text(f"192.0.2.8 DISABLE\n192.0.2.9 {other.service}\n")
        parameters = (f"smtpd_milters={listed.service}", f"smtpd_milter_maps=cidr:{table}")
        with gated(backend.argv, tmp_path, parameters=parameters, variables=backend.environment) as gate:
            heard = {source: gate.converse([EHLO, MAIL, RCPT], source=source) for source in (STRANGER, RELAY, APPENDED)}
            table.write_text("192.0.2.0/24 nonsense\n")
            until(
                lambda: gate.converse([EHLO, MAIL])[-1] == b"451 4.3.5 Server configuration problem - try again later"
            )
            gate.wait_log(b"milter nonsense: a milter is unix:PATH or inet:HOST:PORT, and not 'nonsense'")

    assert heard[STRANGER][-2:] == [b"250 2.1.0 Ok", b"554 5.7.1 Spam"]
    assert heard[RELAY][-2:] == [b"250 2.1.0 Ok", b"250 ok"]
    assert heard[APPENDED][-2] == b"554 5.7.1 Spam"


@pytest.mark.parametrize(
    ("parameter", "text", "sentence"),
    [
        ("smtpd_milter_maps=cidr", "192.0.2.8 DISABLE\n192.0.2.9 x\n", b"line 2: a milter is unix:PATH or inet:HOST"),
        ("milter_header_checks=regexp", "/a/ IGNORE\n/b/ FILTER smtp:x\n", b"line 2: FILTER needs a queue"),
    ],
)
def test_a_table_of_what_cannot_be(parameter: str, text: str, sentence: bytes, tmp_path: Path) -> None:
    """The gate does not start with it."""
    table = tmp_path / "table"
    table.write_text(text)
    words = gate_words(controls(tmp_path / "control"), (f"{parameter}:{table}", "smtpd_milters=unix:x"))
    command = [ours("pytcpserver"), *QUIET, "127.0.0.1", "0", *words, "true"]

    done = subprocess.run(command, capture_output=True, check=False, timeout=60)

    assert done.returncode == 100
    assert sentence in done.stderr


def test_headers_that_milters_put_in_are_checked(tmp_path: Path) -> None:
    """By a table, which the log names the outcome of; a message that it refuses goes nowhere."""
    table = tmp_path / "headers"
    table.write_text("/^X-Seen:/ REPLACE X-Score: 1\n/^X-Spam:/ REJECT no spam\n")
    backend = NotQmail(tmp_path / "backend", controls(tmp_path / "control"))
    with scripted_milter() as milter:
        parameters = (f"smtpd_milters={milter.service}", f"milter_header_checks=regexp:{table}")
        with gated(backend.argv, tmp_path, parameters=parameters, variables=backend.environment) as gate:
            milter.says[b"E"] = SEEN
            taken = gate.converse(MESSAGE)[-2]
            milter.says[b"E"] = packed(b"h", b"X-Spam\0yes\0") + SEEN
            refused = gate.converse(MESSAGE)[-2]
            gate.wait_log(b"NOQUEUE: milter-header-reject: header X-Spam: yes from unknown", b": 5.7.1 no spam")

    assert taken.startswith(b"250 ok ")
    assert refused == b"550 5.7.1 no spam"
    [message] = backend.messages()
    assert b"X-Score: 1\n" in message.text
    assert b"X-Seen" not in message.text
