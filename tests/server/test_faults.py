"""Faults that C does not survive, or survives badly: each one happens here for real."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Collection
from pathlib import Path

import pytest

from tests.support.ports import free_port
from tests.support.programs import need_root, ours, theirs
from tests.support.server import QUIET, Server, children, talk
from tests.support.waiting import until

pytestmark = pytest.mark.alone

SERVER = ours("pytcpserver")


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
    port = free_port()
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


def kill_all(server: Server, but: Collection[int] = ()) -> None:
    """Kill the workers and see them buried; ``but`` names children of the master that are none."""
    killed = set(workers(server)) - set(but)
    for worker in killed:
        os.kill(worker, signal.SIGKILL)
    until(lambda: not killed & set(workers(server)), "the dead to be buried")


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


class TestScarcity:
    """No descriptors, no processes, no room in the log."""

    def test_no_descriptors(self, tmp_path: Path) -> None:
        """C spins without a word; we rest, say so now and then, and serve the queue afterwards."""
        prlimit = theirs("prlimit")
        with Server(SERVER, ("-w1", *QUIET), ("echo", "hello"), tmp_path) as server:
            assert server.talk() == b"hello\n"
            worker = until(lambda: workers(server))[0]
            subprocess.run([prlimit, "--pid", str(worker), "--nofile=0:20000"], check=True)
            clients = [server.connect() for _ in range(20)]
            server.wait_log(b"warning: unable to accept: process cannot open more files\n")
            before = _cpu_seconds(worker)
            time.sleep(3)
            assert _cpu_seconds(worker) - before < 0.2
            assert len(server.log().splitlines()) <= 5

            subprocess.run([prlimit, "--pid", str(worker), "--nofile=20000:20000"], check=True)
            for client in clients:
                assert client.recv(100) == b"hello\n"
                client.close()

    def test_no_processes(self, tmp_path: Path) -> None:
        """The client is dropped with C's sentence; when there is room again the next one is served."""
        need_root()
        prlimit = theirs("prlimit")
        tmp_path.chmod(0o755)
        options = ("-v", "-w1", "-u", "54321", "-g", "54321", *QUIET)
        with Server(SERVER, options, ("echo", "hello"), tmp_path) as server:
            assert server.talk() == b"hello\n"
            worker = until(lambda: workers(server))[0]
            same_user = (theirs("setpriv"), "--reuid=54321", "--regid=54321", "--clear-groups")
            subprocess.run([*same_user, prlimit, "--pid", str(worker), "--nproc=1:1000"], check=True)
            assert server.talk() == b""
            server.wait_log(b"warning: dropping connection, unable to fork: temporary failure\n")
            before = _cpu_seconds(worker)
            for _ in range(3):
                assert server.talk() == b""
            assert _cpu_seconds(worker) - before < 0.5

            subprocess.run([*same_user, prlimit, "--pid", str(worker), "--nproc=1000:1000"], check=True)
            until(lambda: server.talk() == b"hello\n", "room for processes")

    def test_a_log_that_nobody_reads(self) -> None:
        """C stops after some hundred clients; we go on and say how many lines were lost."""
        command = [SERVER, "-1", "-v", "-w1", *QUIET, "127.0.0.1", "0", "true"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            assert process.stdout is not None
            assert process.stderr is not None
            port = int(process.stdout.readline())
            for _ in range(700):
                with socket.create_connection(("127.0.0.1", port), timeout=30) as client:
                    assert talk(client) == b""
            lines: list[bytes] = []
            while not any(b"log lines lost" in line for line in lines):
                lines.append(process.stderr.readline())
                if len(lines) % 100 == 0:
                    with socket.create_connection(("127.0.0.1", port), timeout=30) as client:
                        talk(client)
            process.terminate()
            rest = process.stderr.read()

        assert all(line.startswith(b"tcpserver: ") and line.endswith(b"\n") for line in lines)
        assert b"Traceback" not in rest

    @pytest.mark.parametrize("target", ["/dev/full", "a reader that is gone"])
    def test_a_log_that_fails(self, target: str, tmp_path: Path) -> None:
        """Nobody is lost for that."""
        if target == "/dev/full":
            stderr = os.open(target, os.O_WRONLY)
        else:
            gone, stderr = os.pipe()
            os.close(gone)
        command = [SERVER, "-1", "-v", *QUIET, "127.0.0.1", "0", "echo", "hello"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=stderr, cwd=tmp_path) as process:
            os.close(stderr)
            assert process.stdout is not None
            port = int(process.stdout.readline())
            for _ in range(20):
                with socket.create_connection(("127.0.0.1", port), timeout=30) as client:
                    assert talk(client) == b"hello\n"
            process.terminate()
            assert process.wait() == 0

    def test_the_log_is_not_made_non_blocking_for_the_programs(self, tmp_path: Path) -> None:
        """Our way to write without waiting is our own."""
        backend = ("sh", "-c", "grep flags /proc/self/fdinfo/2")
        command = [SERVER, "-1", *QUIET, "127.0.0.1", "0", *backend]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=tmp_path) as process:
            assert process.stdout is not None
            port = int(process.stdout.readline())
            with socket.create_connection(("127.0.0.1", port), timeout=30) as client:
                flags = int(talk(client).split()[1], 8)
            process.terminate()

        assert not flags & os.O_NONBLOCK


