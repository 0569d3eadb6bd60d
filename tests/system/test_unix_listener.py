"""A listening Unix socket at a path."""

import os
import socket
import stat
import tempfile
from contextlib import closing
from pathlib import Path

import pytest

from tests.support.forked import in_child
from tests.support.programs import need_root
from ucspi_py.core.errors import Failure
from ucspi_py.system.accept.unix_listener import Access, listen, remove

_OURS = Access(0o600)


def _listen(path: Path, access: Access = _OURS) -> socket.socket:
    return listen(str(path), socket.SOCK_STREAM, 5, access)


def test_who_may_connect_is_told_by_its_mode(tmp_path: Path) -> None:
    """Whatever the umask."""
    before = os.umask(0o077)
    try:
        with closing(_listen(tmp_path / "socket", Access(0o666))):
            assert stat.S_IMODE((tmp_path / "socket").stat().st_mode) == 0o666
    finally:
        os.umask(before)


def test_it_belongs_to_whom_it_is_to_serve_as(tmp_path: Path) -> None:
    """Who may then remove it, in a folder of his own."""
    need_root()
    with closing(_listen(tmp_path / "socket", Access(0o600, 61_001, 61_002))):
        status = (tmp_path / "socket").stat()
    assert (status.st_uid, status.st_gid) == (61_001, 61_002)


def test_a_link_in_its_place_gives_nothing_else_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Root listens in a folder of somebody else, who may be quick."""
    need_root()
    (tmp_path / "precious").write_text("")
    (tmp_path / "precious").chmod(0o600)

    class Swapped(socket.socket):
        def bind(self, path: str) -> None:  # type: ignore[override]
            super().bind(path)
            os.unlink(path)
            os.symlink("precious", path)

    monkeypatch.setattr(socket, "socket", Swapped)
    with closing(_listen(tmp_path / "socket", Access(0o666, 61_001, 61_002))):
        status = (tmp_path / "precious").stat()
    assert (status.st_uid, status.st_gid, stat.S_IMODE(status.st_mode)) == (os.getuid(), os.getgid(), 0o600)


def test_one_that_was_left_behind_is_replaced(tmp_path: Path) -> None:
    """As a server leaves it that was killed."""
    _listen(tmp_path / "socket").close()
    with closing(_listen(tmp_path / "socket")), closing(socket.socket(socket.AF_UNIX)) as client:
        client.connect(str(tmp_path / "socket"))


def test_a_server_that_runs_keeps_its_socket(tmp_path: Path) -> None:
    """And hears nothing of who has tried."""
    with closing(_listen(tmp_path / "socket")) as first:
        with pytest.raises(Failure, match="another server listens at"):
            _listen(tmp_path / "socket")
        first.accept()[0].close()
        with closing(socket.socket(socket.AF_UNIX)) as client:
            client.connect(str(tmp_path / "socket"))


def test_a_server_with_a_full_queue_keeps_its_socket(tmp_path: Path) -> None:
    """Nobody waits for it."""
    with (
        closing(listen(str(tmp_path / "socket"), socket.SOCK_STREAM, 0)),
        closing(socket.socket(socket.AF_UNIX)) as one,
    ):
        one.connect(str(tmp_path / "socket"))
        with pytest.raises(Failure, match="another server listens at"):
            _listen(tmp_path / "socket")


def test_what_is_no_socket_stays(tmp_path: Path) -> None:
    """It may be precious."""
    (tmp_path / "socket").write_text("precious")
    with pytest.raises(Failure, match="address already used"):
        _listen(tmp_path / "socket")
    assert (tmp_path / "socket").read_text() == "precious"


def test_removing_what_is_gone_is_no_error(tmp_path: Path) -> None:
    """Somebody else was there before."""
    with closing(_listen(tmp_path / "socket")):
        remove(str(tmp_path / "socket"))
        remove(str(tmp_path / "socket"))
    assert not list(tmp_path.iterdir())


def test_one_that_cannot_be_given_to_whom_it_is_for_is_not_left_behind() -> None:
    """Only root gives a file away."""
    need_root()
    with tempfile.TemporaryDirectory() as folder:  # pytest's folders are root's alone
        Path(folder).chmod(0o777)
        path = Path(folder, "socket")

        def listen_for_another() -> None:
            os.setuid(61_001)
            with pytest.raises(Failure, match="permission denied"):
                _listen(path, Access(0o600, 61_002))

        in_child(listen_for_another)
        assert not path.exists()
