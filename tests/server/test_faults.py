"""Faults that C does not survive, or survives badly: each one happens here for real."""

import contextlib
import os
import signal
import socket
import subprocess
from pathlib import Path

import pytest

from tests.support.programs import need_root, ours, theirs
from tests.support.server import QUIET, Server
from tests.support.waiting import until

SERVER = ours("pytcpserver")


def children(pid: int) -> list[int]:
    """The process ids of a process's children."""
    with contextlib.suppress(FileNotFoundError):
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return []


def refused(server: Server) -> bool:
    """Whether nobody listens any more."""
    try:
        server.connect().close()
    except ConnectionRefusedError:
        return True
    except OSError:
        pass
    return False


def workers(server: Server) -> list[int]:
    """The process ids of the workers of a server without clients."""
    return children(server.process.pid)


@pytest.mark.parametrize("closed", ["0", "1", "0 1", "2", "0 1 2", "0 2"])
def test_closed_standard_descriptors(closed: str, tmp_path: Path) -> None:
    """In C the listener becomes fd 0 and is closed as stdin."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    redirections = " ".join(f"{fd}<&-" for fd in closed.split())
    command = f'exec "$@" {redirections}'
    with subprocess.Popen(
        ["sh", "-c", command, "sh", SERVER, *QUIET, "127.0.0.1", str(port), "sh", "-c", "echo to 2 >&2; echo hello"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd=tmp_path,
    ) as process:
        try:
            client = until(lambda: _connected(port), "the server")
            with client:
                assert client.recv(100) == b"hello\n"
        finally:
            process.terminate()


def _connected(port: int) -> socket.socket | None:
    try:
        return socket.create_connection(("127.0.0.1", port), timeout=30)
    except ConnectionRefusedError:
        return None


def test_inherited_descriptors_are_not_passed_on(tmp_path: Path) -> None:
    """fd 77 of whoever started us stays ours."""
    before = ("sh", "-c", 'exec 7</dev/null; exec "$@"', "sh")
    backend = ("sh", "-c", "ls /proc/self/fd")
    with Server(SERVER, QUIET, backend, tmp_path, before=before) as server:
        assert server.talk().split() == [b"0", b"1", b"2", b"3"]


def test_sigterm_closes_the_door_and_leaves_the_backends(tmp_path: Path) -> None:
    """Exit 0, the port free at once for the next server, programs serving on."""
    with Server(SERVER, QUIET, ("cat",), tmp_path) as server, server.connect() as client:
        client.sendall(b"before\n")
        assert client.recv(100) == b"before\n"

        assert server.stop() == 0

        assert refused(server)
        with socket.create_server(("127.0.0.1", server.port)):
            pass  # the next server could listen now
        client.sendall(b"after\n")
        assert client.recv(100) == b"after\n"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signals_that_stop(number: int, tmp_path: Path) -> None:
    """SIGINT is SIGTERM."""
    with Server(SERVER, QUIET, ("cat",), tmp_path) as server:
        assert server.stop(number) == 0
        assert refused(server)


@pytest.mark.parametrize(
    "number", [signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2, signal.SIGALRM, signal.SIGPIPE, signal.SIGCONT]
)
def test_signals_that_do_not_stop(number: int, tmp_path: Path) -> None:
    """C dies of most of them."""
    with Server(SERVER, QUIET, ("echo", "hello"), tmp_path) as server:
        for _ in range(3):
            server.process.send_signal(number)
            assert server.talk() == b"hello\n"
        assert server.process.poll() is None


def test_a_killed_worker(tmp_path: Path) -> None:
    """Its backend lives on, its slot stays taken, the end is logged, the slot comes back, a new worker serves."""
    with Server(SERVER, ("-v", "-c2", "-w1", *QUIET), ("cat",), tmp_path) as server:
        worker = until(lambda: workers(server))[0]
        with server.connect() as first:
            first.sendall(b"x")
            assert first.recv(1) == b"x"
            backend = until(lambda: children(worker))[0]
            os.kill(worker, signal.SIGKILL)
            until(lambda: set(children(server.process.pid)) - {worker, backend}, "a new worker")

            with server.connect() as second, server.connect() as third:
                second.sendall(b"y")
                assert second.recv(1) == b"y"
                third.sendall(b"z")
                third.settimeout(0.5)
                with pytest.raises(TimeoutError):  # -c 2 is full, also with the orphan
                    third.recv(1)
                first.sendall(b"still here")
                assert first.recv(100) == b"still here"
                first.close()
                server.wait_log(b"tcpserver: end %d status 0\n" % backend)
                third.settimeout(30)
                assert third.recv(1) == b"z"


def test_a_killed_master(tmp_path: Path) -> None:
    """The workers stop listening at once; the backends live on."""
    with Server(SERVER, QUIET, ("cat",), tmp_path) as server, server.connect() as client:
        client.sendall(b"x")
        assert client.recv(1) == b"x"
        server.stop(signal.SIGKILL)

        until(lambda: refused(server), "the port to be free")
        client.sendall(b"y")
        assert client.recv(1) == b"y"


def test_the_limit_is_exact_over_the_workers(tmp_path: Path) -> None:
    """-c 3 with 2 workers: three are served, the fourth waits in the backlog until one leaves."""
    with Server(SERVER, ("-v", "-c3", "-w2", *QUIET), ("cat",), tmp_path) as server:
        served = []
        for _ in range(3):
            client = server.connect()
            client.sendall(b"x")
            assert client.recv(1) == b"x"
            served.append(client)
        with server.connect() as fourth:
            fourth.sendall(b"w")
            fourth.settimeout(0.5)
            with pytest.raises(TimeoutError):
                fourth.recv(1)
            assert b"status: 3/3\n" in server.log()
            assert b"status: 4/3\n" not in server.log()
            served.pop().close()
            fourth.settimeout(30)
            assert fourth.recv(1) == b"w"
        for client in served:
            client.close()


@pytest.mark.parametrize("name", ["-u", "-g"])
@pytest.mark.parametrize("value", ["no-such-name", "-5", "4294967296", "1x", ""])
def test_ids_that_are_none(name: str, value: str) -> None:
    """C takes all of them for 0 and stays root without a word."""
    done = subprocess.run([SERVER, name, value, "127.0.0.1", "0", "true"], capture_output=True, check=False)

    assert done.returncode == 100
    assert done.stderr.startswith(b"tcpserver: fatal: no ")


def test_a_user_without_a_group() -> None:
    """C keeps root's groups."""
    need_root()
    done = subprocess.run([SERVER, "-u", "nobody", "127.0.0.1", "0", "true"], capture_output=True, check=False)

    assert done.returncode == 100
    assert b"needs -g" in done.stderr


