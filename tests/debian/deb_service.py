"""The services that the package brings, started as the manual says."""

import re
import socket

from tests.debian.clients import Clients
from tests.debian.host import Host
from tests.support.smtp_client import Client, Content
from tests.support.waiting import until
from ucspi_py import __version__

_MAIL = [b"EHLO client.example", b"MAIL FROM:<a@example.net>", b"RCPT TO:<b@example.org>", b"DATA"]
_REQUEST = (
    b"request=smtpd_access_policy\nprotocol_state=RCPT\nclient_address=192.0.2.7\nclient_name=unknown\n"
    b"sender=a@example.net\nrecipient=b@example.org\ninstance=1.2.3\n\n"
)


def delivered(host: Host) -> bytes:
    """Deliver a message to port 25; the last replies."""
    with Client(host.connect(25)) as client:
        client.reply()
        return client.converse([*_MAIL, Content(b"Subject: x\r\n\r\nhello\r\n.\r\n")])[-1]


def test_nothing_is_started_by_the_installation(host: Host) -> None:
    """The administrator says what runs."""
    for unit in ("smtpd.service", "smtpd.socket", "pypostgrey.service"):
        state = host.run("systemctl", "show", "--property=ActiveState,UnitFileState", "--value", unit).split()
        assert state == ["inactive", "disabled"]


def test_each_program_has_a_page(host: Host) -> None:
    """man pytcpserver shows it."""
    assert host.run("pytcpserver", "--version") == f"pytcpserver {__version__}\n"
    assert "pytcpserver - accept TCP connections" in " ".join(host.run("man", "pytcpserver").split())


def test_a_client_is_served(host: Host) -> None:
    """systemctl enable --now smtpd, and a message arrives; the log is in the journal."""
    host.run("systemctl", "enable", "--now", "smtpd")

    assert delivered(host).startswith(b"250")
    assert len(host.run("sh", "-c", "ls /var/qmail/demo/Maildir/new").split()) == 1
    until(lambda: any(re.match(r"tcpserver: end \d+ status 0", line) for line in host.log("smtpd")), "the log")


def test_walls_keep_nobody_from_his_work(host: Host) -> None:
    """With the drop-in of examples/systemd a setuid qmail-queue becomes its user."""
    host.run("mkdir", "-p", "/etc/systemd/system/smtpd.service.d")
    host.run(
        "cp",
        "/usr/share/doc/ucspi-py/examples/systemd/smtpd.service.d/hardening.conf",
        "/etc/systemd/system/smtpd.service.d/",
    )
    host.run("systemctl", "daemon-reload")
    host.run("systemctl", "restart", "smtpd")

    assert delivered(host).startswith(b"250")
    assert host.run("cat", "/var/qmail/demo/queued-by", "/var/qmail/demo/privileges").split() == [
        "qmailq",
        "NoNewPrivs:",
        "0",
    ]
    assert host.run("systemctl", "show", "--property=ProtectSystem", "--value", "smtpd") == "full\n"


def test_a_reload_keeps_who_is_inside(host: Host) -> None:
    """systemctl reload smtpd."""
    with Client(host.connect(25)) as client:
        client.reply()
        host.run("systemctl", "reload", "smtpd")

        assert client.ask(b"NOOP").startswith(b"250")
    assert delivered(host).startswith(b"250")


def test_with_the_socket_unit_nobody_is_lost_by_a_restart(host: Host) -> None:
    """The socket stays with systemd, which starts the service for the first client."""
    host.run("systemctl", "stop", "smtpd.service")
    host.run("systemctl", "enable", "--now", "smtpd.socket")

    with Clients(host) as clients, Client(host.connect(25)) as client:
        assert client.reply().startswith(b"220")
        host.run("systemctl", "restart", "smtpd.service")
        assert client.ask(b"NOOP").startswith(b"250")

    assert clients.lost == []
    assert delivered(host).startswith(b"250")


def test_pypostgrey_answers_postfix(host: Host) -> None:
    """As a user of its own, who owns nothing but its records."""
    host.run("systemctl", "enable", "--now", "pypostgrey")
    connection = until(lambda: _connected(host), "pypostgrey")
    with connection:
        connection.sendall(_REQUEST)

        assert connection.recv(1000).startswith(b"action=DEFER_IF_PERMIT Greylisted")
    status = host.run("cat", f"/proc/{host.main_pid('pypostgrey')}/status")
    assert re.search(r"^NoNewPrivs:\t1$", status, re.MULTILINE)
    assert host.run("stat", "--format=%U", "/var/lib/ucspi-py/pypostgrey.db") == "ucspi-py\n"


def _connected(host: Host) -> socket.socket | None:
    try:
        return host.connect(10023)
    except ConnectionRefusedError:
        return None
