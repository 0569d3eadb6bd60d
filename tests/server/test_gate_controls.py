"""A running gate whose control files go away."""

from pathlib import Path

from tests.support.gate import controls, gated
from tests.support.waiting import until


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
