"""Who comes in to the whole service, and when: full, stopped, drained, out of descriptors."""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from tests.support.programs import ours, theirs
from tests.support.rules import cdb_of
from tests.support.server import QUIET, Server, children
from tests.support.waiting import until

SERVER = ours("pytcpserver")
GREETING = b"220 rblsmtpd.local\r\n"

#: Who is refused is talked to; the others have a program that says hello.
REFUSED = "127.0.0.9"
RULES = f'{REFUSED}:allow,RBLSMTPD="No"\n:allow\n'
SCREENED = (ours("pyrblsmtpd"), "-t", "20", "echo", "hello")


@contextmanager
def refused(server: Server, number: int) -> Iterator[list[socket.socket]]:
    """So many refused clients that are talked to, the one held longest first."""
    with ExitStack() as stack:
        clients = []
        for _ in range(number):
            clients.append(stack.enter_context(server.connect(REFUSED)))
            assert clients[-1].recv(100) == GREETING
        yield clients


def wake_ups(server: Server) -> int:
    """How often the workers have gone to sleep so far."""
    total = 0
    for worker in children(server.process.pid):
        status = Path(f"/proc/{worker}/status").read_text()
        total += int(status.partition("\nvoluntary_ctxt_switches:")[2].split()[0])
    return total


@pytest.mark.parametrize("options", [QUIET, (*QUIET, "--reserve", "1")], ids=["", "reserve"])
def test_a_full_server_sleeps(options: tuple[str, ...], tmp_path: Path) -> None:
    """With clients that wait there is a slow look each second for each worker, and nothing else."""
    with Server(SERVER, ("-c2", "-w2", *options), ("cat",), tmp_path) as server, ExitStack() as stack:
        for number in range(5):
            client = stack.enter_context(server.connect())
            client.sendall(b"x")
            if number < (1 if "--reserve" in options else 2):
                assert client.recv(1) == b"x"
        _let_it_come_to_rest(server)
        before = wake_ups(server)
        time.sleep(1)
        assert wake_ups(server) - before <= 8


def _let_it_come_to_rest(server: Server) -> None:
    last = -1

    def rests() -> bool:
        nonlocal last
        time.sleep(0.05)
        before, last = last, wake_ups(server)
        return before == last

    until(rests, "the workers to come to rest")


@contextmanager
def stopped(server: Server) -> Iterator[None]:
    """The master is stopped, and its workers have had the hundredth of a second that they take to see it."""
    try:
        _stop(server.process.pid)
        time.sleep(0.02)
        yield
    finally:
        server.process.send_signal(signal.SIGCONT)


def _stop(pid: int) -> None:
    """Stop a process, which may do something still when the signal was sent."""
    os.kill(pid, signal.SIGSTOP)
    stat = Path(f"/proc/{pid}/stat")
    until(lambda: stat.read_text().rpartition(") ")[2][0] == "T", "the process to stop")


class TestStopped:
    """svc -p: SIGSTOP to the master; svc -c: SIGCONT."""

    def test_nobody_is_served_until_the_master_goes_on(self, tmp_path: Path) -> None:
        """Who comes meanwhile waits in the listener's queue; the programs that run go on."""
        with Server(SERVER, QUIET, ("cat",), tmp_path) as server, server.connect() as before:
            before.sendall(b"x")
            assert before.recv(1) == b"x"
            with stopped(server), server.connect() as client:
                client.sendall(b"y")
                client.settimeout(0.3)
                with pytest.raises(TimeoutError):
                    client.recv(1)
                before.sendall(b"z")
                assert before.recv(1) == b"z"

                server.process.send_signal(signal.SIGCONT)
                client.settimeout(30)
                assert client.recv(1) == b"y"

    def test_a_stopped_server_sleeps(self, tmp_path: Path) -> None:
        """Nobody looks whether the master goes on before a client knocks."""
        with Server(SERVER, ("-w2", *QUIET), ("cat",), tmp_path) as server, stopped(server):
            _let_it_come_to_rest(server)
            before = wake_ups(server)
            time.sleep(0.5)
            assert wake_ups(server) == before


