"""All that milters can ever need is imported before root is given up."""

from pathlib import Path

import pytest

from tests.server.test_late_imports import imported, serving
from tests.support.gate import MAIL, RCPT, controls, gate_words
from tests.support.gate_room import OBLIGING, SHELL
from tests.support.milter import CONTINUE, optneg, scripted_milter
from tests.support.server import QUIET
from tests.support.smtp_client import Client, Content
from ucspi_py.core.milter.packet import packed

MESSAGE = Content(b"Subject: x\r\n\r\n" + (b"x" * 998 + b"\r\n") * 140 + b".\r\n")
BACKEND = ("sh", "-c", SHELL + OBLIGING)
PARAMETERS = (
    "milter_default_action=accept",
    "milter_header_checks=regexp:{folder}/checks inline:{{a=IGNORE}}",
    "smtpd_milter_maps=cidr:{folder}/milters",
)
CHANGES = packed(b"h", b"X-Seen\0yes\0") + packed(b"b", b"body\r\n" * 9) + packed(b"+", b"<two@example.org>\0")


@pytest.mark.parametrize("checks", [(), ("body_checks=inline:{x=DUNNO}",)], ids=["alone", "behind checks"])
def test_a_worker_with_milters_imports_nothing(checks: tuple[str, ...], tmp_path: Path) -> None:
    """By address, name and path; of those that look on, change a large message, say nonsense, and are not there."""
    (tmp_path / "checks").write_text("/^X-Seen: (.*)/ REPLACE X-Other: $1\n")
    with scripted_milter() as looks_on, scripted_milter(tmp_path / "milter") as changes, scripted_milter() as nonsense:
        (tmp_path / "milter").chmod(0o777)
        looks_on.says[b"O"] = optneg(actions=0)
        changes.says[b"E"] = CHANGES + CONTINUE
        nonsense.says[b"M"] = packed(b"?")
        (tmp_path / "milters").write_text(f"127.0.0.2 {looks_on.service}\n")
        port = looks_on.service.rpartition(":")[2]
        milters = (looks_on.service, changes.service, nonsense.service, f"inet:localhost:{port}", "unix:/no/file")
        parameters = [f"smtpd_milters={', '.join(milters)}", *(one.format(folder=tmp_path) for one in PARAMETERS)]
        gate = gate_words(controls(tmp_path / "control"), (*parameters, *checks))
        with serving((*QUIET, "-w1"), (*gate, *BACKEND), tmp_path, DNSCACHEIP="127.0.0.1", OUT="/dev/null") as server:
            server.host = "127.0.0.1"
            for source in ("127.0.0.1", "127.0.0.2", "127.0.0.1"):
                with Client(server.connect(source)) as client:
                    client.reply()
                    said = client.converse([b"EHLO x", MAIL, RCPT, b"NONSENSE", b"DATA", MESSAGE, b"QUIT"])
                assert said[-2] == b"250 queued"
            server.wait_log(b"unix:/no/file: file does not exist")

    assert b"E" in changes.commands
    assert imported(tmp_path) == []
