"""Milters of a main.cf before a running gate, in a worker of pytcpserver and alone."""

from pathlib import Path

import pytest

from tests.support.backends.known import NotQmail
from tests.support.gate import MAIL, RCPT, controls, gated
from tests.support.milter import ScriptedMilter, scripted_milter
from tests.support.nameserver import Records, running
from tests.support.programs import theirs
from tests.support.smtp_client import Content, Step
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
