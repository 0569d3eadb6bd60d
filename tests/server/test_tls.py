"""pytcpserver --tls: clients that speak TLS from the first byte, before programs that know nothing of it."""

import contextlib
import datetime
import os
import re
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from tests.support.certificates import Authority
from tests.support.programs import need_root, ours, theirs
from tests.support.server import QUIET, Server, children
from tests.support.tls import common_names, shake_hands, trusting
from tests.support.waiting import PATIENCE, until
from ucspi_py.core.tls.settings import Pair

#: Says what it is told, in capitals, and its environment when it is told to quit.
PROGRAM = ("sh", "-c", 'while read line; do case $line in quit) env; exit;; *) echo "got $line";; esac; done; echo end')
OPTIONS = (*QUIET, "-v", "-w", "1", "-c", "9")


#: pytcpserver that looks for new keys all the time.
LOOKING = """
import sys
from ucspi_py.cli.tcpserver import main
from ucspi_py.system.tls import contexts
contexts._LOOKS = contexts._SOON = 0.05
sys.argv[:1] = []
main()
"""


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("ca"))


def tls(*pairs: Pair) -> list[str]:
    return [f"--tls={','.join(pair.names)}{'=' if pair.names else ''}{pair.certificate}:{pair.key}" for pair in pairs]


