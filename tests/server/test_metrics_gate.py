"""What a service shows of TLS, of logins, and of what its gate comes to."""

from base64 import b64encode
from pathlib import Path

from tests.support.backends.known import Scripted
from tests.support.certificates import Authority
from tests.support.gate import MAIL, RCPT, RELAY, gated
from tests.support.metrics import numbers, wait_for
from tests.support.programs import ours
from tests.support.saslauthd import Saslauthd
from tests.support.server import QUIET, Server
from tests.support.smtp_client import Content, Step
from tests.support.tls import shake_hands, trusting

FOREIGN = b"RCPT TO:<far@elsewhere.example>"


def test_the_gate_counts_what_it_refuses_and_takes(backend: Scripted, tmp_path: Path) -> None:
    """Of strangers and of who may relay."""
    place = tmp_path / "numbers"
    message: list[Step] = [b"EHLO c", MAIL, RCPT, b"DATA", Content(b"Subject: x\r\n\r\nbody\r\n.\r\n"), b"QUIT"]
    with gated(backend.argv, tmp_path, options=("--metrics", f"unix:{place}")) as gate:
        gate.converse([b"EHLO c", MAIL, FOREIGN, FOREIGN, b"QUIT"])
        gate.converse(message)
        gate.converse(message, source=RELAY)
        wait_for(place, 2, "program_exits_total", status="0")
        found = wait_for(place, 1, "decisions_total", decision="left")

    assert found("smtp_rejects_total", stage="RCPT", code="5xx") == 2
    assert found("smtp_messages_total", trust="none", result="taken") == 1
    assert found("smtp_messages_total", trust="rule", result="taken") == 1
    assert found("smtp_message_bytes_total") > 0
    assert found("decisions_total", decision="ok") == 2
    assert not [name for name, *_ in found.label_sets() if "tls" in str(name) or "auth" in str(name)]


def test_the_gate_counts_logins_and_handshakes(backend: Scripted, tmp_path: Path) -> None:
    """Those that go wrong, too."""
    place, pair = tmp_path / "numbers", Authority(tmp_path).pair("mx.example")
    with Saslauthd({"joe": "right"}) as daemon:
        parameters = (
            "smtpd_sasl_auth_enable=yes",
            "smtpd_tls_auth_only=no",
            "smtpd_sasl_type=saslauthd",
            f"smtpd_sasl_path={daemon.path}",
            "smtpd_tls_security_level=may",
            f"smtpd_tls_cert_file={pair.certificate}",
            f"smtpd_tls_key_file={pair.key}",
        )
        options = ("--metrics", f"unix:{place}")
        with gated(backend.argv, tmp_path, options=options, parameters=parameters) as gate:
            for password in ("right", "wrong"):
                gate.converse([b"EHLO c", b"AUTH PLAIN " + b64encode(f"\0joe\0{password}".encode()), b"QUIT"])
            with gate.connect() as plain:
                plain.recv(1000)
                plain.sendall(b"STARTTLS\r\n")
                plain.recv(1000)
                with shake_hands(trusting(tmp_path / "ca.pem"), plain) as secured:
                    secured.sendall(b"QUIT\r\n")
                    secured.recv(1000)
            gate.converse([b"STARTTLS", b"NOOP"])
            wait_for(place, 1, "tls_handshakes_total", version="none")
            found = numbers(place)

    assert found("tls_handshakes_total", version="TLSv1.3") == 1
    assert found("tls_handshake_seconds_count") == 2
    assert found("auth_total", method="PLAIN", result="yes") == 1
    assert found("auth_total", method="PLAIN", result="no") == 1


def test_handshakes_from_the_first_byte_are_counted(tmp_path: Path) -> None:
    """Of who speaks TLS, and of who does not and is lost by it."""
    place, authority = tmp_path / "numbers", Authority(tmp_path)
    pair = authority.pair("mx.example")
    words = (*QUIET, "--metrics", f"unix:{place}", "--tls", f"{pair.certificate}:{pair.key}")
    with Server(ours("pytcpserver"), words, ("true",), tmp_path) as server:
        server.talk(b"EHLO x\r\n")
        with shake_hands(trusting(authority.ca_file), server.connect()) as secured:
            secured.recv(1)
        wait_for(place, 1, "program_exits_total", status="0")
        found = wait_for(place, 1, "tls_handshakes_total", version="TLSv1.3")

    assert found("tls_handshakes_total", version="none") == 1
    assert found("decisions_total", decision="tls_error") == 1
    assert found("decisions_total", decision="ok") == 1
