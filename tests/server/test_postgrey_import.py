"""pypostgrey --import: what Debian's postgrey has remembered, as db5.3_dump prints it."""

import os
import subprocess
from pathlib import Path

from tests.support import postgrey
from tests.support.programs import ours, theirs
from tests.support.pypostgrey import NEW, Postgrey
from tests.support.waiting import PATIENCE, until

_IDS = ("--user", str(os.getuid()), "--group", str(os.getgid()))
_ASKED = {
    "client_address": "192.0.2.7",
    "client_name": "mail.example.net",
    "sender": "prvs=0123456789=a+list@example.net",
    "recipient": "B@example.org",
}


def _import(dump: bytes, store: str, *options: str) -> tuple[int, str, str]:
    done = subprocess.run(
        [ours("pypostgrey"), "--import", "-", "-s", store, *_IDS, *options],
        input=dump,
        capture_output=True,
        check=False,
        timeout=PATIENCE,
    )
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def _dumped(folder: Path, *names: str) -> bytes:
    return b"".join(
        subprocess.run([theirs("db5.3_dump"), "-h", str(folder), "-p", name], capture_output=True, check=True).stdout
        for name in names
    )


def test_nobody_waits_again_who_has_waited_at_postgrey(tmp_path: Path) -> None:
    """From any address of its network; who is unknown there waits. An import may be made twice, of a running one."""
    with postgrey.Postgrey("--delay=1") as old:
        until(lambda: old.ask({**_ASKED, "instance": "1"}).startswith("PREPEND"), "the delay")
        old.ask({**_ASKED, "recipient": "c@example.org"})
        dump = _dumped(Path(old.path).parent, "postgrey.db", "postgrey_clients.db")
    store = str(tmp_path / "db")
    told = (0, "imported: triplets 2, clients 1; passed over: expired 0, hashed 0\n", "")
    with Postgrey("--delay=1", store=store) as server:
        assert server.ask(sender="a@example.net", recipient="d@example.org") == NEW
        assert [_import(dump, store, "--delay=1") for _ in range(2)] == [told, told]
        assert server.ask(sender="a@example.net", client_address="192.0.2.8") == b"DUNNO"


def test_what_cannot_be_taken_over_is_told(tmp_path: Path) -> None:
    """With its line, and what privacy has hidden."""
    dump = b"HEADER=END\n %s\n 1,2\n nobody\n 1,2\nDATA=END\n" % (b"0" * 40)
    assert _import(dump, str(tmp_path / "db")) == (
        1,
        "imported: triplets 0, clients 0; passed over: expired 0, hashed 1\n",
        "not imported: line 5 is about neither a triplet nor a client\n",
    )


def test_a_store_that_cannot_be_used_is_told() -> None:
    """With postgrey's exit code."""
    code, _, said = _import(b"HEADER=END\n 192.0.2.7\n 1,9999999999\nDATA=END\n", "/dev/null/db")
    assert (code, said[:36]) == (2, "ERROR: unable to use /dev/null/db: u")
