"""Who is inside, as pyucspitop shows it: everybody once, for root and the server's user alone, at no client's cost."""

import json
import stat
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.support.programs import ours
from tests.support.server import QUIET, Server, children
from tests.support.waiting import PATIENCE, until

#: Says a line, and ends with the client.
PROGRAM = ("sh", "-c", "echo hello; exec cat >&2")


@contextmanager
def service(folder: Path, *options: str, program: tuple[str, ...] = PROGRAM) -> Iterator[tuple[Server, Path]]:
    """A service, and the socket at which it says who is inside."""
    place = folder / "top"
    words = (*QUIET, "-v", "--top", str(place), *options)
    with Server(ours("pytcpserver"), words, program, folder) as server:
        yield server, place


def top(place: Path) -> dict[str, Any]:
    """What pyucspitop --json says."""
    asked = [ours("pyucspitop"), "--json", str(place)]
    done = subprocess.run(asked, capture_output=True, check=True, timeout=PATIENCE)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def inside(place: Path, number: int) -> list[dict[str, Any]]:
    """All clients, once there are so many."""
    until(lambda: len(top(place)["clients"]) == number)
    found: list[dict[str, Any]] = top(place)["clients"]
    return found


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
