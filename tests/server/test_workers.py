"""Workers that die, hang or are relieved: the service goes on, and the limit stays exact."""

import contextlib
import fcntl
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.ports import free_port
from tests.support.programs import need_root, ours, theirs
from tests.support.server import QUIET, Server, children, talk
from tests.support.waiting import until

SERVER = ours("pytcpserver")

#: The server as ever, but for the first worker: SIGKILL meets it when the program runs and it does not know yet.
_KILLED_IN_A_START = """
import os, signal, sys
flag = sys.argv.pop(1)
spawn = os.posix_spawn
def posix_spawn(*words, **more):
    pid = spawn(*words, **more)
    if not os.path.exists(flag):
        open(flag, "w").close()
        os.kill(os.getpid(), signal.SIGKILL)
    return pid
os.posix_spawn = posix_spawn
sys.argv[:1] = []
from ucspi_py.cli.tcpserver import main
main()
"""


def replace_worker(server: Server) -> None:
    """Kill the only worker of a server and wait for another."""
    worker = until(lambda: _workers(server))[0]
    os.kill(worker, signal.SIGKILL)
    until(lambda: _workers(server) not in ([], [worker]), "another worker")


def _workers(server: Server) -> list[int]:
    """The children of the master that run its program."""
    master = Path(f"/proc/{server.process.pid}/exe").readlink()
    workers = []
    for pid in children(server.process.pid):
        with contextlib.suppress(OSError):
            if Path(f"/proc/{pid}/exe").readlink() == master:
                workers.append(pid)
    return workers


def test_daemons_that_programs_leave_behind_take_no_slot(tmp_path: Path) -> None:
    """After a worker's death its slots are free, whatever has come to the master."""
    theirs("setsid")
    pids = tmp_path / "pids"
    backend = ("sh", "-c", f"setsid sleep 60 >/dev/null 2>&1 & echo $! >> {pids}; echo hello")
    with Server(SERVER, ("-v", "-c2", "-w1", *QUIET), backend, tmp_path) as server:
        try:
            for _ in range(2):
                assert server.talk() == b"hello\n"
                replace_worker(server)
            assert server.talk() == b"hello\n"
            assert b"status: 2/2\n" not in server.log()
        finally:
            for pid in pids.read_text().split():
                os.kill(int(pid), signal.SIGKILL)


def test_a_worker_killed_in_a_start(tmp_path: Path) -> None:
    """The program that it had just started keeps the slot until it ends, and its end is told."""
    before = (sys.executable, "-c", _KILLED_IN_A_START, str(tmp_path / "killed"))
    with (
        Server("pytcpserver", ("-v", "-c1", "-w1", *QUIET), ("cat",), tmp_path, before=before) as server,
        server.connect() as first,
        server.connect() as second,
    ):
        server.wait_log(b"ended with status %d, starting another" % signal.SIGKILL)
        first.sendall(b"x")
        assert first.recv(1) == b"x"
        second.sendall(b"y")
        second.settimeout(0.3)
        with contextlib.suppress(TimeoutError):
            raise AssertionError(second.recv(1))
        first.close()
        server.wait_log(b"tcpserver: status: 0/1\ntcpserver: status: 1/1\n")
        second.settimeout(30)
        assert second.recv(1) == b"y"


def test_a_log_that_we_cannot_open_and_nobody_reads() -> None:
    """Without /proc, or under setuidgid the pipe of root's logger: its reader has stopped, everybody is served on."""
    need_root()
    without_proc = (theirs("unshare"), "-m", "sh", "-c", 'mount -t tmpfs none /proc && exec "$@"', "sh")
    command = (*without_proc, SERVER, "-1", "-v", "-w2", *QUIET, "127.0.0.1", "0", "true")
    unread, stderr = os.pipe()
    fcntl.fcntl(stderr, fcntl.F_SETPIPE_SZ, 4096)
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=stderr) as process:
        os.close(stderr)
        assert process.stdout is not None
        port = int(process.stdout.readline())
        for _ in range(120):
            with socket.create_connection(("127.0.0.1", port), timeout=30) as client:
                assert talk(client) == b""
        process.terminate()
        assert process.wait(30) == 0
    os.close(unread)


def test_a_stopped_worker_does_not_keep_the_port(tmp_path: Path) -> None:
    """SIGTERM ends the server all the same: what does not close the listener in time is killed for it."""
    with Server(SERVER, ("-w2", *QUIET), ("echo", "hello"), tmp_path) as server:
        stopped, *_ = until(lambda: _workers(server))
        os.kill(stopped, signal.SIGSTOP)
        assert server.stop() == 0
        with socket.create_server(("127.0.0.1", server.port)):
            pass  # the next server could listen now


