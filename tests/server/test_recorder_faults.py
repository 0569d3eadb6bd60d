"""Whatever is wrong with the recorder or its ledger, mail is read; and one user is not another one's trouble."""

import os
import re
import signal
import socket
import sqlite3
import struct
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.support.forked import in_child
from tests.support.programs import need_root, ours
from tests.support.recorder import OTHER, USER, Client, Clients, Recorder, run_as, users
from tests.support.redisserver import RedisServer
from tests.support.waiting import PATIENCE, until
from ucspi_py.core.ledger.recorder import request as requests
from ucspi_py.core.ledger.recorder.request import Reply, Request, Standing

#: A login of joe's, where the socket says from where.
REQUEST = requests.packed(Request(b"", b"joe", b"", 900))
SH = ("sh", "-c", "echo ran; exit 7")


@pytest.fixture(scope="module")
def clients() -> Iterator[Clients]:
    """Who has logged in."""
    with Clients() as made:
        yield made


@pytest.fixture(scope="module")
def recorder(clients: Clients) -> Iterator[Recorder]:
    """One that takes loopback for clients."""
    with Recorder("--private", "--trust", str(OTHER), "--ports", str(clients.port)) as running:
        yield running


def test_one_user_cannot_keep_others_out(recorder: Recorder, clients: Clients) -> None:
    """Whoever comes and says nothing has a second, and only so many places."""
    need_root()
    silent: list[socket.socket] = []

    def flood() -> None:
        silent.extend(recorder.connect() for _ in range(300))
        os.seteuid(0)
        os.kill(recorder.process.pid, signal.SIGCONT)
        recorder.wait_log(b"relay: warning: too many logins at once by uid %d\n" % USER)
        until(lambda: silent[-1].recv(10) == b"", "the last to be sent away")
        reply = _told_by_another(recorder, client)
        assert reply.standing is Standing.GRANTED

    client = clients.come()
    recorder.process.send_signal(signal.SIGSTOP)  # so that all are there at once, however slow their coming was
    in_child(flood_as(USER, flood))


def flood_as(uid: int, flood: Callable[[], None]) -> Callable[[], object]:
    """Effective ids only: a part of it is done by somebody else."""

    def work() -> None:
        os.setresuid(uid, uid, 0)
        flood()

    return work


def _told_by_another(recorder: Recorder, client: Client) -> Reply:
    os.seteuid(0)
    os.seteuid(OTHER)
    return recorder.ask(Request(client.ip.encode(), b"ann", b"", 900), client.ours.fileno())


def test_nobody_waits_for_a_socket_that_lingers(recorder: Recorder, clients: Clients) -> None:
    """close(2) of one with SO_LINGER waits for its peer: whoever passes it along waits alone."""
    client, other = clients.come(), clients.come()
    client.ours.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 60))
    client.ours.setblocking(False)
    with pytest.raises(BlockingIOError):
        while client.ours.send(b"x" * 65536):
            pass
    with recorder.connect() as asked:
        recorder.process.send_signal(signal.SIGSTOP)
        socket.send_fds(asked, [REQUEST], [client.ours.fileno()])
        client.ours.close()  # so that the recorder's is the last
        recorder.process.send_signal(signal.SIGCONT)
        assert asked.recv(1024) == b"Y"
        reply = recorder.ask(Request(b"", b"ann", b"", 900), other.ours.fileno())
        assert reply.standing is Standing.GRANTED


def test_a_hundred_logins_at_once(recorder: Recorder, clients: Clients) -> None:
    """None is lost (ops 14)."""
    client = clients.come()
    replies: list[Reply] = []

    def log_in(number: int) -> None:
        request = Request(b"198.51.100.%d" % (number % 50 + 1), b"user%d" % number, b"", 900)
        replies.append(recorder.ask(request, client.ours.fileno()))

    threads = [threading.Thread(target=log_in, args=(number,)) for number in range(100)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)

    assert replies == [Reply(Standing.GRANTED)] * 100
    found = {name for last in range(1, 51) for name in users(recorder.store, f"198.51.100.{last}", int(time.time()))}
    assert found >= {b"user%d" % number for number in range(100)}


