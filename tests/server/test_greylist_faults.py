"""Whatever happens to the store of a greylist, mail comes in; and greylisting comes back by itself."""

import os
import shutil
import sqlite3
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.support import parrot
from tests.support.greylist import GREYLIST, LONG, REFUSED, alone, answer, comes_in, serving
from tests.support.programs import need_root
from tests.support.redisserver import RedisServer
from tests.support.rules import cdb_of
from tests.support.server import QUIET, Server
from tests.support.waiting import until


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[RedisServer]:
    """A server with nothing in it."""
    with RedisServer(tmp_path) as server:
        yield server


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that every user can enter."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


def check(folder: Path, store: str, reason: str) -> None:
    """Everybody is let in, alone and absorbed, and the log says why, at the start and once."""
    line = f"greylist: warning: unable to use {store}: {reason}, everybody is let in\n"
    assert alone(("-s", store), {"TCPREMOTEIP": "127.0.0.1"}) == (b"welcome\n", line.encode())
    with serving(folder, "-s", store, options=("-w1",)) as server:
        assert server.wait_log(line.encode()) == line.encode()
        assert {answer(server, f"127.1.{number}.1") for number in range(10)} == {b"welcome\n"}
        assert server.log() == line.encode()


def test_a_folder_that_is_missing(tmp_path: Path) -> None:
    """Nothing is made that the operator has not made."""
    check(tmp_path, str(tmp_path / "nowhere/db"), "unable to open database file")
    assert not (tmp_path / "nowhere").exists()


def test_a_file_of_something_else(tmp_path: Path) -> None:
    """It is neither used nor changed."""
    file = tmp_path / "db"
    file.write_bytes(b"precious\n" * 1000)
    check(tmp_path, str(file), "file is not a database")
    assert file.read_bytes() == b"precious\n" * 1000


def test_a_database_of_something_else(tmp_path: Path) -> None:
    """A table of our name that is none of ours."""
    db = tmp_path / "db"
    with closing(sqlite3.connect(db)) as connection:
        connection.execute("CREATE TABLE greylist (a, b)")
    check(tmp_path, str(db), "no such column: expires")


def test_a_damaged_file(tmp_path: Path) -> None:
    """Pages full of zeros behind a good beginning."""
    db = tmp_path / "db"
    alone(("-s", str(db), *LONG), {"TCPREMOTEIP": "127.1.1.1"})
    with db.open("r+b") as file:
        file.seek(4096)
        file.write(bytes(db.stat().st_size - 4096))
    with serving(tmp_path, "-s", str(db)) as server:
        assert answer(server) == b"welcome\n"
        server.wait_log(b"database disk image is malformed, everybody is let in\n")


def test_a_locked_file(tmp_path: Path) -> None:
    """Who must be written down is let in, who is known is known, and it works again once the lock is gone."""
    db = str(tmp_path / "db")
    with serving(tmp_path, "-s", db, "-d", "1", options=("-w1",)) as server:
        comes_in(server, "127.1.1.1")
        with closing(sqlite3.connect(db, isolation_level=None)) as connection:
            connection.execute("BEGIN IMMEDIATE")
            assert answer(server, "127.1.1.1") == b"welcome\n"
            assert b"warning" not in server.log()
            assert answer(server, "127.1.2.1") == b"welcome\n"
            server.wait_log(b": database is locked, everybody is let in\n")
        until(lambda: answer(server, "127.1.3.1") == REFUSED, "greylisting again")


@pytest.mark.parametrize("writable", ["folder", "file"])
def test_a_store_of_another_user(writable: str, open_folder: Path, tmp_path: Path) -> None:
    """It is opened as the user of -u, who may not write here."""
    need_root()
    db = open_folder / "db"
    if writable == "file":
        alone(("-s", str(db), *LONG), {"TCPREMOTEIP": "127.1.1.1"})
        db.chmod(0o666)
    with serving(tmp_path, "-s", str(db), options=("-u", "65534", "-g", "65534")) as server:
        server.wait_log(b"greylist: warning: unable to use ")
        assert answer(server) == b"welcome\n"


def test_a_store_of_the_user(open_folder: Path, tmp_path: Path) -> None:
    """Where only the user of -u may write, it is made and belongs to that user."""
    need_root()
    os.chown(open_folder, 65534, 65534)
    open_folder.chmod(0o700)
    with serving(tmp_path, "-s", str(open_folder / "db"), options=("-u", "65534", "-g", "65534")) as server:
        assert answer(server) == REFUSED
        assert {file.stat().st_uid for file in open_folder.iterdir()} == {65534}
    assert b"warning" not in server.log()


def test_a_full_disk(tmp_path: Path) -> None:
    """New networks are let in, known ones are known, and what is there is kept."""
    db = tmp_path / "db"
    with serving(tmp_path, "-s", str(db), "-d", "1", options=("-w1",)) as server:
        comes_in(server, "127.1.1.1")
    limit = ("prlimit", f"--fsize={96 * 1024}")
    with serving(tmp_path, "-s", str(db), "-d", "1", options=("-w1",), before=limit) as server:
        for number in range(100):
            if answer(server, f"127.2.{number}.1") == b"welcome\n":
                break
        assert number > 1
        server.wait_log(b"everybody is let in\n")
        assert answer(server, "127.1.1.1") == b"welcome\n"
    with serving(tmp_path, "-s", str(db), *LONG) as server:
        assert answer(server, "127.1.1.1") == b"welcome\n"
        assert answer(server, "127.3.1.1") == REFUSED


