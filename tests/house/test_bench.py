"""The measurement in its quick form: every row is measured and printed. Says nothing about how fast anything is."""

import json
import subprocess
import sys
from pathlib import Path

from tests.support.programs import need_root, theirs

_ROOT = Path(__file__).parents[2]

#: What a reader of the table looks for, in its order.
_FINDINGS = [
    "allowed",
    "spawn-limit",
    "banner-p99",
    "denied",
    "offered",
    "offered-p99",
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
]

_BESIDE_POSTFIX = ("gate-refused", "gate-message", "gate-lists-refused", "gate-lists-message")


def test_the_quick_form_measures_and_prints_every_row(tmp_path: Path) -> None:
    need_root()
    for program in ("tcpserver", "tcpsvd", "rbldnsd", "postfix", "cc"):
        theirs(program)
    file = tmp_path / "bench.json"
    command = [sys.executable, str(_ROOT / "bench" / "run.py"), "--quick", "--json", str(file)]

    done = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)

    assert done.returncode == 0, done.stdout + done.stderr
    document = json.loads(file.read_text())
    assert [row["name"] for row in document["rows"]] == _FINDINGS
    assert document["skipped"] == document["spoiled"] == {}
    assert all(row["work"] in done.stdout for row in document["rows"])
    assert all(row["tcpsvd"] for row in document["rows"] if row["name"] in ("allowed", "denied"))
    assert all(row["postfix"] for row in document["rows"] if row["name"] in _BESIDE_POSTFIX)


def test_a_row_can_be_measured_alone(tmp_path: Path) -> None:
    theirs("tcpserver")
    theirs("cc")
    file = tmp_path / "bench.json"
    command = [sys.executable, str(_ROOT / "bench" / "run.py"), "--quick", "--rows", "rules", "--json", str(file)]

    subprocess.run(command, capture_output=True, timeout=120, check=True)

    assert [row["name"] for row in json.loads(file.read_text())["rows"]] == ["rules"]