def _cpu_seconds(pid: int) -> float:
    """User and system time of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _memory(pid: int) -> int:
    """Bytes that a process has of its own."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Private_Dirty:"))


def _running(server: Server) -> bytes:
    """What the last status line says."""
    return server.log().rpartition(b"tcpserver: status: ")[2].partition(b"\n")[0]


class TestBadClients:
    """Clients that reset, half-close, or say nothing."""

    def test_a_reset_before_accept(self, tmp_path: Path) -> None:
        """The address is the one that accept gave; the next client is served."""
        with Server(SERVER, ("-v", *QUIET), ("echo", "hello"), tmp_path) as server:
            for _ in range(30):
                client = server.connect()
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
                client.close()
            assert server.talk() == b"hello\n"
            until(lambda: _running(server) == b"0/40" and server.log().count(b": end ") == 31, "the end of all")
            log = server.log()
        assert log.count(b" from 127.0.0.1\n") == 31
        assert b"Traceback" not in log

    def test_silent_clients_do_not_use_up_the_screen(self, tmp_path: Path) -> None:
        """A refused client that says nothing is left after -t seconds; meanwhile others are served."""
        env = {"PATH": os.environ["PATH"], "RBLSMTPD": "No"}
        with Server(SERVER, ("-c1", *QUIET), (ours("pyrblsmtpd"), "-t2", "true"), tmp_path, env=env) as server:
            clients = [server.connect() for _ in range(50)]
            for client in clients:
                assert client.recv(100) == b"220 rblsmtpd.local\r\n"
            for client in clients:
                assert client.recv(100) == b""
                client.close()

    def test_an_endless_line(self, tmp_path: Path) -> None:
        """C takes 277 MB in six seconds; we take 2,048 bytes."""
        env = {"PATH": os.environ["PATH"], "RBLSMTPD": "No"}
        with Server(SERVER, ("-w1", *QUIET), (ours("pyrblsmtpd"), "true"), tmp_path, env=env) as server:
            worker = until(lambda: workers(server))[0]
            server.talk(b"x" * 100_000 + b"\nquit\n")  # what the first client touches is not counted
            before = _memory(worker)
            with server.connect() as client:
                assert client.recv(100) == b"220 rblsmtpd.local\r\n"
                with pytest.raises(OSError, match=r"."):
                    for _ in range(1000):
                        client.sendall(b"x" * 65536)
            assert _memory(worker) - before < 2_000_000


#: The server as ever, but for a worker that SIGKILL meets when waitpid has just told it of a backend; once.
_KILLED_AT_THE_FIRST_BURIAL = """
import os, signal, sys
flag = sys.argv.pop(1)
master, wait = os.getpid(), os.waitpid
def waitpid(pid, options):
    told = wait(pid, options)
    if told[0] and os.getpid() != master and not os.path.exists(flag):
        open(flag, "w").close()
        os.kill(os.getpid(), signal.SIGKILL)
    return told
os.waitpid = waitpid
sys.argv[:1] = []
from ucspi_py.cli.tcpserver import main
main()
"""


