"""The services of examples/postfix: each run script starts its own, and --check has nothing to say of a main.cf."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.support import nameserver
from tests.support.field import field_host, serving
from tests.support.gate import controls, without_ids
from tests.support.postfix_example import FOLDER
from tests.support.programs import need_root, ours

EXAMPLES = sorted(path.name for path in FOLDER.iterdir())
DNS = {
    "elsewhere.example MX": ["10 mx.elsewhere.example."],
    **nameserver.healthy("zen.spamhaus.org", "bl.spamcop.net"),
    **nameserver.lists("zen.spamhaus.org", "127.0.0.3"),
}


@pytest.mark.parametrize("example", EXAMPLES)
def test_a_check_has_nothing_to_say(example: str, tmp_path: Path) -> None:
    """No line of it is passed over or refused, on a host with its domain in rcpthosts and zones that are well."""
    control = controls(tmp_path / "control")
    words = [ours("pysmtpgate"), "--check", "-f", "main.cf", "-o", f"qmail_control={control}"]

    with nameserver.running(DNS, tmp_path) as dns:
        env = {"PATH": os.environ["PATH"], "DNSCACHEIP": dns}
        done = subprocess.run(words, cwd=FOLDER / example, env=env, capture_output=True, text=True, check=False)

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize("example", EXAMPLES)
def test_the_run_script_serves(example: str, tmp_path: Path) -> None:
    """As it stands but for its paths and its own networks, since every client here is local."""
    need_root()
    with nameserver.running(DNS, tmp_path) as dns, field_host({"DNSCACHEIP": dns}) as host:
        control = host.folder / "qmail/control"
        (control / "rcpthosts").write_text("example.org\n")
        run = host.install(FOLDER / example, "service/smtpd") / "run"
        options = f"pysmtpgate -o qmail_control={control} -o mynetworks=127.0.0.8 "
        run.write_text(run.read_text().replace("pysmtpgate ", options))

        with serving(host, run):
            assert host.answer("127.0.0.5", "you@example.org")[0] == 250
            assert host.answer("127.0.0.5", "friend@elsewhere.example")[1].endswith(b"Relay access denied")
            assert host.answer("127.0.0.3", "you@example.org")[1].endswith(b"blocked using zen.spamhaus.org")
            assert host.answer("127.0.0.1", "friend@elsewhere.example")[0] == 250
            assert host.answer("127.0.0.8", "friend@elsewhere.example")[0] == 250

        assert b"smtpgate: NOQUEUE: reject: RCPT from " in without_ids((host.folder / "out").read_bytes())
        assert b"warning" not in without_ids((host.folder / "out").read_bytes())
