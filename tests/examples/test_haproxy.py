"""examples/haproxy: two hosts behind one HAProxy, as the files stand but for addresses, ports and paths."""

import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import manual
import pytest

from tests.support import nameserver
from tests.support.checkout import ROOT
from tests.support.field import FieldHost, field_host
from tests.support.pages import DOCS, literals
from tests.support.ports import free_port
from tests.support.programs import need_root, theirs
from tests.support.waiting import PATIENCE, until

EXAMPLE = ROOT / "examples/haproxy"
#: The addresses of one host of the two, on which the same service listens here.
HOSTS = {"192.0.2.11:2525": "127.0.0.11", "192.0.2.12:2525": "127.0.0.12"}
LISTED = {"3.0.0.127.zen.spamhaus.org A": ["127.0.0.2"], "3.0.0.127.zen.spamhaus.org TXT": ["Listed by zen"]}
_ADMIN = "/run/haproxy/admin.sock"


class Balanced:
    """Both hosts and HAProxy, which has the port of the host of the field. logs: of each host."""

    def __init__(self, host: FieldHost) -> None:
        self.host = host
        self.logs = {ip: host.folder / f"out-{ip}" for ip in HOSTS.values()}
        self._port = free_port()
        self._admin = host.folder / "admin.sock"

    @contextmanager
    def running(self) -> Iterator[None]:
        """All of them at work."""
        with ExitStack() as stack:
            for ip in HOSTS.values():
                stack.enter_context(self.host_running(ip))
            command = [theirs("haproxy"), "-db", "-f", str(self._configuration())]
            haproxy = stack.enter_context(subprocess.Popen(command, stdin=subprocess.DEVNULL))
            stack.callback(haproxy.wait, PATIENCE)
            stack.callback(haproxy.terminate)
            until(self.host.listening, "the balancer")
            yield

    @contextmanager
    def host_running(self, ip: str) -> Iterator[None]:
        """One host."""
        run = self.host.install(EXAMPLE, f"service-{ip}") / "run"
        text = run.read_text()
        for old, new in (
            (" 0 2525", f" {ip} {self._port}"),
            ("192.0.2.2,192.0.2.3", "127.0.0.1"),
            ("mynetworks='127.0.0.0/8 [::1]/128'", "mynetworks=127.0.0.1"),
            ("pysmtpgate ", f"pysmtpgate -o qmail_control={self.host.folder}/qmail/control "),
        ):
            assert old in text
            text = text.replace(old, new)
        run.write_text(text)
        with (
            self.logs[ip].open("wb") as log,
            subprocess.Popen([run], env=self.host.environment, stdin=subprocess.DEVNULL, stdout=log) as server,
        ):
            try:
                until(lambda: b"status: 0/" in self.logs[ip].read_bytes(), "a host")
                yield
            finally:
                server.terminate()
                server.wait(PATIENCE)

    def told(self, command: str) -> str:
        """What a command of the manual about the balancer prints."""
        command = command.replace(_ADMIN, str(self._admin))
        return subprocess.run(["sh", "-c", command], capture_output=True, check=True, text=True).stdout.strip()

    def log(self) -> str:
        """What both have logged."""
        return "".join(path.read_text() for path in self.logs.values())

    def _configuration(self) -> Path:
        text = (EXAMPLE / "haproxy.cfg").read_text().replace("bind :25", f"bind 127.0.0.1:{self.host.port}")
        assert _ADMIN in text
        text = text.replace(_ADMIN, str(self._admin))
        for told, ip in HOSTS.items():
            assert told in text
            text = text.replace(told, f"{ip}:{self._port}")
        file = self.host.folder / "haproxy.cfg"
        file.write_text(text.replace("maxconn 100000", "maxconn 1000").replace("maxconn 50000", "maxconn 900"))
        return file


@pytest.fixture(scope="module")
def balanced(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Balanced]:
    need_root()
    with (
        nameserver.running(LISTED, tmp_path_factory.mktemp("dns")) as dns,
        field_host({"DNSCACHEIP": dns}) as host,
    ):
        made = Balanced(host)
        with made.running():
            yield made


def test_rules_zones_and_gate_know_the_client(balanced: Balanced) -> None:
    """On both hosts, whichever a client comes to. From the balancer itself nobody relays, though a rule says so."""
    host = balanced.host
    for _ in HOSTS:
        assert host.answer("127.0.0.2", "you@ours.example")[0] == 250
        assert host.answer("127.0.0.2", "friend@elsewhere.example")[0] == 554
        assert host.answer("127.0.0.1", "friend@elsewhere.example")[0] == 554
        assert host.answer("127.0.0.3", "you@ours.example") == (451, b"Listed by zen")

    until(lambda: all("from 127.0.0.2\n" in path.read_text() for path in balanced.logs.values()), "a client on each")


def test_checks_are_not_in_the_log(balanced: Balanced) -> None:
    """Nor is the balancer, which has looked at both before it let a client through."""
    balanced.host.answer("127.0.0.2", "you@ours.example")
    log = balanced.log()

    assert "from 127.0.0.2\n" in log
    assert "from 127.0.0.1\n" not in log
    assert ":127.0.0.1::" not in log
    assert "check.invalid" not in log


def test_a_host_is_taken_out_and_in_again(balanced: Balanced) -> None:
    """By the commands of the manual: who is inside stays, others come to the other host, and are told of."""
    theirs("socat")
    lines = "\n".join(literals(manual.read(DOCS / "upgrading.rst"))).splitlines()
    drain, inside, ready, state = (line for line in lines if line.endswith(("haproxy/admin.sock", " }'")))
    until(lambda: {balanced.told(inside.replace("mx1", name)) for name in ("mx1", "mx2")} == {"0"}, "nobody inside")
    with balanced.host.client("127.0.0.2") as one, balanced.host.client("127.0.0.2") as other:
        balanced.told(drain)
        came = balanced.told(inside.replace("$5", "$8"))
        for _ in range(4):
            assert balanced.host.answer("127.0.0.2", "you@ours.example")[0] == 250
        assert balanced.told(inside.replace("$5", "$8")) == came
        assert balanced.told(inside) == "1"
        assert (one.noop()[0], other.noop()[0]) == (250, 250)
    until(lambda: balanced.told(inside) == "0", "the end of who was inside")

    balanced.told(ready)

    until(lambda: balanced.told(state) == "UP", "the host to be in again")


def test_haproxy_has_nothing_against_its_configuration() -> None:
    """As it stands; warnings would be exit 2 with -dW."""
    done = subprocess.run(
        [theirs("haproxy"), "-c", "-dW", "-f", EXAMPLE / "haproxy.cfg"], check=False, capture_output=True
    )

    assert (done.returncode, done.stderr) == (0, b"")