class TestKilledAgainAndAgain:
    """The limit stays exact whatever is killed."""

    def test_hundreds_of_ends_at_once_and_then_sigterm(self, tmp_path: Path) -> None:
        """A worker that was stopped meanwhile reaps them all and still hears the SIGTERM."""
        with Server(SERVER, ("-v", "-c400", "-w1", *QUIET), ("cat",), tmp_path) as server:
            worker = until(lambda: workers(server))[0]
            clients = [server.connect() for _ in range(400)]
            until(lambda: len(children(worker)) == 400, "all backends")
            os.kill(worker, signal.SIGSTOP)
            backends = children(worker)
            for backend in backends:
                os.kill(backend, signal.SIGKILL)
            os.kill(worker, signal.SIGTERM)
            os.kill(worker, signal.SIGCONT)
            for client in clients:
                client.close()
            until(lambda: _running(server).startswith(b"0/"), "all to be reaped")
            assert server.stop() == 0
            assert b"Traceback" not in server.log()

    def test_rules_change_in_every_way_under_load(self, tmp_path: Path) -> None:
        """Replaced, truncated in place, emptied, filled with zeros, removed: nobody is let in by a bad file."""
        cdb = tmp_path / "rules.cdb"
        good = {}
        for rules in (b':allow,A="1"\n', b"127.:deny\n"):
            subprocess.run([theirs("tcprules"), cdb, tmp_path / "tmp"], input=rules, check=True)
            good[rules] = cdb.read_bytes()
        allow, deny = good.values()
        with Server(SERVER, ("-x", str(cdb), *QUIET), ("echo", "in"), tmp_path) as server:
            for content, told in (
                (allow, b"in\n"),
                (deny, b""),
                (allow[:100], b""),
                (allow, b"in\n"),
                (b"", b""),
                (bytes(len(allow)), b""),
                (allow, b"in\n"),
                (b"\xff" * 2048 + allow[2048:], b""),
                (None, b""),
                (allow, b"in\n"),
            ):
                if content is None:
                    cdb.unlink()
                else:
                    cdb.write_bytes(content)
                assert [server.talk() for _ in range(6)] == [told] * 6
            assert server.process.poll() is None

    def test_all_workers_killed_in_a_loop(self, tmp_path: Path) -> None:
        """Each time new ones serve; no slot leaks, and the backends live on."""
        with Server(SERVER, ("-v", "-c3", "-w2", *QUIET), ("cat",), tmp_path) as server:
            with server.connect() as client:
                client.sendall(b"x")
                assert client.recv(1) == b"x"
                backend = until(lambda: [pid for worker in workers(server) for pid in children(worker)])[0]
                for _ in range(4):
                    kill_all(server, but={backend})
                    assert server.talk(b"y") == b"y"
                client.sendall(b"z")
                assert client.recv(1) == b"z"
            until(lambda: _running(server) == b"0/3", "no slot to be taken")
            clients = [server.connect() for _ in range(3)]
            for client in clients:
                client.sendall(b"x")
                assert client.recv(1) == b"x"
                client.close()

    def test_workers_killed_while_they_start_backends(self, tmp_path: Path) -> None:
        """A worker that dies between claiming a slot and filling it leaves no slot behind."""
        with Server(SERVER, ("-v", "-c4", "-w2", *QUIET), ("true",), tmp_path) as server:
            for clients in range(10, 16):
                for _ in range(clients):
                    server.talk()
                kill_all(server)
            # The killed may have freed a slot and not said so: the lines of one more client tell the truth.
            until(lambda: server.talk() == b"" and _running(server) == b"0/4", "no slot to be taken")
            with contextlib.ExitStack() as stack:
                for _ in range(4):
                    stack.enter_context(server.connect())
            assert server.process.poll() is None
            assert server.talk() == b""

    def test_a_worker_killed_between_burying_a_backend_and_freeing_its_slot(self, tmp_path: Path) -> None:
        """The only slot is found free all the same, though nobody is left who could be told of that end."""
        before = (sys.executable, "-c", _KILLED_AT_THE_FIRST_BURIAL, str(tmp_path / "killed"))
        with Server("pytcpserver", ("-v", "-c1", "-w1", *QUIET), ("cat",), tmp_path, before=before) as server:
            assert server.talk(b"x") == b"x"
            server.wait_log(b"ended with status %d, starting another" % signal.SIGKILL)
            assert server.talk(b"y") == b"y"


def test_room_for_held_clients_is_ours_alone(tmp_path: Path) -> None:
    """With a soft limit of 64 open files 100 clients are held all the same, and the programs keep their 64."""
    cdb = tmp_path / "rules.cdb"
    rules = b'127.0.0.9:allow,RBLSMTPD="No"\n:allow\n'
    subprocess.run([theirs("tcprules"), cdb, tmp_path / "tmp"], input=rules, check=True)
    few = ("sh", "-c", 'ulimit -S -n 64; exec "$@"', "sh")
    backend = (ours("pyrblsmtpd"), "sh", "-c", "ulimit -S -n")
    with (
        Server(SERVER, ("-w1", "-x", str(cdb), *QUIET), backend, tmp_path, before=few) as server,
        contextlib.ExitStack() as held,
    ):
        for _ in range(100):
            client = held.enter_context(server.connect("127.0.0.9"))
            assert client.recv(100) == b"220 rblsmtpd.local\r\n"
        for _ in range(3):
            assert server.talk() == b"64\n"
