"""Debian's HAProxy before pytcpserver --proxy-from: clients, its health checks, and whose headers both take."""

import os
import random
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from tests.fuzz_proxy import HONEST, header
from tests.support.certificates import Authority
from tests.support.gate import controls, gate_words
from tests.support.haproxy import HAProxy
from tests.support.programs import ours
from tests.support.server import QUIET, Server, talk
from tests.support.smtp_client import Client
from tests.support.tls import shake_hands, trusting
from tests.support.waiting import PATIENCE, until
from ucspi_py.core.client.proxy.header import Flaw, Header, More
from ucspi_py.core.client.proxy.parse import parse

CLIENT = "127.0.0.7"
OPTIONS = ("-v", "-w", "1", "--proxy-from=127.0.0.1", *QUIET)
#: Leaves a mark for each start, and speaks as much SMTP as a check does.
MARKING = """
exec 2>/dev/null
echo x >> "$MARKS"
echo 220 x
while read line; do case $line in QUIT*) echo 221 x; exit;; *) echo 250 x;; esac; done
"""
EVERY = "check inter 20ms fall 2 rise 1"


def environment(said: bytes) -> dict[str, str]:
    return dict(one.split("=", 1) for one in said.decode().splitlines() if "=" in one)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Says its environment, and what its client says."""
    with Server(ours("pytcpserver"), OPTIONS, ("sh", "-c", "env; cat"), tmp_path_factory.mktemp("server")) as server:
        yield server


@pytest.mark.parametrize("options", ["send-proxy", "send-proxy-v2", "send-proxy-v2 proxy-v2-options crc32c,unique-id"])
def test_a_client_of_haproxy_is_itself(options: str, server: Server, tmp_path: Path) -> None:
    """By both versions; with its unique id, where HAProxy sends it."""
    with HAProxy(tmp_path, server.port, options) as haproxy, haproxy.connect(CLIENT) as client:
        port = client.getsockname()[1]
        said = talk(client, b"hello\n")

    told = environment(said)
    assert said.endswith(b"\nhello\n")
    assert [told[f"TCP{name}"] for name in ("REMOTEIP", "REMOTEPORT", "LOCALIP", "LOCALPORT", "PROXYIP")] == [
        *(CLIENT, str(port)),
        *("127.0.0.1", str(haproxy.port), "127.0.0.1"),
    ]
    has_id = "unique-id" in options
    assert told.get("TCPPROXYID") == (f"7F000007:{port:X}_7F000001:{haproxy.port:X}" if has_id else None)


def test_the_tls_of_haproxy_is_told(server: Server, tmp_path: Path) -> None:
    """Its protocol and cipher, the name that the client has asked for, and that of its certificate."""
    authority = Authority(tmp_path)
    pair, client_pair = authority.pair("mx.example"), authority.pair("joe.example", common_name="Joe")
    pem = tmp_path / "both.pem"
    pem.write_bytes(Path(pair.certificate).read_bytes() + Path(pair.key).read_bytes())
    bind = f"ssl crt {pem} ca-file {authority.ca_file} verify optional"
    options = "send-proxy-v2 proxy-v2-options ssl,cert-cn,ssl-cipher,authority"
    with HAProxy(tmp_path, server.port, options, bind=bind) as haproxy:
        context = trusting(authority.ca_file, maximum_version=ssl.TLSVersion.TLSv1_2)
        context.load_cert_chain(client_pair.certificate, client_pair.key)
        with shake_hands(context, haproxy.connect(CLIENT), "mx.example") as client:
            chosen = client.cipher()
            client.sendall(b"hello\n")
            said = b""
            while not said.endswith(b"hello\n"):
                said += client.recv(65536)

    told = environment(said)
    assert chosen
    assert (told["SSL_PROTOCOL"], told["SSL_CIPHER"]) == ("TLSv1.2", chosen[0])
    assert (told["SSL_CLIENT_VERIFY"], told["SSL_PEER_CERT_CN"]) == ("SUCCESS", "Joe")
    assert told["SSL_TLS_SNI_SERVERNAME"] == "mx.example"
    assert told["TCPREMOTEIP"] == CLIENT


CHECKS = [
    ("send-proxy", "option smtpchk EHLO check.invalid"),
    ("send-proxy-v2", "option smtpchk EHLO check.invalid"),
    ("send-proxy-v2 proxy-v2-options crc32c,unique-id", "option smtpchk EHLO check.invalid"),
    ("send-proxy-v2", ""),
]


@pytest.mark.parametrize(("options", "check"), CHECKS)
def test_checks_are_green_and_quiet(options: str, check: str, tmp_path: Path) -> None:
    """They come every few milliseconds, and the log knows nothing of them, also where all connections are logged."""
    marks = tmp_path / "marks"
    marks.touch()
    env = {**os.environ, "MARKS": str(marks)}
    with ExitStack() as stack:
        server = stack.enter_context(Server(ours("pytcpserver"), OPTIONS, ("sh", "-c", MARKING), tmp_path, env=env))
        haproxy = stack.enter_context(HAProxy(tmp_path, server.port, f"{EVERY} {options}", backend=check))
        until(lambda: marks.stat().st_size >= 20, "ten checks")
        health, log = haproxy.health(), server.log()

    assert (health["status"], health["check_status"]) == ("UP", "L7OK" if check else "L4OK")
    assert (health["chkfail"], health["chkdown"]) == ("0", "0")
    assert log == b"tcpserver: status: 0/40\n"


def test_checks_of_a_gate_are_green_and_quiet(tmp_path: Path) -> None:
    """A client's session is in the log, and none of theirs."""
    words = gate_words(controls(tmp_path / "control"), ("smtpd_client_connection_count_limit=1",))
    with ExitStack() as stack:
        server = stack.enter_context(Server(ours("pytcpserver"), OPTIONS, (*words, "false"), tmp_path))
        check = "option smtpchk EHLO check.invalid"
        haproxy = stack.enter_context(HAProxy(tmp_path, server.port, f"{EVERY} send-proxy-v2", backend=check))
        until(lambda: haproxy.health()["check_status"] == "L7OK", "a check")
        with Client(haproxy.connect(CLIENT)) as client:
            assert client.reply().startswith(b"220 ")
            assert client.converse([b"EHLO x", b"QUIT"])[-1].startswith(b"221 ")
        log = server.wait_log(b"[127.0.0.7]")
        health = haproxy.health()

    assert (health["status"], health["chkfail"]) == ("UP", "0")
    assert b"127.0.0.1" not in log.replace(b"0:127.0.0.1:", b"")
    assert b"check.invalid" not in log


