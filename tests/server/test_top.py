"""Who is inside, as pyucspitop shows it: everybody once, for root and the server's user alone, at no client's cost."""

import fcntl
import os
import pty
import signal
import socket
import stat
import struct
import subprocess
import termios
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.programs import need_root, ours
from tests.support.proxying import CLIENT, LOCAL, block
from tests.support.server import QUIET, Server, children
from tests.support.topping import inside, top
from tests.support.waiting import PATIENCE, until
from ucspi_py.system.process.signals import readable

#: Says a line, and ends with the client.
PROGRAM = ("sh", "-c", "echo hello; exec cat >&2")


@contextmanager
def service(
    folder: Path, *options: str, program: tuple[str, ...] = PROGRAM, env: Mapping[str, str] | None = None
) -> Iterator[tuple[Server, Path]]:
    """A service, and the socket at which it says who is inside."""
    place = folder / "top"
    words = (*QUIET, "-v", "--top", str(place), *options)
    with Server(ours("pytcpserver"), words, program, folder, env=env) as server:
        yield server, place


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, Path]]:
    """One for all that look only."""
    with service(tmp_path_factory.mktemp("plain"), "-w2") as found:
        yield found


def test_a_client_is_shown_with_its_program_and_its_bytes_until_it_leaves(plain: tuple[Server, Path]) -> None:
    """Bytes are those of the kernel."""
    server, place = plain
    with server.connect() as client:
        client.sendall(b"four")
        assert client.recv(100) == b"hello\n"
        until(lambda: [one["bytes_received"] for one in top(place)["clients"]] == [4])
        (one,) = top(place)["clients"]
        assert (one["client"], one["port"], one["state"]) == ("127.0.0.1", client.getsockname()[1], "program")
        assert one["bytes_sent"] == len(b"hello\n")
        assert one["worker"] in children(server.process.pid)
        assert top(place)["slots"] == {"used": 1, "limit": 40}
    assert inside(place, 0) == []


def test_what_is_no_terminal_gets_plain_text_once(plain: tuple[Server, Path]) -> None:
    """A line for each client under the headings."""
    server, place = plain
    with server.connect() as client:
        client.recv(100)
        inside(place, 1)
        text = subprocess.run([ours("pyucspitop"), str(place)], capture_output=True, check=True).stdout.decode()
    lines = text.splitlines()
    assert lines[-2].split()[:4] == ["CLIENT", "NAME", "STATE", "SECONDS"]
    assert lines[-1].split()[:3] == ["127.0.0.1", "-", "program"]
    assert "\x1b" not in text


def test_the_socket_is_the_servers_alone(plain: tuple[Server, Path]) -> None:
    """Nobody else may open it."""
    _, place = plain
    assert stat.S_IMODE(place.stat().st_mode) == 0o600


def test_nobody_but_root_and_the_servers_user_has_an_answer(plain: tuple[Server, Path]) -> None:
    """Not even who has come by the path, as when somebody has opened it to all."""
    need_root()
    _, place = plain
    for folder in (place.parent, *place.parent.parents[:2]):
        folder.chmod(0o755)
    try:
        asked = [ours("pyucspitop"), str(place)]
        for mode, words in ((0o600, b"access denied"), (0o666, b"no answer")):
            place.chmod(mode)
            done = subprocess.run(asked, user=65534, group=65534, capture_output=True, check=False)
            assert done.returncode == 111
            assert words in done.stderr
    finally:
        place.chmod(0o600)


@pytest.mark.parametrize("number", [signal.SIGSTOP, signal.SIGKILL])
def test_the_client_of_a_worker_that_is_stopped_or_killed_is_shown(number: int, tmp_path: Path) -> None:
    """Once, as its program goes on."""
    with service(tmp_path, "-w1") as (server, place), server.connect() as client:
        client.recv(100)
        (one,) = inside(place, 1)
        os.kill(one["worker"], number)
        try:
            if number == signal.SIGKILL:
                until(lambda: one["worker"] not in children(server.process.pid))
            assert [again["program"] for again in inside(place, 1)] == [one["program"]]
        finally:
            if number == signal.SIGSTOP:
                os.kill(one["worker"], signal.SIGCONT)


def test_the_client_of_a_relieved_worker_is_shown_until_it_leaves(tmp_path: Path) -> None:
    """HUP: the new worker's clients are, too."""
    with service(tmp_path, "-w1") as (server, place):
        with server.connect() as old:
            old.recv(100)
            (one,) = inside(place, 1)
            server.process.send_signal(signal.SIGHUP)
            until(lambda: _other_worker(server, one["worker"]))
            with server.connect() as new:
                new.recv(100)
                first, second = inside(place, 2)
                assert (first["port"], first["worker"]) == (old.getsockname()[1], one["worker"])
                assert second["worker"] != one["worker"]
        assert inside(place, 0) == []


