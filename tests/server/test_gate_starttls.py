"""STARTTLS at a served gate, with the clients that people have: openssl s_client, swaks and Python's smtplib."""

import smtplib
import socket
import ssl
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from tests.support.backends.known import Scripted
from tests.support.certificates import Authority
from tests.support.gate import MAIL, PATIENT, RCPT, STRANGER, Gate, controls, gate_words, gated
from tests.support.nameserver import serving
from tests.support.programs import need_root, ours, theirs
from tests.support.smtp_client import Client
from tests.support.waiting import PATIENCE, until
from ucspi_py.core.tls.settings import Pair

NAME, OTHER = "mx.example.org", "mail.example.net"
SENDER, RECIPIENT = "s@example.net", "r@example.org"
TEXT = "Subject: small\r\n\r\nsmall\r\n"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """Whose certificates clients trust."""
    return Authority(tmp_path_factory.mktemp("ca"))


def parameters(authority: Authority, *more: str) -> Sequence[str]:
    """Those of a gate with keys."""
    pair = authority.pair(NAME)
    return (f"smtpd_tls_cert_file={pair.certificate}", f"smtpd_tls_key_file={pair.key}", *PATIENT, *more)


@pytest.fixture(scope="module")
def gate(backend: Scripted, authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gate]:
    """One that offers TLS, under two names."""
    folder = tmp_path_factory.mktemp("gate")
    other = authority.pair(OTHER)
    chain = folder / "other.pem"
    chain.write_bytes(Path(other.key).read_bytes() + Path(other.certificate).read_bytes())
    table = folder / "names"
    table.write_text(f"{OTHER} {chain}\n")
    asked = parameters(authority, "smtpd_tls_security_level=may", f"tls_server_sni_maps=texthash:{table}")
    with gated(backend.argv, folder, parameters=asked) as gate:
        yield gate


def trusting(authority: Authority) -> ssl.SSLContext:
    """What a client trusts."""
    context = ssl.create_default_context(cafile=authority.ca_file)
    context.check_hostname = False
    return context


def connected(gate: Gate) -> tuple[smtplib.SMTP, set[str]]:
    """A client of smtplib, and the keywords that it is told in the clear."""
    client = smtplib.SMTP("127.0.0.1", gate.port, local_hostname="c.example", timeout=PATIENCE)
    client.ehlo()
    return client, set(client.esmtp_features)


def s_client(gate: Gate, *options: str, said: str = "QUIT\r\n") -> subprocess.CompletedProcess[str]:
    """What openssl's client does, and finds out."""
    command = (theirs("openssl"), "s_client", "-connect", f"127.0.0.1:{gate.port}", "-starttls", "smtp", *options)
    return subprocess.run(command, input=said, capture_output=True, text=True, timeout=PATIENCE, check=False)


def test_smtplib_sends_within_tls(backend: Scripted, gate: Gate, authority: Authority) -> None:
    """TLS is offered in the clear, and not within it; the backend knows what it was."""
    runs = len(backend.visits())
    client, offered = connected(gate)
    with client:
        assert "starttls" in offered
        assert client.starttls(context=trusting(authority))[0] == 220
        client.ehlo()
        assert not client.has_extn("STARTTLS")
        assert client.sendmail(SENDER, [RECIPIENT], TEXT) == {}

    (visit,) = backend.since(runs)
    assert TEXT.encode() in visit.input
    assert visit.environment[b"SSL_PROTOCOL"] == b"TLSv1.3"
    assert b"SMTPS" not in visit.environment
    assert visit.environment[b"PROTO"] == b"TCP"


def test_who_does_not_want_it_sends_in_the_clear(backend: Scripted, gate: Gate) -> None:
    """Its backend hears nothing of TLS."""
    runs = len(backend.visits())
    client, _ = connected(gate)
    with client:
        assert client.sendmail(SENDER, [RECIPIENT], TEXT) == {}

    (visit,) = backend.since(runs)
    assert b"SSL_PROTOCOL" not in visit.environment


