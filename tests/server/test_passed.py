"""Several ports in one service, and sockets that somebody else has opened."""

import os
import socket
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.support.passing import Holder
from tests.support.ports import free_port
from tests.support.programs import ours, theirs
from tests.support.server import QUIET, Server, talk
from tests.support.waiting import PATIENCE, until

SERVER = ours("pytcpserver")
#: Says to which end its client came, and all that it has of a supervisor's.
BACKEND = ("sh", "-c", "echo $TCPLOCALIP $TCPLOCALPORT; env | grep -E 'LISTEN|NOTIFY|WATCHDOG'; ls /proc/self/fd")


def _told(said: bytes) -> list[bytes]:
    return said.split()


def _refused(argv: Sequence[str], env: dict[str, str] | None = None, pass_fds: Sequence[int] = ()) -> tuple[int, bytes]:
    """The exit code and the line of a server that does not start."""
    done = subprocess.run(
        [SERVER, *QUIET, *argv],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=PATIENCE,
        check=False,
        pass_fds=pass_fds,
        env=os.environ | (env or {}),
    )
    return done.returncode, done.stderr


def test_one_service_listens_on_several_ports(tmp_path: Path) -> None:
    """Its limit holds for all of them; each program knows to which its client has come."""
    other, third = free_port("127.0.0.2"), free_port()
    options = (*QUIET, "-c2", "-w2", "--also", f"127.0.0.2:{other}", "--also", f"[::1]:{third}")
    with Server(SERVER, options, BACKEND, tmp_path) as server:
        assert _told(server.talk())[:2] == [b"127.0.0.1", b"%d" % server.port]
        for ip, port in (("127.0.0.2", other), ("::1", third)):
            with socket.create_connection((ip, port), timeout=PATIENCE) as client:
                assert _told(talk(client))[:2] == [ip.encode(), b"%d" % port]

        server.stop()
        for ip, port in (("127.0.0.2", other), ("::1", third)):
            with pytest.raises(ConnectionRefusedError):
                socket.create_connection((ip, port), timeout=PATIENCE)


def test_no_room_for_the_clients_of_one_port_is_none_for_those_of_another(tmp_path: Path) -> None:
    """They wait in their queues, and all are served in the end."""
    other = free_port("127.0.0.2")
    options = (*QUIET, "-c1", "-v", "--also", f"127.0.0.2:{other}")
    with Server(SERVER, options, ("cat",), tmp_path) as server, server.connect() as first:
        server.wait_log(b" ok ")
        with server.connect() as second, socket.create_connection(("127.0.0.2", other), timeout=PATIENCE) as third:
            second.sendall(b"second")
            third.sendall(b"third")
            assert talk(first, b"first") == b"first"
            second.shutdown(socket.SHUT_WR)
            third.shutdown(socket.SHUT_WR)
            assert second.recv(100) == b"second"
            assert third.recv(100) == b"third"


@pytest.mark.parametrize("word", ["25", ":25", "127.0.0.1:"])
def test_also_is_a_host_and_a_port(word: str) -> None:
    """Each has one."""
    code, said = _refused(["--also", word, "127.0.0.1", "0", "true"])

    assert code == 100
    assert b"--also must be HOST:PORT" in said


def test_sockets_of_systemd_are_served(tmp_path: Path) -> None:
    """All that are passed, whatever a start would have to do for them; programs hear nothing of it."""
    with Holder(tmp_path, ("127.0.0.1", "127.0.0.2"), ("smtp", "other")) as holder:
        holder.start([SERVER, *QUIET, "-", "-", *BACKEND])
        for place, one in enumerate(holder.sockets):
            ip, port = one.getsockname()
            assert _told(holder.talk(place)) == [ip.encode(), b"%d" % port, b"0", b"1", b"2", b"3"]


def test_sockets_are_known_by_their_names_and_ports(tmp_path: Path) -> None:
    """HOST PORT and --also name each of them."""
    with Holder(tmp_path, ("127.0.0.1", "127.0.0.2"), ("smtp", "other")) as holder:
        port = holder.sockets[0].getsockname()[1]
        holder.start([SERVER, *QUIET, "--also", f"127.0.0.1:{port}", "-", "other", *BACKEND])
        assert _told(holder.talk(0))[0] == b"127.0.0.1"
        assert _told(holder.talk(1))[0] == b"127.0.0.2"


