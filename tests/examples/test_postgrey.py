"""examples/postgrey: Debian's Postfix has pypostgrey greylist, as guides have it do with postgrey."""

import re
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.peers import postfix
from tests.support.checkout import ROOT
from tests.support.nameserver import healthy, lists, serving
from tests.support.ports import free_port
from tests.support.programs import need_root, ours, theirs
from tests.support.pypostgrey import Postgrey
from tests.support.smtp_client import Client
from tests.support.waiting import PATIENCE, until

_EXAMPLE = ROOT / "examples/postgrey"
#: What the file leaves to Postfix's defaults, clients that tell whence they come, and a header that is logged.
_MAIN = (
    postfix.PLAIN.replace("192.0.2.0/24", "127.0.0.0/8")
    + """\
smtpd_authorized_xclient_hosts = 127.0.0.0/8
header_checks = regexp:{{/^X-Greylist:/ WARN}}
"""
)
_DNS = {
    "example.net MX": ["10 mail.example.net."],
    **healthy("bl.spamcop.net", "zen.spamhaus.org"),
    **lists("bl.spamcop.net", "203.0.113.66"),
}
_GREYLISTED = (
    b"450 4.2.0 <%s>: Recipient address rejected: Greylisted, see http://postgrey.schweikert.ch/help/example.org.html"
)


class Host(NamedTuple):
    """Postfix with the example, and with a pypostgrey on a port. log: Postfix's. said: what the example's has said."""

    example: int
    on_port: int
    log: Path
    said: Path


@pytest.fixture(scope="module")
def host() -> Iterator[Host]:
    """The files as they stand but for their folders, and a minute that nobody waits for."""
    need_root()
    theirs("postgrey")  # its package makes the user
    with tempfile.TemporaryDirectory(prefix="postgrey") as name:
        Path(name).chmod(0o755)  # Postfix is to reach it, and it does not reach pytest's folders
        yield from _hosted(Path(name))


def _hosted(folder: Path) -> Iterator[Host]:
    place, port = _here(folder), free_port()
    with (
        _service(place, folder / "said"),
        Postgrey(f"--inet={port}", "--delay=1"),
        serving(_DNS, folder, port=53) as server,
        postfix.running(
            {"example": (), "port": (f"smtpd_recipient_restrictions=check_policy_service inet:127.0.0.1:{port}",)},
            main=_MAIN + (place / "main.cf").read_text(),
            name_server=server.address,
        ) as found,
    ):
        yield Host(found.ports["example"], found.ports["port"], found.log, folder / "said")


def _here(folder: Path) -> Path:
    """A copy of the example, in a folder that Postfix and postgrey reach."""
    place = Path(shutil.copytree(_EXAMPLE, folder / "service"))
    shutil.chown(place, "postgrey")
    for file in (place / "run", place / "main.cf"):
        text = file.read_text().replace("/var/spool/postfix/postgrey", str(place)).replace("/etc/postfix", str(place))
        text = text.replace("PATH=/opt/ucspi_py/bin", f"PATH={Path(ours('pypostgrey')).parent}")
        text = text.replace("--delay=60", f"--delay=2 --dbdir={place}")
        file.write_text(text)
    return place


@contextmanager
def _service(place: Path, said: Path) -> Iterator[None]:
    """The run script at work."""
    with said.open("wb") as log:
        process = subprocess.Popen(["./run"], cwd=place, stdin=subprocess.DEVNULL, stdout=log)
    try:
        until((place / "socket").exists, "the service")
        yield
    finally:
        process.terminate()
        assert process.wait(PATIENCE) == 0, said.read_text()


def _rcpt(port: int, ip: str, name: str = "mail.example.net", recipient: str = "you@example.org") -> bytes:
    """What a client from an address is told of a recipient; where it is let in, it sends its message."""
    with Client(socket.create_connection(("127.0.0.1", port), PATIENCE)) as client:
        client.reply()
        client.ask(b"EHLO proxy")
        client.ask(f"XCLIENT ADDR={ip} NAME={name}".encode())
        client.ask(b"EHLO [192.168.100.30]")
        client.ask(b"MAIL FROM:<me@example.net>")
        reply = client.ask(f"RCPT TO:<{recipient}>".encode())
        if reply.startswith(b"250 "):
            client.ask(b"DATA")
            client.ask(b"Subject: x\r\n\r\nx\r\n.")
        client.ask(b"QUIT")
        return reply


def _logged(host: Host, *pieces: str) -> Callable[[], bool]:
    return lambda: any(all(piece in line for piece in pieces) for line in host.log.read_text().splitlines())


def test_the_refusal_of_the_guides_is_in_the_log(host: Host) -> None:
    """guides.md, S1; the client has heard the same."""
    assert _rcpt(host.example, "192.0.2.7") == _GREYLISTED % b"you@example.org"
    words = "Greylisted, see http://postgrey.schweikert.ch/help/example.org.html; from=<me@example.net>"
    who = "to=<you@example.org> proto=ESMTP helo=<[192.168.100.30]>"
    refusal = "NOQUEUE: reject: RCPT from mail.example.net[192.0.2.7]: 450 4.2.0 <you@example.org>: "
    until(_logged(host, f"{refusal}Recipient address rejected: {words} {who}"))


def test_who_comes_again_is_let_in_with_a_header(host: Host) -> None:
    """From another address of its network."""
    _rcpt(host.example, "192.0.2.7", recipient="again@example.org")
    until(lambda: _rcpt(host.example, "192.0.2.8", recipient="again@example.org").startswith(b"250 "), "the delay")
    until(_logged(host, "warning: header X-Greylist: delayed ", " seconds by postgrey-", "to=<again@example.org>"))
    assert b"action=pass, reason=triplet found, delay=" in host.said.read_bytes()


def test_who_is_in_the_file_does_not_wait(host: Host) -> None:
    """A name below one of it, and an address of a network."""
    assert _rcpt(host.example, "192.0.2.7", "mx1.partner.example.com", "name@example.org").startswith(b"250 ")
    assert _rcpt(host.example, "198.51.100.7", recipient="address@example.org").startswith(b"250 ")


@pytest.mark.parametrize(
    ("ip", "recipient"), [("203.0.113.66", "listed@example.org"), ("203.0.113.7", "you@elsewhere.example")]
)
def test_who_is_refused_anyhow_leaves_no_record(host: Host, ip: str, recipient: str) -> None:
    """By a zone, or because it may not relay."""
    assert re.match(rb"[45]5\d [45]\.7\.1 |450 4\.1\.2 ", _rcpt(host.example, ip, recipient=recipient))
    assert f"client_address={ip}".encode() not in host.said.read_bytes()


def test_our_own_users_do_not_wait(host: Host) -> None:
    """They are in mynetworks."""
    with Client(socket.create_connection(("127.0.0.1", host.example), PATIENCE)) as client:
        client.reply()
        client.ask(b"EHLO me")
        client.ask(b"MAIL FROM:<me@example.net>")
        assert client.ask(b"RCPT TO:<own@example.org>").startswith(b"250 ")


def test_postfix_asks_on_a_port_too(host: Host) -> None:
    """It is deferred, then accepted."""
    assert _rcpt(host.on_port, "192.0.2.7", recipient="port@example.org") == _GREYLISTED % b"port@example.org"
    until(lambda: _rcpt(host.on_port, "192.0.2.7", recipient="port@example.org").startswith(b"250 "), "the delay")
