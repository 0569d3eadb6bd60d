"""Rules that say where they come from, in the log of the server that obeys them."""

import subprocess
from pathlib import Path

from tests.support.programs import ours
from tests.support.server import QUIET, Server


def test_the_log_names_the_line_of_the_rule(tmp_path: Path) -> None:
    """Under -v, for allowed and denied clients alike; a client without a rule has none."""
    source = tmp_path / "tcp.smtp"
    source.write_text('# a comment\n127.0.0.1:allow,A="1"\n127.0.0.2:deny\n')
    cdb = tmp_path / "rules.cdb"
    with source.open("rb") as text:
        subprocess.run([ours("pytcprules"), "--provenance", cdb, tmp_path / "tmp"], stdin=text, check=True)

    with Server(ours("pytcpserver"), ("-v", "-x", str(cdb), *QUIET), ("true",), tmp_path) as server:
        for source_ip in ("127.0.0.1", "127.0.0.2", "127.0.0.3"):
            server.talk(source=source_ip)
        log = server.wait_log(b" from 127.0.0.3\n")

    told = [line.rpartition(b"/")[2] for line in log.splitlines() if b": rule for " in line]
    assert [line.rpartition(b":")[2] for line in told] == [b"2", b"3"]
    assert log.count(b": rule for ") == 2