def test_names_for_user_and_group(tmp_path: Path) -> None:
    """-u and -g take names; the program has that user, that group and no other."""
    need_root()
    tmp_path.chmod(0o755)
    with Server(SERVER, ("-u", "nobody", "-g", "daemon", *QUIET), ("id",), tmp_path) as server:
        told = server.talk()

    assert told.startswith(b"uid=65534(nobody) gid=1(daemon) groups=1(daemon)")


@pytest.mark.parametrize("limit", ["0", "abc", "-1", "", "40k", "9" * 30])
def test_limits_that_are_none(limit: str) -> None:
    """C listens and never accepts anybody."""
    done = subprocess.run([SERVER, "-c", limit, "127.0.0.1", "0", "true"], capture_output=True, check=False)

    assert done.returncode == 100
    assert b"-c must be a number from 1 up" in done.stderr


def test_four_kilobytes_of_zeros_let_nobody_in(tmp_path: Path) -> None:
    """C takes them for rules that allow everyone."""
    (tmp_path / "rules.cdb").write_bytes(bytes(4096))
    with Server(SERVER, ("-x", str(tmp_path / "rules.cdb"), *QUIET), ("echo", "in"), tmp_path) as server:
        assert server.talk() == b""
        server.wait_log(b"warning: dropping connection, unable to read ", b"corrupt rules file")


def test_rules_are_reloaded_without_restart(tmp_path: Path) -> None:
    """The next connection sees the new rules."""
    cdb = tmp_path / "rules.cdb"

    def compile_rules(text: bytes) -> None:
        subprocess.run([theirs("tcprules"), cdb, tmp_path / "tmp"], input=text, check=True)

    compile_rules(b":deny\n")
    with Server(SERVER, ("-x", str(cdb), *QUIET), ("echo", "in"), tmp_path) as server:
        for rules, told in ((b":deny\n", b""), (b":allow\n", b"in\n"), (b":deny\n", b""), (b":allow\n", b"in\n")):
            compile_rules(rules)
            for _ in range(4):
                assert server.talk() == told


@pytest.mark.parametrize("limit", [5_000_000, 3_000_000])
def test_softlimit_in_front(limit: int, tmp_path: Path) -> None:
    """CPython starts all the same, and the program has the limits from its first instruction on."""
    backend = ("sh", "-c", 'ulimit -S -v; ulimit -S -d; echo "${UCSPI_PY_LAUNCH-no note}"')
    with Server(SERVER, QUIET, backend, tmp_path, before=(theirs("softlimit"), "-m", str(limit))) as server:
        for _ in range(5):
            assert server.talk() == b"%d\n%d\nno note\n" % (limit // 1024, limit // 1024)
