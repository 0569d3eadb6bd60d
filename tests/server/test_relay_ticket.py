"""--relay-key: a program behind the server can show where its client is, and cannot say so itself."""

import os
import subprocess
import time
from pathlib import Path

import pytest

from tests.support.programs import ours
from tests.support.rules import cdb_of
from tests.support.server import QUIET, Server
from ucspi_py.core.ledger.recorder import ticket

KEY = bytes(range(32))


@pytest.fixture
def key(tmp_path: Path) -> Path:
    """A key's file, as serve and the server have it."""
    file = tmp_path / "key"
    file.write_bytes(KEY)
    file.chmod(0o400)
    return file


@pytest.mark.parametrize(("host", "address"), [("127.0.0.1", b"127.0.0.5"), ("::1", b"::1")])
def test_each_client_has_a_ticket_of_its_own(host: str, address: bytes, key: Path, tmp_path: Path) -> None:
    """Of its address, our port and now; neither the server's environment nor a rule has a word in it."""
    rules = cdb_of(b':allow,RELAYTICKET="forged",TCPREMOTEIP="192.0.2.66",TCPLOCALPORT="995"\n'.decode(), tmp_path)
    environment = {**os.environ, "RELAYTICKET": "inherited"}
    words = ("-x", rules, "--relay-key", str(key), *QUIET)
    with Server(
        ours("pytcpserver"), words, ("printenv", "RELAYTICKET"), tmp_path, host=host, env=environment
    ) as server:
        shown = server.talk(source="127.0.0.5").strip()

    assert ticket.place_of(KEY, shown, int(time.time())) == ticket.Place(address, server.port)


def test_without_a_key_there_is_no_ticket(tmp_path: Path) -> None:
    """What the server does not know it does not say."""
    with Server(ours("pytcpserver"), QUIET, ("sh", "-c", "echo ${RELAYTICKET-none}"), tmp_path) as server:
        assert server.talk() == b"none\n"


@pytest.mark.parametrize(
    ("content", "mode", "flaw"),
    [
        (KEY, 0o440, b"others than its owner may use KEY: chmod 400"),
        (KEY, 0o402, b"others than its owner may use KEY: chmod 400"),
        (KEY[:31], 0o400, b"KEY is no key of 32 to 4096 bytes: head -c 32 /dev/urandom"),
        (KEY * 200, 0o400, b"KEY is no key of 32 to 4096 bytes: head -c 32 /dev/urandom"),
    ],
)
def test_a_key_that_others_have_or_can_guess_is_none(content: bytes, mode: int, flaw: bytes, key: Path) -> None:
    """Then everybody could make tickets."""
    key.chmod(0o600)
    key.write_bytes(content)
    key.chmod(mode)

    done = _started(key)

    assert done.returncode == 100
    assert done.stderr.splitlines()[0] == b"tcpserver: fatal: " + flaw.replace(b"KEY", bytes(key))


def test_a_missing_key_is_a_failure(tmp_path: Path) -> None:
    """And no server without tickets."""
    done = _started(tmp_path / "none")

    assert done.returncode == 111
    assert done.stderr == b"tcpserver: fatal: unable to read %s: file does not exist\n" % bytes(tmp_path / "none")


def _started(key: Path) -> "subprocess.CompletedProcess[bytes]":
    words = [ours("pytcpserver"), *QUIET, "--relay-key", str(key), "127.0.0.1", "0", "true"]
    return subprocess.run(words, check=False, capture_output=True, timeout=30)