def reads_mail(client: Client, path: str, *reasons: str) -> None:
    """The client reads its mail, soon, though the recorder at a path is no help; one line says why: one of these."""
    begin = time.monotonic()
    done = run_as(os.getuid(), client.ours, "allow", "--socket", path, *SH, USER="joe", TCPREMOTEIP=client.ip)

    assert time.monotonic() - begin < 15
    assert (done.returncode, client.heard()) == (7, b"ran\n")
    assert done.stderr.decode() in [f"relay: warning: login not recorded: {reason}\n" for reason in reasons]


def late(path: str) -> str:
    """What is said of a recorder that does not answer in time."""
    return f"unable to ask {path}: timed out"


def test_without_a_recorder_mail_is_read(clients: Clients, tmp_path: Path) -> None:
    """It was never started, or was killed, or something else is there."""
    missing, dead, file = (str(tmp_path / name) for name in ("missing", "dead", "file"))
    Path(file).touch()
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as gone:
        gone.bind(dead)
    reads_mail(clients.come(), missing, f"unable to ask {missing}: file does not exist")
    reads_mail(clients.come(), dead, f"unable to ask {dead}: connection refused")
    reads_mail(clients.come(), file, f"unable to ask {file}: connection refused")
    reads_mail(clients.come(), "/" + "x" * 200, f"unable to ask /{'x' * 200}: AF_UNIX path too long")


def test_the_program_has_the_limit_that_was_meant_for_it(tmp_path: Path) -> None:
    """softlimit -m of a run script is too little for us, and is laid on what reads mail."""
    script = 'ulimit -S -v 90000; exec "$@"'
    words = [ours("pyrelay"), "allow", "--socket", str(tmp_path / "none"), "sh", "-c", "ulimit -S -v"]

    assert subprocess.run(["sh", "-c", script, "sh", *words], check=True, capture_output=True).stdout == b"90000\n"


def test_a_recorder_that_hangs_keeps_nobody_waiting(clients: Clients) -> None:
    """Longer than a second."""
    with Recorder() as hanging:
        hanging.process.send_signal(signal.SIGSTOP)
        reads_mail(clients.come(), hanging.socket, late(hanging.socket))


@pytest.mark.parametrize("answer", [b"", b"X", b"\xff" * 5000])
def test_a_recorder_that_talks_nonsense_grants_nothing(answer: bytes, clients: Clients, tmp_path: Path) -> None:
    """Somebody else may listen there."""
    path = str(tmp_path / "s")
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as other:
        other.bind(path)
        other.listen()
        threading.Thread(target=lambda: answered(other, answer), daemon=True).start()
        client = clients.come()
        done = run_as(os.getuid(), client.ours, "allow", "--socket", path, *SH, USER="joe")

    assert (done.returncode, client.heard()) == (7, b"ran\n")
    assert done.stderr.startswith(f"relay: warning: login not recorded: unable to ask {path}: ".encode())
    assert done.stderr.count(b"\n") == 1


def answered(listener: socket.socket, answer: bytes) -> None:
    """Answer one."""
    with closing(listener.accept()[0]) as asked:
        asked.recv(1024)
        if answer:
            asked.send(answer)


@pytest.mark.parametrize("flaw", ["missing", "folder", "damaged"])
def test_a_ledger_that_fails_grants_nothing(flaw: str, clients: Clients, tmp_path: Path) -> None:
    """And keeps nobody from reading mail; the recorder says why (ops 15)."""
    store = tmp_path / "nowhere" / "db" if flaw == "missing" else tmp_path / "db"
    if flaw == "folder":
        store.mkdir()
    if flaw == "damaged":
        store.write_bytes(b"this is no database, and was never one\n" * 100)
    client = clients.come("127.0.0.1")
    with Recorder("--private", store=str(store)) as failing:
        reads_mail(client, failing.socket, "the ledger cannot be used")
        log = failing.wait_log(b"no grant to joe")

    assert log.count(b"\n") == 2
    assert log.startswith(b"relay: warning: unable to use %s: " % bytes(store))


