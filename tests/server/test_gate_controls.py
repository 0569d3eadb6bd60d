"""A running gate whose control files go away."""

import subprocess
from pathlib import Path

from tests.support.gate import controls, gate_words, gated
from tests.support.programs import ours
from tests.support.server import QUIET
from tests.support.waiting import PATIENCE, until


def test_a_client_is_told_when_our_name_is_gone(tmp_path: Path) -> None:
    """As qmail-smtpd tells it, so that it comes back; and it is greeted again as soon as the name is back."""
    with gated(("true",), tmp_path) as gate:

        def greeting() -> bytes:
            with gate.silent_client() as client:
                return client.reply()

        assert greeting() == b"220 mx.example.org ESMTP"
        controls(tmp_path / "control", me=None)
        until(lambda: greeting() == b"421 4.3.0 unable to read controls", "a refusal")
        gate.wait_log(b"dropping connection, myhostname is not set")
        controls(tmp_path / "control")
        until(lambda: greeting() == b"220 mx.example.org ESMTP", "a greeting")


def test_a_port_is_told_only_by_a_server_that_serves(tmp_path: Path) -> None:
    """Control files are looked at before -1 tells it: who has read it finds somebody there, whatever they say later."""
    control = controls(tmp_path / "control", me=None)
    words = [ours("pytcpserver"), "-1", *QUIET, "127.0.0.1", "0", *gate_words(control), "true"]
    done = subprocess.run(words, capture_output=True, timeout=PATIENCE, check=False)
    assert (done.returncode, done.stdout) == (100, b"")