@pytest.fixture(scope="module")
def server(authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """With certificates for everybody (EC and RSA), for a.example, and for all below b.example."""
    folder = tmp_path_factory.mktemp("tls")
    rules = folder / "rules.cdb"
    subprocess.run(
        [ours("pytcprules"), rules, folder / "tmp"],
        input=b'127.0.0.9:allow,SSL_CLIENT_VERIFY="SUCCESS",SSL_PEER_CERT_HASH="forged"\n127.0.0.8:deny\n:allow\n',
        check=True,
    )
    options = tls(
        authority.pair("mx.example"),
        authority.pair("mx.example", kind="RSA"),
        authority.pair("a.example")._replace(names=("a.example",)),
        authority.pair("c.b.example")._replace(names=("*.b.example",)),
    )
    env = {**os.environ, "SSL_PROTOCOL": "forged", "SSLCTLFD": "9", "SSL_CERT_FILE": "/kept"}
    with Server(ours("pytcpserver"), [*OPTIONS, "-x", str(rules), *options], PROGRAM, folder, env=env) as server:
        yield server


@contextlib.contextmanager
def client_of(server: Server, authority: Authority, name: str | None = "mx.example") -> Iterator[ssl.SSLSocket]:
    with shake_hands(trusting(authority.ca_file), server.connect(), name) as secured:
        yield secured


def s_client(server: Server, authority: Authority, *options: str, said: bytes = b"quit\n") -> str:
    """What openssl says, and hears, until the server is done."""
    done = subprocess.run(
        [theirs("openssl"), "s_client", "-connect", f"127.0.0.1:{server.port}", "-CAfile", str(authority.ca_file),
         "-verify_return_error", "-ign_eof", *options],
        input=said, capture_output=True, timeout=PATIENCE, check=False,
    )  # fmt: skip
    return done.stdout.decode() + done.stderr.decode()


def environment(said: str) -> dict[str, str]:
    return dict(line.split("=", 1) for line in said.splitlines() if re.match("[A-Z0-9_]+=", line))


@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_openssl_speaks_with_the_program(server: Server, authority: Authority, version: str) -> None:
    said = s_client(server, authority, f"-tls{version.replace('.', '_')}", said=b"hello\nquit\n")
    assert "got hello" in said
    assert "Verify return code: 0 (ok)" in said
    told = environment(said)
    assert (told["SSL_PROTOCOL"], told["PROTO"], told["TCPREMOTEIP"]) == (f"TLSv{version}", "TCP", "127.0.0.1")
    assert told["SSL_CIPHER"] in said.replace(told["SSL_CIPHER"], "", 1)


def test_the_first_word_need_not_wait_for_our_kernel(server: Server, authority: Authority) -> None:
    """Of a client with Nagle's algorithm, to a program that says nothing before; Linux would keep it for 40 ms."""

    def seconds() -> float:
        with client_of(server, authority) as secured:
            begun = time.monotonic()
            secured.sendall(b"hello\n")
            assert secured.recv(100) == b"got hello\n"
            return time.monotonic() - begun

    assert sum(seconds() < 0.03 for _ in range(20)) >= 5, "a busy host may be late, but not most times"


@pytest.mark.parametrize("version", ["-tls1", "-tls1_1"])
def test_old_versions_are_refused_and_logged(server: Server, authority: Authority, version: str) -> None:
    said = s_client(server, authority, version, "-cipher", "ALL:@SECLEVEL=0")
    assert "alert protocol version" in said
    server.wait_log(b"from 127.0.0.1: unsupported protocol\n")


def test_a_program_is_told_nothing_that_a_rule_or_our_parent_says(server: Server, authority: Authority) -> None:
    with shake_hands(trusting(authority.ca_file), server.connect("127.0.0.9"), "mx.example") as secured:
        secured.sendall(b"quit\n")
        told = environment(_all(secured).decode())
    assert told["SSL_CLIENT_VERIFY"] == "NONE"
    assert told["SSL_TLS_SNI_SERVERNAME"] == "mx.example"
    assert told["SSL_CERT_FILE"] == "/kept"
    assert "SSL_PEER_CERT_HASH" not in told
    assert "SSLCTLFD" not in told


def _all(connection: socket.socket) -> bytes:
    said = b""
    while piece := connection.recv(65536):
        said += piece
    return said


@pytest.mark.parametrize(
    ("name", "got"), [("mx.example", "mx.example"), ("a.example", "a.example"), ("c.b.example", "c.b.example")]
)
def test_each_name_has_its_certificate(server: Server, authority: Authority, name: str, got: str) -> None:
    with client_of(server, authority, name) as secured:
        assert common_names(secured) == [got]


def test_a_client_may_change_its_keys(server: Server, authority: Authority) -> None:
    """And have ours changed, too (RFC 8446, 4.6.3)."""
    where = ("-connect", f"127.0.0.1:{server.port}", "-CAfile", str(authority.ca_file))
    command = [theirs("stdbuf"), "-oL", theirs("openssl"), "s_client", *where]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as client:
        assert client.stdin
        assert client.stdout
        for line in (b"one\n", b"K\n", b"two\n", b"K\n", b"three\n"):
            client.stdin.write(line)
            client.stdin.flush()
            wanted = b"KEYUPDATE\n" if line == b"K\n" else b"got " + line
            assert wanted in iter(client.stdout.readline, b"")
        client.stdin.write(b"quit\n")
        client.stdin.close()
        client.wait(PATIENCE)


@pytest.mark.parametrize("kind", ["ECDSA", "RSA"])
def test_clients_of_one_kind_of_key_only_are_served(server: Server, authority: Authority, kind: str) -> None:
    said = s_client(server, authority, "-tls1_2", "-cipher", f"ECDHE+a{kind}")
    assert kind in environment(said)["SSL_CIPHER"]


def test_no_certificate_is_asked_for(server: Server, authority: Authority) -> None:
    assert "No client certificate CA names sent" in s_client(server, authority)


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        (b"GET / HTTP/1.0\r\n\r\n", b"http request"),
        (b"EHLO x\r\n", b"wrong version number"),
        (b"", b"hung up"),
    ],
)
def test_whoever_speaks_no_tls_is_logged_and_has_no_program(server: Server, said: bytes, reason: bytes) -> None:
    heard = server.talk(said)
    assert b"got" not in heard
    server.wait_log(b"from 127.0.0.1: " + reason + b"\n")


def test_who_is_denied_is_not_shaken_hands_with(server: Server) -> None:
    assert server.talk(b"\x16\x03\x01", source="127.0.0.8") == b""
    assert not re.search(rb"tls \d+ from 127\.0\.0\.8", server.wait_log(b"deny"))


def test_a_half_closed_client_has_its_answer(server: Server, authority: Authority) -> None:
    with client_of(server, authority) as secured, socket.socket(fileno=os.dup(secured.fileno())) as plain:
        secured.sendall(b"hello\n")
        plain.shutdown(socket.SHUT_WR)
        assert _all(secured) == b"got hello\nend\n"