def test_after_a_restart_the_new_programs_clients_are_shown(tmp_path: Path) -> None:
    """USR2: those of the old one keep their slots, and the socket is the same."""
    with service(tmp_path, "-w1") as (server, place), server.connect() as old:
        old.recv(100)
        (one,) = inside(place, 1)
        server.process.send_signal(signal.SIGUSR2)
        until(lambda: one["worker"] not in children(server.process.pid), "the old worker's end")
        with server.connect() as new:
            new.recv(100)
            until(lambda: [one["port"] for one in top(place)["clients"]] == [new.getsockname()[1]])
            assert top(place)["slots"]["used"] == 2


def test_the_client_of_a_proxy_is_shown_and_its_check_is_not(tmp_path: Path) -> None:
    """With the address that the proxy says."""
    with (
        service(tmp_path, "-w1", "--proxy-from=127.0.0.1") as (server, place),
        server.connect() as check,
        server.connect() as client,
    ):
        for connected, header in ((check, LOCAL), (client, block())):
            connected.sendall(header)
            assert connected.recv(100) == b"hello\n"
        (one,) = inside(place, 1)
        assert (one["client"], one["port"]) == CLIENT


def _other_worker(server: Server, worker: int) -> bool:
    """Whether a worker serves beside an old one, which listens no more."""
    with server.connect() as client:
        client.recv(100)
        clients = top(Path(server.log_file.parent / "top"))["clients"]
        return any(one["worker"] != worker for one in clients if one["port"] == client.getsockname()[1])


def test_no_client_waits_for_the_process_that_tells_and_another_follows_it(tmp_path: Path) -> None:
    """Stopped, as with one who asks and never reads; killed."""
    with service(tmp_path, "-w1") as (server, place):
        asked = top(place)
        (teller,) = set(children(server.process.pid)) - {one for one in children(server.process.pid) if _serves(one)}
        os.kill(teller, signal.SIGSTOP)
        with server.connect() as client:
            assert client.recv(100) == b"hello\n"
        os.kill(teller, signal.SIGKILL)
        server.wait_log(b"top: process %d ended" % teller)
        assert top(place)["master"] == asked["master"]


def _serves(process: int) -> bool:
    """Whether a process has the service's own socket, as a worker has."""
    listening = Path("/proc/net/tcp").read_text()
    inodes = {line.split()[9] for line in listening.splitlines()[1:] if line.split()[3] == "0A"}
    links = (os.readlink(fd) for fd in Path(f"/proc/{process}/fd").iterdir())
    return any(link == f"socket:[{inode}]" for link in links for inode in inodes)


def test_the_zone_is_named_that_is_waited_for(tmp_path: Path) -> None:
    """A name server that says nothing."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        at = f"127.0.0.1@{silent.getsockname()[1]}"
        screen = (ours("pyrblsmtpd"), "-t60", "-rquiet.example", *PROGRAM)
        env = {**os.environ, "DNSCACHEIP": at}
        with service(tmp_path, "-w1", program=screen, env=env) as (server, place), server.connect():
            until(lambda: [one["waits_for"] for one in top(place)["clients"]] == ["quiet.example"])
            (one,) = inside(place, 1)
            assert (one["state"], one["program"], one["bytes_received"]) == ("screen", None, 0)
            assert top(place)["zones"][0]["zone"] == "quiet.example"
            assert top(place)["held"]["used"] == 1


def test_on_a_terminal_it_is_shown_until_it_is_interrupted(plain: tuple[Server, Path]) -> None:
    """With rich: in its place, and the terminal is as it was."""
    server, place = plain
    screen, end = pty.openpty()
    fcntl.ioctl(end, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 100, 0, 0))
    env = {**os.environ, "TERM": "xterm"}
    with server.connect() as client:
        client.recv(100)
        inside(place, 1)
        shown = subprocess.Popen([ours("pyucspitop"), str(place)], stdin=end, stdout=end, stderr=end, env=env)
        os.close(end)
        try:
            said = bytearray()
            while b"program" not in said or b"slots 1/40" not in said:
                assert readable(PATIENCE, screen), bytes(said)
                said += os.read(screen, 65536)
            shown.send_signal(signal.SIGINT)
            while readable(PATIENCE, screen):
                try:
                    said += os.read(screen, 65536)
                except OSError:  # nobody has the other end any more
                    break
            assert shown.wait(PATIENCE) == 130
        finally:
            shown.kill()
            shown.wait(PATIENCE)
            os.close(screen)
    assert b"\x1b[?1049h" in said, bytes(said)
    assert said.rindex(b"\x1b[?1049l") > said.rindex(b"\x1b[?1049h")


def test_who_is_no_service_is_said(tmp_path: Path) -> None:
    """No socket, and one that ends the answer at once."""
    done = subprocess.run([ours("pyucspitop"), str(tmp_path / "none")], capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (
        111,
        f"ucspitop: fatal: unable to ask at {tmp_path}/none: file does not exist\n".encode(),
    )