def test_swaks_sends_within_tls(gate: Gate) -> None:
    """As operators try it."""
    swaks = theirs("swaks")
    known = subprocess.run((swaks, "--support"), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    if b"requires Net::SSLeay" in known.stdout:
        pytest.skip("swaks speaks TLS by Net::SSLeay (libnet-ssleay-perl)")
    words = ("--server", f"127.0.0.1:{gate.port}", "--from", SENDER, "--to", RECIPIENT, "--helo", "c.example")
    done = subprocess.run((swaks, *words, "-tls"), capture_output=True, timeout=PATIENCE, check=False)

    assert done.returncode == 0, done.stdout
    assert b"TLS started with cipher TLSv1.3" in done.stdout


@pytest.mark.parametrize(("version", "shown"), [("-tls1_2", "TLSv1.2"), ("-tls1_3", "TLSv1.3")])
def test_each_version_that_is_safe_is_spoken(gate: Gate, version: str, shown: str) -> None:
    """With a client of openssl."""
    done = s_client(gate, version)

    assert done.returncode == 0, done.stderr
    assert f"{shown}, Cipher is" in done.stdout.replace("New, ", "")


@pytest.mark.parametrize("version", ["-tls1", "-tls1_1"])
def test_no_version_that_is_old_is_spoken(gate: Gate, version: str) -> None:
    """It is the gate that refuses it, and not the client."""
    mark = gate.mark()

    done = s_client(gate, version, "-cipher", "ALL:@SECLEVEL=0")

    assert "alert protocol version" in done.stderr
    until(lambda: b"SSL_accept error from unknown[192.0.2.7]: " in gate.since(mark))


@pytest.mark.parametrize(
    ("asked", "given"), [(NAME, NAME), (OTHER, OTHER), ("MAIL.example.net", OTHER), ("x.example", NAME)]
)
def test_each_name_has_its_certificate(gate: Gate, authority: Authority, asked: str, given: str) -> None:
    """A name that nobody has gets the one for everybody."""
    done = s_client(gate, "-servername", asked, "-verify_hostname", given, "-CAfile", str(authority.ca_file))

    assert "Verify return code: 0 (ok)" in done.stdout


@pytest.mark.parametrize("kind", ["ECDSA", "RSA"])
def test_clients_that_know_one_kind_of_keys_are_served(
    backend: Scripted, authority: Authority, tmp_path: Path, kind: str
) -> None:
    """smtpd_tls_cert_file has one, smtpd_tls_eccert_file the other."""
    rsa, ec = authority.pair(NAME, kind="RSA"), authority.pair(NAME)
    files = {"cert": rsa.certificate, "key": rsa.key, "eccert": ec.certificate, "eckey": ec.key}
    asked = ("smtpd_tls_security_level=may", *(f"smtpd_tls_{name}_file={file}" for name, file in files.items()))
    with gated(backend.argv, tmp_path, parameters=asked) as gate:
        done = s_client(gate, "-tls1_2", "-cipher", f"ECDHE+a{kind}", "-CAfile", str(authority.ca_file))

    assert f"Cipher is ECDHE-{kind}-" in done.stdout
    assert "Verify return code: 0 (ok)" in done.stdout
    assert "No client certificate CA names sent" in done.stdout


def test_a_client_need_not_wait_for_our_kernel_behind_the_handshake(gate: Gate, authority: Authority) -> None:
    """Its end is acknowledged at once: Linux puts that off for 40 ms, for which Nagle's algorithm keeps a client."""

    def seconds() -> float:
        client, _ = connected(gate)
        with client:
            client.starttls(context=trusting(authority))
            begun = time.monotonic()
            client.ehlo(NAME)
            return time.monotonic() - begun

    assert any(seconds() < 0.03 for _ in range(20)), "a busy host may be late, but not each time"


def test_no_byte_behind_starttls_is_obeyed(gate: Gate) -> None:
    """In one segment with it (CVE-2011-0411)."""
    mark = gate.mark()
    with gate.client() as client:
        client.converse([b"EHLO c.example"])
        client.say(b"STARTTLS\r\nRSET\r\n")
        assert client.finish() == [b"554 5.5.0 Error: SMTP protocol synchronization"]

    until(lambda: b"improper command pipelining after STARTTLS from unknown[192.0.2.7]: RSET" in gate.since(mark))


def test_a_handshake_that_fails_is_nobody_elses_trouble(gate: Gate) -> None:
    """The log says why; a session that was there before goes on."""
    mark = gate.mark()
    with gate.client() as other, gate.client() as client:
        assert client.converse([b"STARTTLS"]) == [b"220 2.0.0 Ready to start TLS"]
        client.say(b"GET / HTTP/1.1\r\n\r\n")
        assert not any(line[:3].isdigit() for line in client.rest())
        assert other.converse([b"EHLO c.example", MAIL, RCPT])[-1].startswith(b"250 ")

    until(lambda: b"SSL_accept error from unknown[192.0.2.7]: http request" in gate.since(mark))


def test_where_tls_is_required_no_mail_goes_before_it(backend: Scripted, authority: Authority, tmp_path: Path) -> None:
    """All else that leads to TLS, or away, is answered."""
    with gated(backend.argv, tmp_path, parameters=parameters(authority, "smtpd_tls_security_level=encrypt")) as gate:
        with gate.client() as client:
            replies = client.converse([b"EHLO c.example", b"NOOP", MAIL, b"RSET", b"QUIT"])
            assert [reply[:3] for reply in replies] == [b"250", b"250", b"530", b"530", b"221"]
            assert replies[2] == b"530 5.7.0 Must issue a STARTTLS command first"
        client_of, _ = connected(gate)
        with client_of:
            client_of.starttls(context=trusting(authority))
            assert client_of.sendmail(SENDER, [RECIPIENT], TEXT) == {}


def test_a_certificate_of_our_authority_relays_where_a_list_says_so(
    backend: Scripted, authority: Authority, tmp_path: Path
) -> None:
    """A client without one does not, and one of somebody else's has no TLS at all."""
    asked = (
        *("smtpd_tls_security_level=encrypt", "smtpd_tls_ask_ccert=yes", f"smtpd_tls_CAfile={authority.ca_file}"),
        "smtpd_relay_restrictions=permit_tls_all_clientcerts, reject_unauth_destination",
    )
    (tmp_path / "stranger").mkdir()
    stranger = Authority(tmp_path / "stranger").pair("client.example")
    with (
        serving({}, tmp_path) as dns,
        gated(
            backend.argv,
            tmp_path / "gate",
            parameters=parameters(authority, *asked),
            variables={"DNSCACHEIP": dns.address},
        ) as gate,
    ):
        runs = len(backend.visits())
        assert _relays(gate, authority, authority.pair("client.example")) == 250
        assert _relays(gate, authority, None) == 554
        with pytest.raises((ssl.SSLError, smtplib.SMTPServerDisconnected, ConnectionResetError)):
            _relays(gate, authority, stranger)

    (visit,) = backend.since(runs)
    assert visit.environment[b"RELAYCLIENT"] == b""
    assert b"client.example" in visit.environment[b"SSL_CLIENT_S_DN"] or visit.environment[b"SSL_PEER_CERT_HASH"]


def _relays(gate: Gate, authority: Authority, pair: Pair | None) -> int:
    """The code of the reply to a recipient elsewhere, by a client with this certificate."""
    context = trusting(authority)
    if pair:
        context.load_cert_chain(pair.certificate, pair.key)
    client, _ = connected(gate)
    with client:
        client.starttls(context=context)
        client.ehlo()
        client.mail(SENDER)
        return client.rcpt("u@elsewhere.example")[0]


@pytest.mark.parametrize("form", ["absorbed", "under tcpserver"])
def test_on_port_465_tls_begins_before_the_banner(
    backend: Scripted, authority: Authority, tmp_path: Path, form: str
) -> None:
    """As master.cf says for smtps, from one main.cf for all services."""
    file = tmp_path / "main.cf"
    file.write_text("\n".join(word.replace("=", " = ", 1) for word in parameters(authority)) + "\n")
    (tmp_path / "master.cf").write_text("smtps inet n - y - - smtpd\n  -o smtpd_tls_wrappermode=yes\n")
    runs = len(backend.visits())
    server = theirs("tcpserver") if form == "under tcpserver" else None
    with (
        gated(backend.argv, tmp_path / "gate", file=file, service="smtps", server=server) as gate,
        smtplib.SMTP_SSL("127.0.0.1", gate.port, context=trusting(authority), timeout=PATIENCE) as client,
    ):
        assert not client.has_extn("STARTTLS")
        assert client.sendmail(SENDER, [RECIPIENT], TEXT) == {}

    (visit,) = backend.since(runs)
    assert visit.environment[b"SSL_PROTOCOL"] == b"TLSv1.3"


def test_on_port_465_a_handshake_has_its_time(backend: Scripted, authority: Authority, tmp_path: Path) -> None:
    asked = parameters(authority, "smtpd_tls_wrappermode=yes", "smtpd_starttls_timeout=1s")
    with gated(backend.argv, tmp_path, parameters=asked, options=("-v",)) as gate, gate.connect(STRANGER) as silent:
        assert silent.recv(1) == b""
        gate.wait_log(b"from 127.0.0.1: timed out\n")


def test_a_worker_needs_no_right_to_read_the_keys(backend: Scripted, authority: Authority) -> None:
    """Root's process has read them before it became somebody else."""
    need_root()
    pair = authority.pair(NAME, file="roots-own")
    Path(pair.key).chmod(0o600)
    asked = (
        *(f"smtpd_tls_cert_file={pair.certificate}", f"smtpd_tls_key_file={pair.key}"),
        "smtpd_tls_security_level=may",
    )
    options = ("-u", "65534", "-g", "65534")
    with tempfile.TemporaryDirectory(prefix="gate") as name:
        folder = Path(name)  # pytest's are root's alone
        folder.chmod(0o755)
        with (
            gated(backend.argv, folder, parameters=asked, options=options) as gate,
            _secured(gate, authority) as client,
        ):
            assert client.version() == "TLSv1.3"


def test_alone_it_reads_its_keys_itself(backend: Scripted, authority: Authority, tmp_path: Path) -> None:
    """Under any other server; and whoever speaks no TLS on a port for it is told of in the log."""
    asked = parameters(authority, "smtpd_tls_security_level=may")
    runs = len(backend.visits())
    with gated(backend.argv, tmp_path, parameters=asked, server=theirs("tcpserver")) as gate:
        client, offered = connected(gate)
        with client:
            assert "starttls" in offered
            client.starttls(context=trusting(authority))
            assert client.sendmail(SENDER, [RECIPIENT], TEXT) == {}

    (visit,) = backend.since(runs)
    assert visit.environment[b"SSL_PROTOCOL"] == b"TLSv1.3"


@pytest.mark.parametrize("form", ["pytcpserver", "alone"])
def test_keys_that_cannot_be_used_keep_it_from_starting(authority: Authority, tmp_path: Path, form: str) -> None:
    """And the sentence names the file."""
    one, other = authority.pair(NAME), authority.pair(OTHER, kind="RSA")
    words = (
        *gate_words(controls(tmp_path), ("smtpd_tls_security_level=may", f"smtpd_tls_cert_file={one.certificate}")),
        *("-o", f"smtpd_tls_key_file={other.key}", "true"),
    )
    command = (*((ours("pytcpserver"), "127.0.0.1", "0") if form == "pytcpserver" else ()), *words)

    with _client_of_nobody() as client:
        done = subprocess.run(
            command, stdin=client.fileno(), capture_output=True, timeout=PATIENCE, check=False, text=True
        )

    assert done.returncode == 111
    assert f"unable to use {one.certificate} with {other.key}: " in done.stderr


def _client_of_nobody() -> socket.socket:
    ours_, theirs_ = socket.socketpair()
    theirs_.close()
    return ours_


def test_check_tries_the_keys(tmp_path: Path) -> None:
    """What a start would say."""
    words = gate_words(controls(tmp_path), ("smtpd_tls_security_level=may", "smtpd_tls_cert_file=/nowhere/mx.pem"))

    done = subprocess.run((*words, "--check"), capture_output=True, timeout=PATIENCE, check=False, text=True)

    assert done.returncode == 100
    assert "error: unable to read /nowhere/mx.pem: file does not exist" in done.stdout


def test_a_client_of_a_screen_is_refused_within_tls(backend: Scripted, authority: Authority, tmp_path: Path) -> None:
    """As in the clear: at its recipient."""
    asked = parameters(authority, "smtpd_tls_security_level=may")
    with gated(backend.argv, tmp_path, parameters=asked, variables={"RBLSMTPD": "-go away"}) as gate:
        client = Client(_secured(gate, authority))
        with client:
            assert client.converse([b"EHLO c.example", MAIL, RCPT])[-1] == b"553 go away"


def _secured(gate: Gate, authority: Authority) -> ssl.SSLSocket:
    plain = gate.connect(STRANGER)
    plain.settimeout(PATIENCE)
    with plain.makefile("rb") as replies:
        replies.readline()
        plain.sendall(b"STARTTLS\r\n")
        assert replies.readline().startswith(b"220 ")
    return trusting(authority).wrap_socket(plain, server_hostname=NAME)