def test_a_ledger_that_is_locked_keeps_nobody_waiting(clients: Clients) -> None:
    """Longer than a second, whoever holds it for how long (ops 15); on a busy machine the recorder may say so late."""
    with Recorder("--private") as recorder, closing(sqlite3.connect(recorder.store, isolation_level=None)) as other:
        other.execute("PRAGMA journal_mode=WAL")
        other.execute("BEGIN EXCLUSIVE")
        reads_mail(clients.come("127.0.0.1"), recorder.socket, "the ledger cannot be used", late(recorder.socket))
        log = recorder.wait_log(b"no grant to joe")

    assert re.search(rb"unable to use \S+: (database is locked|timed out)\n", log)


def test_a_server_that_hangs_keeps_nobody_waiting_for_half_a_second(clients: Clients, tmp_path: Path) -> None:
    """A login waits for a server as long as any other client; on a busy machine some may wait longer."""
    client = clients.come()

    def waited(asked: Recorder) -> float:
        since = time.monotonic()
        reply = asked.ask(Request(b"", b"joe", b"", 900), client.ours.fileno())
        assert reply == Reply(Standing.FAILED, "the ledger cannot be used")
        return time.monotonic() - since

    options = ("--private", "--ports", str(clients.port))
    with RedisServer(tmp_path) as redis, Recorder(*options, store=redis.url) as asked:
        redis.stop()
        until(lambda: waited(asked) < 0.45, "a login to be answered soon")
        asked.wait_log(b": timed out\n")


def test_a_recorder_stands_alone(recorder: Recorder, tmp_path: Path) -> None:
    """It takes no path over from another one, and no file's; one that was killed has left its socket behind."""

    def started(path: str) -> bytes:
        words = [ours("pyrelay"), "serve", "-s", str(tmp_path / "db"), "--socket", path]
        done = subprocess.run(words, check=False, capture_output=True, timeout=PATIENCE)
        assert done.returncode == 111
        return done.stderr

    assert started(recorder.socket) == f"relay: fatal: another server listens at {recorder.socket}\n".encode()
    file = tmp_path / "file"
    file.write_text("precious")
    assert started(str(file)) == f"relay: fatal: unable to listen at {file}: address already used\n".encode()
    assert file.read_text() == "precious"

    with Recorder() as killed:
        killed.process.kill()
        killed.process.wait(PATIENCE)
        assert Path(killed.socket).is_socket()
        killed.start()
        killed.process.terminate()
        assert killed.process.wait(PATIENCE) == 0
        assert not Path(killed.socket).exists()


def test_a_port_that_anybody_may_have_is_warned_of() -> None:
    """Then a socket proves nothing."""
    with Recorder("--ports", "11110,143") as warning:
        log = warning.wait_log(b"11110 here")

    assert log == b"relay: warning: any user may listen on port 11110 here, and then grant what he likes\n"


@pytest.mark.parametrize(
    ("options", "flaw"),
    [
        (("--trust", "no such user"), "--trust no user 'no such user', neither a name nor a number"),
        (("--ports", "110,"), "--ports must be numbers of ports with commas between them, not '110,'"),
        (("--ports", "65536"), "--ports must be numbers of ports with commas between them, not '65536'"),
        (("--refuse", "10.0.0"), "--refuse 10.0.0 is no address and no network"),
        (("--v6", "63"), "--v6 takes 64 or 128"),
    ],
)
def test_what_is_asked_wrongly(options: tuple[str, ...], flaw: str, tmp_path: Path) -> None:
    """Is said before anything begins."""
    words = [ours("pyrelay"), "serve", "-s", "db", "--socket", "socket", *options]
    done = subprocess.run(words, check=False, capture_output=True, timeout=PATIENCE, cwd=tmp_path)

    assert (done.returncode, done.stderr.decode().splitlines()[0]) == (100, f"relay: fatal: {flaw}")