class TestDrain:
    """SIGHUP and SIGTERM while clients are inside."""

    def test_the_oldest_held_of_an_old_worker_leaves_for_a_client_of_the_new_one(self, tmp_path: Path) -> None:
        """All places are taken by refused clients of workers that take nobody any more."""
        options = ("-w2", "--held", "4", "-x", cdb_of(RULES, tmp_path), *QUIET)
        with Server(SERVER, options, SCREENED, tmp_path) as server, refused(server, 4) as held:
            old = set(children(server.process.pid))
            server.process.send_signal(signal.SIGHUP)
            until(lambda: len(set(children(server.process.pid)) - old) == 2, "new workers")
            assert server.talk() == b"hello\n"
            assert b"421 4.3.2" in held[0].recv(100)
            held[3].sendall(b"quit\r\n")
            assert held[3].recv(100).startswith(b"221 ")

    def test_a_held_client_is_talked_to_after_the_master_has_gone(self, tmp_path: Path) -> None:
        """Workers that have stopped listening are not killed: the master is told of that at once."""
        options = ("-x", cdb_of(RULES, tmp_path), *QUIET)
        with Server(SERVER, options, SCREENED, tmp_path) as server, refused(server, 1) as (client,):
            assert server.stop() == 0
            client.sendall(b"quit\r\n")
            assert client.recv(100).startswith(b"221 ")

    def test_clients_whose_program_cannot_be_started_keep_no_worker(self, tmp_path: Path) -> None:
        """Told to end while they are on their way, the worker drops them and ends."""
        with Server(SERVER, ("-w1", *QUIET), ("/no/such/program",), tmp_path) as server:
            worker = until(lambda: children(server.process.pid))[0]
            os.kill(worker, signal.SIGSTOP)
            clients = [server.connect() for _ in range(3)]
            os.kill(worker, signal.SIGTERM)
            os.kill(worker, signal.SIGCONT)
            until(lambda: worker not in children(server.process.pid), "the worker to end")
            for client in clients:
                client.close()

    @pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGUSR2, signal.SIGKILL])
    def test_who_waits_for_a_slot_gets_that_of_a_worker_that_is_gone(self, end: signal.Signals, tmp_path: Path) -> None:
        """No master keeps the scoreboard any more: it was stopped, or followed, or killed together with that worker."""
        options = ("-c2", "-w2", "--reserve", "1", "-v", *QUIET)
        with Server(SERVER, options, ("cat",), tmp_path) as server, server.connect() as first:
            first.sendall(b"x")
            assert first.recv(1) == b"x"
            server.wait_log(b"tcpserver: ok ")  # before that its worker does not know the program yet
            one, other = workers = until(lambda: (two := children(server.process.pid))[1:] and two)
            gone = one if children(one) else other
            _stop(gone)
            with server.connect() as second:
                until(lambda: _is_accepted(second), "the other worker to have the client")
                _end(server, end, gone)
                first.sendall(b"y")
                assert first.recv(1) == b"y"
                second.sendall(b"z")
                second.settimeout(1.5)
                with pytest.raises(TimeoutError):
                    second.recv(1)

                first.close()
                second.settimeout(30)
                assert second.recv(1) == b"z"
            until(lambda: not any(map(_runs, workers)), "the workers' end")


def _end(server: Server, number: signal.Signals, worker: int) -> None:
    """End the master, or have it followed, and see the end of one worker, which is stopped."""
    if number == signal.SIGKILL:
        os.kill(server.process.pid, number)
        os.kill(worker, number)
    else:
        os.kill(worker, signal.SIGCONT)
        os.kill(server.process.pid, number)
    until(lambda: not _runs(worker), "the worker's end")


def _runs(pid: int) -> bool:
    """Whether a process runs; of one that has ended and was not reaped there is no program."""
    return Path(f"/proc/{pid}/exe").exists()


def _is_accepted(client: socket.socket) -> bool:
    """Whether a process has the other end of a connection: until then its socket has no inode."""
    ends = [f":{end[1]:04X}" for end in (client.getpeername(), client.getsockname())]
    rows = map(str.split, Path("/proc/net/tcp").read_text().splitlines())
    return any([row[1][8:], row[2][8:]] == ends and row[9] != "0" for row in rows)


class TestDescriptors:
    """What is held never uses what is served."""

    def test_more_held_clients_than_descriptors(self, tmp_path: Path) -> None:
        """The hard limit caps --held, which is said at the start; good clients are served beside them."""
        few = (theirs("prlimit"), "--nofile=260:260")
        options = ("-w1", "-x", cdb_of(RULES, tmp_path), *QUIET)
        with Server(SERVER, options, SCREENED, tmp_path, before=few) as server, refused(server, 60) as held:
            server.wait_log(b"warning: the hard limit of open files allows --held 60, not 2000\n")
            assert server.talk() == b"hello\n"
            assert b"421 4.3.2" in held[0].recv(100)
            assert b"unable to accept" not in server.log()

    def test_no_descriptor_for_a_client_while_others_are_held(self, tmp_path: Path) -> None:
        """The oldest that is held leaves, and nothing needs to be said."""
        options = ("-w1", "-x", cdb_of(RULES, tmp_path), *QUIET)
        with Server(SERVER, options, SCREENED, tmp_path) as server, refused(server, 5) as held:
            worker = until(lambda: children(server.process.pid))[0]
            highest = max(int(fd) for fd in os.listdir(f"/proc/{worker}/fd"))
            subprocess.run([theirs("prlimit"), "--pid", str(worker), f"--nofile={highest + 1}:20000"], check=True)
            assert server.talk() == b"hello\n"
            assert b"421 4.3.2" in held[0].recv(100)
            assert b"unable to accept" not in server.log()
            for client in held[2:]:
                client.sendall(b"quit\r\n")
                assert client.recv(100).startswith(b"221 ")


def test_relay_clients_first_and_nobody_overtaken(tmp_path: Path) -> None:
    """A free slot of --reserve goes to a client that may relay, whoever stands before it."""
    rules = cdb_of('127.0.0.9:allow,RELAYCLIENT=""\n:allow\n', tmp_path)
    options = ("-c3", "--reserve", "1", "-w1", "-x", rules, *QUIET)
    with Server(SERVER, options, ("cat",), tmp_path) as server, ExitStack() as stack:
        taken = [stack.enter_context(server.connect()) for _ in range(2)]
        for client in taken:
            client.sendall(b"x")
            assert client.recv(1) == b"x"
        strangers = [stack.enter_context(server.connect()) for _ in range(2)]
        relay = stack.enter_context(server.connect("127.0.0.9"))
        for client in (*strangers, relay):
            client.sendall(b"y")
        assert relay.recv(1) == b"y"
        relay.close()
        taken[0].close()
        assert strangers[0].recv(1) == b"y"
        strangers[1].settimeout(0.2)
        with pytest.raises(TimeoutError):
            strangers[1].recv(1)
