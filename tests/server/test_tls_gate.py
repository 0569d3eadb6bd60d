"""A gate behind pytcpserver --tls: it speaks within TLS from its banner, and the program behind it is told so."""

import signal
import smtplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.backends.known import Scripted
from tests.support.certificates import Authority
from tests.support.gate import STRANGER, Gate, gated
from tests.support.server import children
from tests.support.smtp_client import Client
from tests.support.tls import shake_hands, trusting
from tests.support.waiting import until

SENDER, RECIPIENT = "s@example.net", "r@example.org"
BIG = "Subject: big\r\n\r\n" + ("x" * 70 + "\r\n") * 60_000


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("ca"))


@contextmanager
def secured(backend: Scripted, authority: Authority, folder: Path, **more: str) -> Iterator[Gate]:
    pair = authority.pair("mx.example.org")
    options = ("-v", "--tls", f"{pair.certificate}:{pair.key}")
    with gated(backend.argv, folder, options=options, variables={"SSL_PROTOCOL": "forged", **more}) as gate:
        yield gate


@pytest.fixture(scope="module")
def gate(backend: Scripted, authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gate]:
    with secured(backend, authority, tmp_path_factory.mktemp("gate")) as gate:
        yield gate


def _client(gate: Gate, authority: Authority) -> Client:
    return Client(shake_hands(trusting(authority.ca_file), gate.connect(STRANGER), "mx.example.org"))


@pytest.mark.parametrize("text", ["Subject: small\r\n\r\nsmall\r\n", BIG], ids=["small", "big"])
def test_a_message_comes_through_whole(backend: Scripted, gate: Gate, authority: Authority, text: str) -> None:
    runs = len(backend.visits())
    context = ssl.create_default_context(cafile=authority.ca_file)
    context.check_hostname = False
    with smtplib.SMTP_SSL("127.0.0.1", gate.port, context=context) as client:
        assert not client.has_extn("STARTTLS")
        assert client.sendmail(SENDER, [RECIPIENT], text) == {}
        assert not client.has_extn("STARTTLS")
    (visit,) = backend.since(runs)
    assert text.encode() in visit.input
    assert visit.environment[b"SSL_PROTOCOL"] == b"TLSv1.3"
    assert visit.environment[b"PROTO"] == b"TCP"


def test_who_says_all_and_leaves_unread_has_its_message_taken(
    backend: Scripted, gate: Gate, authority: Authority
) -> None:
    """Case 34: pipelined, without a look at any answer but the banner and EHLO's."""
    runs = len(backend.visits())
    with _client(gate, authority) as client:
        client.reply()
        client.converse([b"EHLO x"])
        client.socket.sendall(f"MAIL FROM:<{SENDER}>\r\nRCPT TO:<{RECIPIENT}>\r\nDATA\r\n".encode())
        client.reply()
        client.reply()
        client.reply()
        client.socket.sendall(BIG.encode() + b".\r\nQUIT\r\n")
    until(lambda: backend.since(runs) and b"\r\n.\r\n" in backend.since(runs)[0].input, "the message")
    assert BIG.encode() in backend.since(runs)[0].input


def test_a_transaction_outlives_a_relief(backend: Scripted, gate: Gate, authority: Authority) -> None:
    """Case 43."""
    runs = len(backend.visits())
    with _client(gate, authority) as client:
        client.reply()
        client.converse([b"EHLO x", f"MAIL FROM:<{SENDER}>".encode(), f"RCPT TO:<{RECIPIENT}>".encode()])
        before = set(children(gate.process.pid))
        gate.process.send_signal(signal.SIGHUP)
        until(lambda: set(children(gate.process.pid)) - before, "another worker")
        assert client.converse([b"DATA"])[0].startswith(b"354 ")
        client.socket.sendall(b"x\r\n.\r\n")
        assert client.reply().startswith(b"250 ")
    assert len(backend.since(runs)) == 1


def test_who_is_refused_by_a_screen_is_told_by_the_gate(
    backend: Scripted, authority: Authority, tmp_path: Path
) -> None:
    with (
        secured(backend, authority, tmp_path, RBLSMTPD="-go away") as gate,
        _client(gate, authority) as client,
    ):
        assert client.reply().startswith(b"220 ")
        said = client.converse([b"EHLO x", f"MAIL FROM:<{SENDER}>".encode(), f"RCPT TO:<{RECIPIENT}>".encode()])
        assert said[-1].startswith(b"5")
        assert b"go away" in said[-1]