def test_sigterm_lets_refused_clients_finish(tmp_path: Path) -> None:
    """The server is gone at once; whom it is talking to is answered to the end."""
    env = {"PATH": os.environ["PATH"], "RBLSMTPD": "No"}
    with (
        Server(SERVER, ("-w1", *QUIET), (ours("pyrblsmtpd"), "true"), tmp_path, env=env) as server,
        server.connect() as client,
    ):
        assert client.recv(100) == b"220 rblsmtpd.local\r\n"
        assert server.stop() == 0
        client.sendall(b"QUIT\r\n")
        assert client.recv(100) == b"221 rblsmtpd.local\r\n"
        assert client.recv(100) == b""


def test_nobody_leaves_while_no_successor_can_be_forked(tmp_path: Path) -> None:
    """SIGHUP without room for another process: clients are served all along, and relieved is who can be later."""
    need_root()
    tmp_path.chmod(0o755)
    prlimit, same_user = theirs("prlimit"), (theirs("setpriv"), "--reuid=54321", "--regid=54321", "--clear-groups")
    env = {"PATH": os.environ["PATH"], "RBLSMTPD": "No"}
    options = ("-w1", "-u", "54321", "-g", "54321", *QUIET)
    with Server(SERVER, options, (ours("pyrblsmtpd"), "true"), tmp_path, env=env) as server:
        worker = until(lambda: _workers(server))[0]
        with server.connect() as held:
            assert held.recv(100) == b"220 rblsmtpd.local\r\n"
            master = str(server.process.pid)
            subprocess.run([*same_user, prlimit, "--pid", master, "--nproc=1:1000"], check=True)
            server.process.send_signal(signal.SIGHUP)
            server.wait_log(b"warning: unable to fork a worker: temporary failure\n")
            with server.connect() as client:
                assert client.recv(100) == b"220 rblsmtpd.local\r\n"
            assert _workers(server) == [worker]

            subprocess.run([*same_user, prlimit, "--pid", master, "--nproc=1000:1000"], check=True)
            held.sendall(b"QUIT\r\n")
            until(lambda: _workers(server) not in ([], [worker]), "a successor")
            until(lambda: worker not in _workers(server), "the old one to leave")


def test_more_descriptors_than_select_knows(tmp_path: Path) -> None:
    """Whoever started us has 1,100 open: we serve, are relieved, and end with 0."""
    many = (
        "import os, resource, sys; resource.setrlimit(resource.RLIMIT_NOFILE, (4096, 4096));"
        "[os.set_inheritable(os.dup(0), True) for _ in range(1100)]; os.execvp(sys.argv[1], sys.argv[1:])"
    )
    with Server(SERVER, ("-w1", *QUIET), ("echo", "hello"), tmp_path, before=(sys.executable, "-c", many)) as server:
        worker = until(lambda: _workers(server))[0]
        server.process.send_signal(signal.SIGHUP)
        until(lambda: worker not in _workers(server), "the old one to leave")
        assert server.talk() == b"hello\n"
        assert server.stop() == 0
        assert server.log() == b""


@pytest.mark.parametrize("program", ["tcpserver", "pytcpserver"])
@pytest.mark.parametrize("output", ["/dev/full", "a reader that is gone"])
def test_the_port_that_nobody_can_be_told(program: str, output: str) -> None:
    """-1 with a full or closed output: served all the same, as in C."""
    port = free_port()
    reader, stdout = os.pipe()
    os.close(reader)
    if output == "/dev/full":
        os.dup2(os.open(output, os.O_WRONLY), stdout)
    path = SERVER if program == "pytcpserver" else theirs(program)
    command = (path, "-1", *QUIET, "127.0.0.1", str(port), "echo", "hello")
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=stdout, stderr=subprocess.PIPE) as process:
        os.close(stdout)
        try:
            with until(lambda: _connected(port, process), "the server") as client:
                assert client.recv(100) == b"hello\n"
        finally:
            process.terminate()


def _connected(port: int, process: subprocess.Popen[bytes]) -> socket.socket | None:
    assert process.poll() is None, process.communicate()
    with contextlib.suppress(ConnectionRefusedError):
        return socket.create_connection(("127.0.0.1", port), timeout=30)
    return None
