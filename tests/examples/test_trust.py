"""examples/trust: port 25 and the ports of submission as services of their own, and classes of clients on one port."""

import os
import smtplib
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.support import nameserver
from tests.support.certificates import Authority
from tests.support.checkout import ROOT
from tests.support.dovecot import Dovecot
from tests.support.field import FieldHost, field_host, serving
from tests.support.programs import need_root, ours
from tests.support.rules_tools import compiled_by_ours
from tests.support.waiting import PATIENCE

FOLDER = ROOT / "examples/trust"
SERVICES = ("smtp", "submission", "submissions")
DNS = {
    "elsewhere.example MX": ["10 mx.elsewhere.example."],
    "example.org MX": ["10 mx.example.org."],
    **nameserver.healthy("zen.spamhaus.org"),
    **nameserver.lists("zen.spamhaus.org", "127.0.0.3"),
}
OWN, ELSEWHERE = "you@example.org", "friend@elsewhere.example"
JOE, PASSWORD = "joe", "s3cret"
LIVE = "/etc/letsencrypt/live/mx.example.org"


@pytest.fixture(scope="module")
def dovecot() -> Iterator[Dovecot]:
    """Debian's, with a user."""
    with Dovecot({JOE: PASSWORD}) as daemon:
        yield daemon


@pytest.fixture(scope="module")
def host(dovecot: Dovecot, tmp_path_factory: pytest.TempPathFactory) -> Iterator[FieldHost]:
    """A host with the examples as they stand, but for their places."""
    need_root()
    with nameserver.running(DNS, tmp_path_factory.mktemp("dns")) as dns, field_host({"DNSCACHEIP": dns}) as found:
        pair = Authority(found.folder).pair("mx.example.org")
        os.chmod(pair.key, 0o600)
        place = found.install(FOLDER, "service")
        control = found.folder / "qmail/control"
        (control / "rcpthosts").write_text("example.org\n")
        for name in ("main.cf", "classes/main.cf"):
            text = (place / name).read_text()
            text = text.replace(f"{LIVE}/fullchain.pem", pair.certificate).replace(f"{LIVE}/privkey.pem", pair.key)
            text = text.replace("127.0.0.0/8", "127.0.0.1/32")  # every client here is local
            (place / name).write_text(text.replace("private/auth", str(dovecot.path)) + f"qmail_control = {control}\n")
        for name, places in (
            ("smtp", ("/var/lib/greylist/db", "greylist")),
            ("classes", ("tcp.smtp.cdb", "classes.cdb")),
        ):
            run = place / name / "run"
            run.write_text(run.read_text().replace(*places))
        rules = (FOLDER / "classes/tcp.smtp").read_text().replace("127.:", "127.0.0.1:")
        compiled_by_ours(rules.encode(), found.folder / "classes.cdb")
        yield found


@contextmanager
def served(host: FieldHost, service: str) -> Iterator[None]:
    """A service at the port of the host, without its greylist."""
    run = host.folder / "service" / service / "run"
    text = run.read_text()
    for port in ("submission", "465"):
        text = text.replace(f" 0 {port} ", f" 127.0.0.1 {host.port} ")
    changed = run.with_name("run-here")
    changed.write_text("".join(line for line in text.splitlines(keepends=True) if "pygreylist" not in line))
    changed.chmod(0o755)
    with serving(host, changed):
        yield


def tls() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def code(client: smtplib.SMTP, recipient: str, sender: str = "me@example.org") -> int:
    """What becomes of a recipient."""
    client.rset()
    client.mail(sender)
    return client.rcpt(recipient)[0]


@pytest.mark.parametrize("service", SERVICES)
def test_a_check_has_nothing_to_say(host: FieldHost, service: str) -> None:
    words = [ours("pysmtpgate"), "--check", "-f", "main.cf", "--service", service]
    done = subprocess.run(
        words, cwd=host.folder / "service", env=host.environment, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize("service", [*SERVICES, "classes"])
def test_the_right_ones_relay(host: FieldHost, service: str) -> None:
    """Of all classes of clients that the service knows."""
    words = [ours("pyrelaytest"), "--from", str(host.folder / "service" / service / "run")]
    words += ["--own", "me@example.org", "--elsewhere", ELSEWHERE, "--login", JOE]
    done = subprocess.run(words, env=host.environment, capture_output=True, text=True, check=False, timeout=PATIENCE)

    assert done.returncode == 0, done.stdout + done.stderr
    assert ("logged in" in done.stdout) is (service != "smtp")


def test_port_25(host: FieldHost) -> None:
    """Offers TLS and no login; zones speak of strangers."""
    with served(host, "smtp"), host.client("127.0.0.5") as client:
        client.ehlo()
        assert client.has_extn("starttls")
        client.starttls(context=tls())
        client.ehlo()
        assert not client.has_extn("auth")
        assert (code(client, OWN), code(client, ELSEWHERE)) == (250, 554)
        assert host.answer("127.0.0.3", OWN)[1].endswith(b"blocked using zen.spamhaus.org")


def test_port_587(host: FieldHost) -> None:
    """Asks for TLS first, then for a login; then it relays."""
    with served(host, "submission"), host.client("127.0.0.3") as client:
        client.ehlo()
        assert not client.has_extn("auth")
        assert client.mail("me@example.org")[0] == 530
        client.starttls(context=tls())
        assert (code(client, OWN), code(client, ELSEWHERE)) == (554, 554)
        client.login(JOE, PASSWORD)
        assert (code(client, OWN), code(client, ELSEWHERE)) == (250, 250)


def test_port_465(host: FieldHost, monkeypatch: pytest.MonkeyPatch) -> None:
    """Speaks TLS from the first byte."""

    def client(source: str) -> smtplib.SMTP:
        return smtplib.SMTP_SSL(
            "127.0.0.1", host.port, "client.example", timeout=PATIENCE, source_address=(source, 0), context=tls()
        )

    monkeypatch.setattr(host, "client", client)
    with served(host, "submissions"), client("127.0.0.3") as secured:
        assert code(secured, ELSEWHERE) == 554
        secured.login(JOE, PASSWORD)
        assert code(secured, ELSEWHERE) == 250


def test_three_classes_on_one_port(host: FieldHost) -> None:
    """Internal by its address, authenticated by a login, and external."""
    with served(host, "classes"):
        with host.client("127.0.0.1") as internal:
            assert code(internal, ELSEWHERE, "anybody@nowhere.example") == 250
        with host.client("127.0.0.5") as external:
            assert code(external, OWN, "you@nowhere.example") == 450
            assert (code(external, OWN), code(external, ELSEWHERE)) == (250, 554)
        assert host.answer("127.0.0.3", OWN)[1].endswith(b"blocked using zen.spamhaus.org")
        with host.client("127.0.0.3") as authenticated:
            authenticated.starttls(context=tls())
            authenticated.login(JOE, PASSWORD)
            assert code(authenticated, ELSEWHERE) == 250
            assert code(authenticated, ELSEWHERE, "you@example.org") == 553