def test_a_session_outlives_a_relief_and_its_worker_goes_after_it(server: Server, authority: Authority) -> None:
    with client_of(server, authority) as secured:
        secured.sendall(b"one\n")
        assert secured.recv(100) == b"got one\n"
        (worker,) = children(server.process.pid)
        server.process.send_signal(signal.SIGHUP)
        until(lambda: set(children(server.process.pid)) - {worker}, "another worker")
        secured.sendall(b"two\nquit\n")
        assert b"got two\n" in _all(secured)
    until(lambda: worker not in children(server.process.pid), "the end of the worker")


def test_much_comes_through_and_a_worker_does_not_grow(authority: Authority, tmp_path: Path) -> None:
    """Up and down at once, 100 MB each."""
    much = 100 << 20
    with Server(ours("pytcpserver"), [*OPTIONS, *tls(authority.pair("mx.example"))], ("cat",), tmp_path) as server:
        _echo(server, authority, 1 << 20)
        (worker,) = children(server.process.pid)
        before = _resident(worker)
        _echo(server, authority, much)
        assert _resident(worker) - before < 1024


def _echo(server: Server, authority: Authority, size: int) -> None:
    piece = bytes(65536)
    with client_of(server, authority) as secured:
        heard = 0
        for _ in range(size // len(piece)):
            secured.sendall(piece)
            while heard < len(piece):
                heard += len(secured.recv(65536))
            heard -= len(piece)


def _resident(pid: int) -> int:
    """Kilobytes."""
    return int(re.findall(r"VmRSS:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())[0])


def test_a_program_that_ends_ends_its_client(authority: Authority, tmp_path: Path) -> None:
    """Who is just sending."""
    with (
        Server(ours("pytcpserver"), [*OPTIONS, *tls(authority.pair("mx.example"))], ("true",), tmp_path) as server,
        client_of(server, authority) as secured,
        pytest.raises(OSError),
    ):
        while True:
            secured.sendall(bytes(65536))


def test_who_is_refused_by_a_screen_is_told_by_tls(authority: Authority, tmp_path: Path) -> None:
    env = {**os.environ, "RBLSMTPD": "-go away"}
    chain = (ours("pyrblsmtpd"), "-r", "zone.example", "cat")
    options = [*OPTIONS, *tls(authority.pair("mx.example"))]
    with (
        Server(ours("pytcpserver"), options, chain, tmp_path, env=env) as server,
        client_of(server, authority) as secured,
    ):
        assert secured.recv(100).startswith(b"220 ")
        secured.sendall(b"HELO x\r\nQUIT\r\n")
        said = _all(secured)
        assert said.startswith(b"250 ")
        assert b"221 " in said


def test_who_is_over_a_limit_is_sent_no_word_that_is_no_tls(authority: Authority, tmp_path: Path) -> None:
    options = [*OPTIONS, "-C", "1:421 no", *tls(authority.pair("mx.example"))]
    with Server(ours("pytcpserver"), options, PROGRAM, tmp_path) as server, client_of(server, authority) as secured:
        secured.sendall(b"one\n")
        assert secured.recv(100) == b"got one\n"
        assert server.talk(b"\x16\x03\x01") == b""


def test_who_takes_long_to_shake_hands_leaves_for_newcomers(authority: Authority, tmp_path: Path) -> None:
    """The one that came first."""
    options = [*OPTIONS, "--held", "12", *tls(authority.pair("mx.example"))]
    with Server(ours("pytcpserver"), options, PROGRAM, tmp_path) as server, contextlib.ExitStack() as stack:
        silent = [stack.enter_context(server.connect()) for _ in range(12)]
        begun = time.monotonic()
        with client_of(server, authority) as secured:
            secured.sendall(b"one\n")
            assert secured.recv(100) == b"got one\n"
        assert silent[0].recv(1) == b""
        assert time.monotonic() - begun < PATIENCE / 2


def test_keys_are_root_s_and_workers_are_not(authority: Authority, tmp_path: Path) -> None:
    """Also those that are renewed."""
    need_root()
    pair = authority.pair("mx.example", file="secret")
    os.chmod(pair.key, 0o600)
    options = [*OPTIONS, "-u", "65534", "-g", "65534", *tls(pair)]
    with Server(ours("pytcpserver"), options, PROGRAM, tmp_path) as server:
        first, started = _serial(server, authority), time.monotonic()
        new = authority.pair("mx.example", file="renewed-secret")
        os.chmod(new.key, 0o600)
        os.rename(new.key, pair.key)
        os.rename(new.certificate, pair.certificate)
        until(lambda: time.monotonic() > started + 1, "the guard looks once a second")
        server.process.send_signal(signal.SIGHUP)
        until(lambda: _serial(server, authority) != first, "another certificate")
        assert b"warning" not in server.log()


def test_a_renewed_certificate_is_used_after_a_relief(authority: Authority, tmp_path: Path) -> None:
    """At the latest; without one within a minute."""
    pair = authority.pair("mx.example", file="renewed")
    with Server(ours("pytcpserver"), [*OPTIONS, *tls(pair)], PROGRAM, tmp_path) as server:
        first = _serial(server, authority)
        os.rename(authority.pair("mx.example", file="new").certificate, pair.certificate)
        server.process.send_signal(signal.SIGHUP)
        server.wait_log(b"key values mismatch; the certificates in use stay")
        assert _serial(server, authority) == first
        os.rename(authority.pair("mx.example", file="new").key, pair.key)
        os.rename(str(pair.key).replace("renewed", "new").replace(".key", ".crt"), pair.certificate)
        server.process.send_signal(signal.SIGHUP)
        until(lambda: _serial(server, authority) != first, "another certificate")


@pytest.mark.parametrize("user", ["nobody", "root"])
def test_a_renewed_certificate_is_used_without_a_signal(authority: Authority, tmp_path: Path, user: str) -> None:
    """Its key came a little later; each worker has seen both, whether it may read them or the guard does."""
    need_root()
    pair, new = (authority.pair("mx.example", file=f"{file}-{user}") for file in ("in-use", "next"))
    options = [*OPTIONS, *(("-u", "65534", "-g", "65534") if user == "nobody" else ()), *tls(pair)]
    before = (sys.executable, "-c", LOOKING)
    with Server("pytcpserver", options, PROGRAM, tmp_path, before=before) as server:
        first = _serial(server, authority)
        os.rename(new.certificate, pair.certificate)
        server.wait_log(b"key values mismatch; the certificates in use stay")
        assert _serial(server, authority) == first
        os.rename(new.key, pair.key)
        until(lambda: _serial(server, authority) != first, "another certificate")
        assert server.log().count(b"warning") == 1


def _serial(server: Server, authority: Authority) -> object:
    with client_of(server, authority) as secured:
        return (secured.getpeercert() or {}).get("serialNumber")


def test_the_last_days_of_a_certificate_are_in_the_log(authority: Authority, tmp_path: Path) -> None:
    """From 14 on; said once, by whichever process. It is served all the while."""
    soon = datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=14, hours=1)
    pair = authority.pair("mx.example", file="old", not_after=soon)
    with Server(ours("pytcpserver"), [*OPTIONS, "-w", "2", *tls(pair)], PROGRAM, tmp_path) as server:
        line = f"tcpserver: warning: {pair.certificate} is valid for 14 days only\n".encode()
        server.wait_log(line)
        assert _serial(server, authority)
        assert server.log().count(line) == 1


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--tls", "/nowhere"], b"unable to read /nowhere: file does not exist"),
        (["--tls", "a:b:c"], b"--tls must be [NAME,...=]CERT[:KEY], not 'a:b:c'"),
        (["--tls", "a:"], b"--tls must be [NAME,...=]CERT[:KEY], not 'a:'"),
        (["--tls", "a b=c"], b"--tls takes names as mail.example.org and *.example.org, not 'a b'"),
        (["--ucspi-tls"], b"--ucspi-tls needs --tls, and a program that speaks with clients itself"),
        (["--tls", "a", "-B", "hello"], b"-B writes before any TLS, which is no use with --tls"),
    ],
)
def test_what_cannot_be_does_not_start(options: Sequence[str], sentence: bytes, tmp_path: Path) -> None:
    done = subprocess.run(
        [ours("pytcpserver"), *QUIET, *options, "127.0.0.1", "0", "true"],
        capture_output=True, cwd=tmp_path, timeout=PATIENCE, check=False,
    )  # fmt: skip
    assert done.returncode in (100, 111)
    assert sentence in done.stderr


def test_a_file_may_have_an_equals_sign(authority: Authority, tmp_path: Path) -> None:
    pair = authority.pair("mx.example", file="a=b")
    with Server(ours("pytcpserver"), [*OPTIONS, *tls(pair)], PROGRAM, tmp_path) as server:
        assert _serial(server, authority)