def test_a_server_that_is_not_there(redis: RedisServer, tmp_path: Path) -> None:
    """Greylisting begins once it is."""
    redis.kill()
    with serving(tmp_path, "-s", redis.url, options=("-w1",)) as server:
        server.wait_log(b"greylist: warning: unable to use redis://")
        assert answer(server) == b"welcome\n"
        redis.start()
        until(lambda: answer(server) == REFUSED, "greylisting again")
        assert server.log().count(b"warning") == 1


def test_a_server_that_is_stopped(redis: RedisServer, tmp_path: Path) -> None:
    """It costs a client a moment, and not every client; then greylisting goes on."""
    with serving(tmp_path, "-s", redis.url, options=("-w1",)) as server:
        assert answer(server, "127.1.1.1") == REFUSED
        redis.stop()
        started = time.monotonic()
        assert {answer(server, "127.1.1.1") for _ in range(30)} == {b"welcome\n"}
        assert time.monotonic() - started < 15
        server.wait_log(b": timed out, everybody is let in\n")
        redis.go_on()
        until(lambda: answer(server, "127.1.1.1") == REFUSED, "greylisting again")
        assert server.log().count(b"warning") == 1


def test_many_wait_for_a_stopped_server_at_once(redis: RedisServer, tmp_path: Path) -> None:
    """All of them are let in, and those whom no store concerns do not wait with them."""
    rules = cdb_of('127.0.0.9:allow,GREYLIST=""\n:allow\n', tmp_path)
    with serving(tmp_path, "-s", redis.url, options=("-w1", "-x", rules)) as server:
        assert answer(server) == REFUSED
        redis.stop()
        crowd = [server.connect() for _ in range(50)]
        assert answer(server, "127.0.0.9") == b"welcome\n"
        for client in crowd:
            with client:
                assert client.recv(100) == b"welcome\n"
        redis.go_on()


def test_a_server_that_restarts(redis: RedisServer, tmp_path: Path) -> None:
    """A connection that was idle meanwhile is none that counts as a fault."""
    with serving(tmp_path, "-s", redis.url, options=("-w1",)) as server:
        assert answer(server, "127.1.1.1") == REFUSED
        redis.kill()
        redis.start()
        assert answer(server, "127.1.1.1") == REFUSED
    assert b"warning" not in server.log()


def test_a_password_that_is_wrong(tmp_path: Path) -> None:
    """The log says so without it; with the right one it works."""
    with RedisServer(tmp_path, "--requirepass", "s3cret") as redis:
        wrong, right = (redis.url.replace("//", f"//:{word}@") for word in ("s3crets", "s3cret"))
        assert alone(("-s", right), {"TCPREMOTEIP": "127.0.0.1"})[0] == REFUSED
        told, log = alone(("-s", wrong), {"TCPREMOTEIP": "127.0.0.1"})
        assert told == b"welcome\n"
        assert log.startswith(b"greylist: warning: unable to use %s: " % redis.url.encode())
        assert b"s3cret" not in log


def test_a_server_that_is_full(tmp_path: Path) -> None:
    """Who cannot be written down is let in."""
    with RedisServer(tmp_path, "--maxmemory", "1", "--maxmemory-policy", "noeviction") as redis:
        told, log = alone(("-s", redis.url), {"TCPREMOTEIP": "127.0.0.1"})
        assert told == b"welcome\n"
        assert b"maxmemory" in log


@pytest.mark.parametrize("said", [b"", b"HTTP/1.1 400 No\r\n\r\n", b"+\r\n" * 9, b"$-2\r\n", os.urandom(999)])
def test_a_server_of_something_else(said: bytes, tmp_path: Path) -> None:
    """Whatever it says, or if it hangs up at once."""
    with parrot.running(said) as (port, _), serving(tmp_path, "-s", redis_url(port)) as server:
        assert {answer(server) for _ in range(5)} == {b"welcome\n"}
        server.wait_log(b"greylist: warning: ")


def test_the_log_is_not_filled(tmp_path: Path) -> None:
    """The store is tried again and again, and the log has one line of it."""
    with (
        parrot.running(b"-ERR no\r\n") as (port, heard),
        serving(tmp_path, "-s", redis_url(port), options=("-w1",)) as server,
    ):
        until(lambda: answer(server) and len(heard) > 2, "some tries")
        assert server.log().count(b"warning") == 1


def test_a_library_that_is_missing(redis: RedisServer, tmp_path: Path) -> None:
    """Without the extra ``redis`` the server starts all the same, and says what is missing."""
    hidden = "import sys; sys.modules['redis'] = None; from ucspi_py.cli.tcpserver import main; main()"
    program = tmp_path / "pytcpserver"
    program.write_text(f"#!{sys.executable} -I\n{hidden}\n")
    program.chmod(0o755)
    chain = (GREYLIST, "-s", redis.url, "echo", "welcome")
    with Server(str(program), QUIET, chain, tmp_path) as server:
        server.wait_log(b"redis")
        assert answer(server) == b"welcome\n"


def redis_url(port: int) -> str:
    """What names a store at a port of ours."""
    return f"redis://127.0.0.1:{port}/0"
