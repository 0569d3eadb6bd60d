"""Whether a worker will reach a daemon, tried as its user."""

import grp
import os
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.programs import need_root
from ucspi_py.core.auth.place import InetPlace, UnixPlace
from ucspi_py.system.auth.reach import flaw

NOBODY = 65534
GROUP = grp.getgrnam("mail")


@pytest.fixture
def path() -> Iterator[Path]:
    """A daemon's socket in a folder, both for everybody."""
    need_root()
    with tempfile.TemporaryDirectory() as room, socket.socket(socket.AF_UNIX) as daemon:
        os.chmod(room, 0o755)  # noqa: S103  # the worker's user comes this way
        folder = Path(room, "run")
        folder.mkdir()
        daemon.bind(f"{folder}/mux")
        daemon.listen()
        (folder / "mux").chmod(0o777)
        yield folder / "mux"


def tried(path: Path, gid: int = NOBODY) -> str | None:
    """As nobody."""
    found = flaw(UnixPlace(str(path)), NOBODY, gid)
    return found and found.replace(str(path.parent), "RUN")


def test_a_socket_that_a_worker_reaches_has_no_flaw(path: Path) -> None:
    """And we stay who we are."""
    assert tried(path) is None
    assert os.geteuid() == 0


def test_the_missing_group_of_a_folder_is_named(path: Path) -> None:
    """Debian's /run/saslauthd is 0710, of root and sasl."""
    path.parent.chmod(0o710)
    os.chown(path.parent, 0, GROUP.gr_gid)

    assert tried(path) == (
        "user nobody is unable to connect to RUN/mux: access denied: RUN is for group mail, which is missing; "
        "pytcpserver -g mail has it"
    )
    assert tried(path, GROUP.gr_gid) is None


def test_the_missing_group_of_a_socket_is_named(path: Path) -> None:
    """Dovecot's unix_listener has a group and a mode, too."""
    path.chmod(0o660)
    os.chown(path, 0, GROUP.gr_gid)

    assert tried(path) == (
        "user nobody is unable to connect to RUN/mux: access denied: RUN/mux is for group mail, which is missing; "
        "pytcpserver -g mail has it"
    )
    assert tried(path, GROUP.gr_gid) is None


def test_where_no_group_may_the_user_is_named(path: Path) -> None:
    """Postfix's private/auth."""
    path.parent.chmod(0o700)

    assert tried(path) == (
        "user nobody is unable to connect to RUN/mux: access denied: no group may, RUN is for user root alone"
    )


def test_a_symbolic_link_is_followed(path: Path) -> None:
    """/var/run is one."""
    link = path.parent.parent / "link"
    link.symlink_to(path.parent)
    path.parent.chmod(0o700)

    assert flaw(UnixPlace(f"{link}/mux"), NOBODY, NOBODY) == (
        f"user nobody is unable to connect to {link}/mux: access denied: no group may, {path.parent.resolve()} is for "
        "user root alone"
    )


def test_what_is_not_there_is_said(path: Path) -> None:
    """Its daemon may start later."""
    path.unlink()

    assert tried(path) == "user nobody is unable to connect to RUN/mux: file does not exist"


def test_a_full_queue_is_no_flaw(path: Path) -> None:
    """Somebody is there."""
    with socket.socket(socket.AF_UNIX) as daemon:
        daemon.bind(f"{path}2")
        daemon.listen(0)
        os.chmod(f"{path}2", 0o777)  # noqa: S103  # the worker's user connects
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(f"{path}2")
            assert tried(Path(f"{path}2")) is None


def test_without_a_user_we_try_ourselves(path: Path) -> None:
    """Who is not root becomes nobody else."""
    assert flaw(UnixPlace(str(path)), None, None) is None


def test_a_port_is_not_tried() -> None:
    """It may take its time."""
    assert flaw(InetPlace("127.0.0.1", 1), None, None) is None
