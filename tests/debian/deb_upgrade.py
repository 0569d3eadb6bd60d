"""An upgrade while clients are served."""

import subprocess
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.debian.clients import Clients
from tests.debian.host import Host
from tests.support.smtp_client import Client
from tests.support.waiting import until

#: Seconds that a trial of a new program may last.
_PATIENCE = 70.0


class Edit(NamedTuple):
    """What is another text in a file of the sources."""

    file: str
    old: str
    new: str


def changed(package: Path, folder: Path, epoch: int, edit: Edit) -> Path:
    """A package of a later version, in whose sources a text is another one. epoch: of its version."""
    unpacked = folder / "unpacked"
    subprocess.run(["dpkg-deb", "--raw-extract", package, unpacked], check=True)
    control = unpacked / "DEBIAN/control"
    control.write_text(control.read_text().replace("\nVersion: ", f"\nVersion: {epoch}:"))
    (source,) = unpacked.glob(f"usr/lib/ucspi-py/lib/python3.*/site-packages/ucspi_py/{edit.file}")
    text = source.read_text()
    assert edit.old in text
    source.write_text(text.replace(edit.old, edit.new))
    made = folder / "ucspi-py.deb"
    subprocess.run(["dpkg-deb", "--root-owner-group", "--build", unpacked, made], stdout=subprocess.DEVNULL, check=True)
    return made


@pytest.fixture(autouse=True)
def serving(host: Host) -> None:
    """The service runs."""
    host.run("systemctl", "start", "smtpd")


def test_nobody_is_lost_by_an_upgrade(host: Host, package: Path, tmp_path: Path) -> None:
    """Who is inside stays, who comes is served, and the new version serves under the same process id."""
    edit = Edit("core/service/loglines.py", "tcpserver: pid %d from", "tcpserver: pid %d comes from")
    newer = changed(package, tmp_path, 2, edit)
    pid = host.main_pid("smtpd")
    with Client(host.connect(25)) as inside, Clients(host) as clients:
        inside.reply()
        host.install(newer)
        until(lambda: any(" comes from " in line for line in host.log("smtpd")), "the new version", _PATIENCE)
        assert inside.ask(b"NOOP").startswith(b"250")

    assert clients.lost == []
    assert clients.served > 0
    assert host.main_pid("smtpd") == pid


def test_a_version_that_does_not_start_leaves_the_old_one(host: Host, package: Path, tmp_path: Path) -> None:
    """It is tried first; the log says that the old one goes on."""
    edit = Edit("cli/tcpserver.py", "import start\n", "import nothing as start\n")
    broken = changed(package, tmp_path, 3, edit)
    with Clients(host) as clients:
        host.install(broken)
        until(lambda: any("warning: not restarted" in line for line in host.log("smtpd")), "the warning", _PATIENCE)

    assert clients.lost == []
    assert clients.served > 0


def test_the_way_back_loses_nobody(host: Host, package: Path) -> None:
    """The old package is installed again by the manual's command, and its program takes over."""
    pid = host.main_pid("smtpd")
    with Clients(host) as clients:
        before = _visits(host)
        host.run("apt-get", "install", "--yes", "--allow-downgrades", f"/srv/{package.name}")
        until(lambda: any(" comes from " not in line for line in _visits(host)[len(before) :]), "the old", _PATIENCE)

    assert clients.lost == []
    assert clients.served > 0
    assert host.main_pid("smtpd") == pid


def test_a_service_of_that_name_that_is_not_ours_is_left_alone(host: Host, package: Path, tmp_path: Path) -> None:
    """Neither an upgrade nor a removal ends it, though an administrator has another program under it."""
    edit = Edit("core/service/loglines.py", "tcpserver: pid %d from", "tcpserver: pid %d comes from")
    own = host.root.path / "etc/systemd/system/smtpd.service"
    own.write_text("[Service]\nExecStart=/bin/sleep infinity\n")
    try:
        host.run("systemctl", "daemon-reload")
        host.run("systemctl", "restart", "smtpd")
        pid = host.main_pid("smtpd")
        host.install(changed(package, tmp_path, 4, edit))
        host.run("sh", "/var/lib/dpkg/info/ucspi-py.prerm", "remove")
        assert host.main_pid("smtpd") == pid
    finally:
        host.run("systemctl", "stop", "smtpd")
        own.unlink()
        host.run("systemctl", "daemon-reload")


def _visits(host: Host) -> list[str]:
    return [line for line in host.log("smtpd") if line.startswith("tcpserver: pid ")]