def test_sockets_for_somebody_else_are_left_alone(tmp_path: Path) -> None:
    """LISTEN_PID tells whose they are; without any - is no host."""
    with Holder(tmp_path) as holder:
        process = holder.start([SERVER, *QUIET, "-", "-", *BACKEND], pid="1")
        assert process.wait(PATIENCE) == 111
        assert b"no socket was passed" in holder.log()


@pytest.mark.parametrize("host", ["0", "::"])
def test_a_socket_that_does_not_match_stops_the_start(host: str, tmp_path: Path) -> None:
    """The line names both."""
    with Holder(tmp_path) as holder:
        process = holder.start([SERVER, *QUIET, host, "0", *BACKEND])
        assert process.wait(PATIENCE) == 111
        assert b"none of the sockets that were passed is for " in holder.log()
        assert b": 127.0.0.1 %d\n" % holder.port in holder.log()


def test_a_restart_with_the_same_socket_loses_nobody_who_waits(tmp_path: Path) -> None:
    """Who comes while no server is there is served by the next one."""
    with Holder(tmp_path) as holder:
        command = [SERVER, *QUIET, "-", "-", *BACKEND]
        assert holder.stop(holder.start(command)) in (0, -15)
        with socket.create_connection(("127.0.0.1", holder.port), timeout=PATIENCE) as client:
            holder.start(command)
            assert _told(talk(client))[0] == b"127.0.0.1"


def test_systemds_own_program_passes_a_socket(tmp_path: Path) -> None:
    """systemd-socket-activate speaks the protocol of the manager; it waits for a client before it starts us."""
    port = free_port()
    program = theirs("systemd-socket-activate")
    with (
        (tmp_path / "log").open("wb") as log,
        subprocess.Popen(
            [program, "-l", f"127.0.0.1:{port}", SERVER, *QUIET, "-", str(port), *BACKEND],
            stdin=subprocess.DEVNULL,
            stderr=log,
        ) as process,
    ):
        try:
            assert _told(until(lambda: _said(port)))[:2] == [b"127.0.0.1", b"%d" % port]
        finally:
            process.terminate()


def _said(port: int) -> bytes:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as client:
            return talk(client)
    except ConnectionRefusedError:
        return b""


@pytest.mark.parametrize("number", [0, 7])
def test_a_descriptor_is_served(number: int, tmp_path: Path) -> None:
    """Whichever number it has, standard input's, too."""
    moved = ["sh", "-c", f'exec {number}<&3 3<&-; exec "$@"', "sh"]
    with Holder(tmp_path) as holder:
        holder.start([*moved, SERVER, *QUIET, "--listen-fd", str(number), "-", "-", *BACKEND], pid="1")
        assert _told(holder.talk())[2:] == [b"0", b"1", b"2", b"3"]


@pytest.mark.parametrize(
    ("kind", "reason"),
    [("file", "socket operation on|not a socket"), ("datagram", "no listening TCP"), ("unbound", "no listening TCP")],
)
def test_a_descriptor_that_does_not_listen_stops_the_start(kind: str, reason: str) -> None:
    """Nobody would come."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM if kind == "datagram" else socket.SOCK_STREAM) as held:
        fd = held.fileno()
        with open(os.devnull, "rb") as null:
            fd = null.fileno() if kind == "file" else fd
            code, said = _refused(["--listen-fd", str(fd), "-", "-", "true"], pass_fds=[fd])
    assert code == 111
    assert any(word.encode() in said for word in reason.split("|"))


def test_a_socket_of_a_path_stops_the_start(tmp_path: Path) -> None:
    """Its clients have no address."""
    with socket.socket(socket.AF_UNIX) as held:
        held.bind(str(tmp_path / "socket"))
        held.listen()
        code, said = _refused(["--listen-fd", str(held.fileno()), "-", "-", "true"], pass_fds=[held.fileno()])
    assert (code, b"no listening TCP socket" in said) == (111, True)


def test_a_descriptor_that_is_closed_stops_the_start() -> None:
    """The line says so."""
    code, said = _refused(["--listen-fd", "9", "-", "-", "true"])
    assert (code, b"unable to listen on descriptor 9: file descriptor not open" in said) == (111, True)