def test_checks_without_a_header_are_red_and_one_line(tmp_path: Path) -> None:
    """As where send-proxy was forgotten: two have failed then, and the log says why once."""
    with ExitStack() as stack:
        server = stack.enter_context(Server(ours("pytcpserver"), OPTIONS, ("true",), tmp_path))
        check = "option smtpchk EHLO check.invalid\n    timeout check 50ms"
        haproxy = stack.enter_context(HAProxy(tmp_path, server.port, EVERY, backend=check))
        until(lambda: haproxy.health()["status"] == "DOWN", "the server to be down")
        server.wait_log(b" from 127.0.0.1: gone before its header\n")

    assert server.log().count(b"gone before its header") == 1


class Observer:
    """A server that tells each client the header that HAProxy has written for it. port: its own."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End it."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join(PATIENCE)
        self._listener.close()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                with client, client.makefile("rb") as said:
                    client.sendall(said.readline())


@pytest.fixture(scope="module")
def accepting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HAProxy]:
    """One that takes headers itself, before an observer."""
    observer = Observer()
    folder = tmp_path_factory.mktemp("accepting")
    with HAProxy(folder, observer.port, "send-proxy", bind="accept-proxy") as haproxy:
        yield haproxy
    observer.close()


def taken_by(haproxy: HAProxy, said: bytes) -> Header | Flaw | More:
    """What HAProxy has made of a header; its own words, read by us. Flaw: it has refused it."""
    with haproxy.connect(CLIENT) as client:
        with suppress(OSError):
            client.sendall(said)
        heard = b""
        with suppress(ConnectionResetError):
            while piece := client.recv(1000):
                heard += piece
    return parse(heard) if heard else Flaw("refused")


def test_what_we_take_haproxy_takes_and_the_client_is_the_same(accepting: HAProxy) -> None:
    """Headers that are honest but for some bytes; those that speak for nobody are the connection itself to both."""
    chance = random.Random(random.randrange(10**9))
    both = 0
    for said in (*HONEST, *(header(chance) for _ in range(600))):
        found = parse(said)
        if not isinstance(found, Header) or said.startswith(b"PROXY UNKNOWN "):
            continue  # HAProxy takes no more of UNKNOWN than the word, against its own specification
        theirs = taken_by(accepting, said)
        assert isinstance(theirs, Header), said
        assert theirs.endpoints
        if found.endpoints:
            assert theirs.endpoints == found.endpoints, said
        else:
            assert theirs.endpoints.remote_ip == CLIENT.encode(), said
        both += 1
    assert both > 50


def test_what_haproxy_refuses_we_refuse(accepting: HAProxy) -> None:
    """Headers that are honest but for some bytes."""
    chance = random.Random(random.randrange(10**9))
    refused = 0
    while refused < 50:
        said = header(chance)
        found = parse(said)
        if isinstance(found, More) or said.startswith(b"PROXY UNKNOWN "):
            continue
        if isinstance(taken_by(accepting, said), Flaw):
            assert isinstance(found, Flaw), said
            refused += 1
