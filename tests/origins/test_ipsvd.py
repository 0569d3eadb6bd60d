"""Instructions directories of ipsvd beside tcpsvd, which reads them anew for each client."""

import contextlib
import random
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

from tests.support.origins import Client, held_against, words
from tests.support.ports import free_port
from tests.support.programs import theirs
from tests.support.waiting import PATIENCE, until
from ucspi_py.core.importers.ipsvd import import_ipsvd
from ucspi_py.system.rules import directory as folders

_CLIENTS = [Client(ip) for ip in ("127.0.0.1", "127.0.1.1", "127.1.0.1", "127.1.1.1")]
_NAMES = words(
    "0 127 127. 127.0 127.1 127.0.0 127.1.1 127.0.0.1 127.1.0.1 127.0.0.01 127.0.0.0 128 example.org 000 a,b"
)
_CONTENTS = words("|# x|+RELAYCLIENT=|+X|C5|C0|nonsense|+X=y|+", "|")


@contextlib.contextmanager
def _tcpsvd(rules: Path) -> Iterator[int]:
    """The port of a tcpsvd that reads these rules and says yes to whom it lets in."""
    port = free_port()
    command = [theirs("tcpsvd"), "-C", "9", "-l", "x", "-i", str(rules), "127.0.0.1", str(port), "/bin/echo", "yes"]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    try:
        until(lambda: _is_answered(port), "tcpsvd listens")
        yield port
    finally:
        process.terminate()
        process.wait(PATIENCE)


def _is_answered(port: int) -> bool:
    with contextlib.suppress(ConnectionRefusedError):
        _is_let_in(port, "127.0.0.1")
        return True
    return False


def _is_let_in(port: int, source: str) -> bool:
    with socket.create_connection(("127.0.0.1", port), PATIENCE, source_address=(source, 0)) as client:
        return client.recv(9) == b"yes\n"


def _write(draw: random.Random, rules: Path) -> None:
    shutil.rmtree(rules)
    rules.mkdir()
    for name in draw.sample(_NAMES, draw.randint(1, 5)):
        (rules / name).write_text(draw.choice(_CONTENTS) + "\n")
        (rules / name).chmod(draw.choice((0o644, 0o644, 0o400, 0o000, 0o200, 0o100, 0o700)))


def test_nobody_gets_in_whom_ipsvd_keeps_out(tmp_path: Path) -> None:
    """Of random directories, clients get what tcpsvd gives them, or are denied and it is named why."""
    draw = random.Random(1)
    rules = tmp_path / "rules"
    rules.mkdir()
    with _tcpsvd(rules) as port:
        for _ in range(40):
            _write(draw, rules)
            files = folders.files(str(rules))
            allowed = [_is_let_in(port, client.ip) for client in _CLIENTS]
            held_against(import_ipsvd(files), _CLIENTS, allowed, files)
