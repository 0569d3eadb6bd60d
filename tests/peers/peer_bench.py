"""The measurement in its quick form: every row is measured and printed. Says nothing about how fast anything is."""

import json
import re
import subprocess
import sys
from pathlib import Path

from tests.support.programs import need_root, theirs

_RUN = str(Path(__file__).parents[2] / "bench" / "run.py")

#: What a reader of the table looks for, in its order.
_FINDINGS = [
    "allowed",
    "spawn-limit",
    "banner-p99",
    "denied",
    "offered",
    "offered-p99",
    "proxied-allowed",
    "proxied-denied",
    "metrics-allowed",
    "metrics-denied",
    "json-allowed",
    "json-denied",
    "rules",
    "memory",
    "memory-growth",
    "clean-warm",
    "clean-new",
    "listed",
    "silent-zone",
    "silent-zone-left",
    "burst-banner",
    "burst-listed",
    "held-memory",
    "held-banner",
    "gate-refused",
    "gate-refused-tcpserver",
    "gate-message",
    "gate-lists-refused",
    "gate-lists-message",
    "gate-large",
    "gate-large-memory",
    "gate-idle",
    "gate-idle-slots",
    "gate-busy",
    "gate-checks",
    "gate-checks-odd",
    "gate-logins",
    "gate-greylist-sqlite",
    "gate-greylist-redis",
    "gate-milter",
    "milter-added",
    "milter-large",
    "gate-rspamd",
    "policy-1",
    "policy-2",
    "ledger",
    "fleet",
    "fleet-work",
    "triplets-size",
    "triplets",
    "records-networks",
    "records-triplets",
    "summary",
    "tls-handshake",
    "tls-idle",
    "tls-large",
    "tls-stall",
    "tls-stall-keys",
]

_BESIDE_POSTFIX = ("gate-refused", "gate-message", "gate-lists-refused", "gate-lists-message")


#: How many of it run at once: most rows wait for something.
_PARTS = 4


def test_the_quick_form_measures_and_prints_every_row(tmp_path: Path) -> None:
    need_root()
    programs = ("tcpserver", "tcpsvd", "rbldnsd", "postfix", "cc", "nginx", "openssl", "postgrey", "db5.3_load")
    for program in (*programs, "redis-server", "rspamd"):
        theirs(program)

    parts = [begun(names, tmp_path / f"{names[0]}.json") for names in dealt(row_names())]
    try:
        told = [(process.communicate(timeout=240), process.returncode) for process in parts]
    finally:
        for process in parts:
            process.kill()

    assert [code for _, code in told] == [0] * _PARTS, told
    documents = [json.loads(file.read_text()) for file in sorted(tmp_path.iterdir())]
    assert all(document["skipped"] == document["spoiled"] == {} for document in documents)
    rows = [row for document in documents for row in document["rows"]]
    assert sorted(row["name"] for row in rows) == sorted(_FINDINGS)
    printed = "".join(output for (output, _), _ in told)
    assert all(row["work"] in printed for row in rows)
    assert all(row["tcpsvd"] for row in rows if row["name"] in ("allowed", "denied"))
    assert all(row["postfix"] for row in rows if row["name"] in _BESIDE_POSTFIX)


def row_names() -> list[str]:
    """What can be named after --rows, in the order of the table."""
    told = subprocess.run([sys.executable, _RUN, "--help"], capture_output=True, text=True, check=True).stdout
    return re.sub(r"\s", "", told).partition("someof")[2].partition("--")[0].split(",")


def dealt(names: list[str]) -> list[list[str]]:
    """Rows for each part, in turns: those that need the same are neighbours, and take as long."""
    return [names[number::_PARTS] for number in range(_PARTS)]


def begun(names: list[str], file: Path) -> "subprocess.Popen[str]":
    """The quick form of some rows, told to a file."""
    command = [sys.executable, _RUN, "--quick", "--rows", ",".join(names), "--json", str(file)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def test_a_row_can_be_measured_alone(tmp_path: Path) -> None:
    theirs("tcpserver")
    theirs("cc")
    file = tmp_path / "bench.json"
    command = [sys.executable, _RUN, "--quick", "--rows", "rules", "--json", str(file)]

    subprocess.run(command, capture_output=True, timeout=120, check=True)

    assert [row["name"] for row in json.loads(file.read_text())["rows"]] == ["rules"]
