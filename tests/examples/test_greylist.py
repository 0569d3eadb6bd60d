"""examples/greylist: two zones and a greylist in one service, as it stands but for its paths and a shorter delay."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import nameserver
from tests.support.field import FieldHost, field_host
from tests.support.programs import need_root
from tests.support.waiting import PATIENCE, until

EXAMPLE = Path(__file__).parents[2] / "examples/greylist"

LISTED = {
    f"{front}.{zone} {kind}": [says]
    for front, zone in (("3.0.0.127", "zen.spamhaus.org"), ("4.0.0.127", "bl.spamcop.net"))
    for kind, says in (("A", "127.0.0.2"), ("TXT", f"Listed by {zone}"))
}


@pytest.fixture
def host(tmp_path: Path) -> Iterator[FieldHost]:
    """A mail host with the example running on it."""
    need_root()
    with nameserver.running(LISTED, tmp_path) as dns, field_host({"DNSCACHEIP": dns}) as made:
        store = made.folder / "greylist"
        store.mkdir(mode=0o700)
        shutil.chown(store, "nobody")
        run = made.install(EXAMPLE, "service/smtpd") / "run"
        text = run.read_text()
        assert "/var/lib/greylist/db" in text
        assert " -d 300 " in text
        run.write_text(text.replace("/var/lib/greylist", str(store)).replace(" -d 300 ", " -d 1 "))
        with subprocess.Popen(
            [run], env=made.environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL
        ) as server:
            try:
                until(made.listening, "the service")
                yield made
            finally:
                server.terminate()
                server.wait(PATIENCE)


def test_zones_first_then_the_greylist(host: FieldHost) -> None:
    """Who is listed anywhere hears of that; who comes for the first time has to come again; who may relay never."""
    assert host.answer("127.0.0.3", "you@ours.example") == (451, b"Listed by zen.spamhaus.org")
    assert host.answer("127.0.0.4", "you@ours.example") == (451, b"Listed by bl.spamcop.net")
    assert host.answer("127.0.0.1", "friend@elsewhere.example")[0] == 250
    first = host.answer("127.0.0.2", "you@ours.example")
    assert first[0] == 451
    assert first[1].startswith(b"Greylisted, try again in 1 second")
    until(lambda: host.answer("127.0.0.2", "you@ours.example")[0] == 250, "the second visit to be let in")
