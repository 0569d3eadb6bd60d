"""The service directories of examples/ under the real supervisors: they start, serve, log, restart and stop."""

import re
import shlex
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support import nameserver
from tests.support.field import FieldHost, field_host
from tests.support.programs import theirs
from tests.support.waiting import PATIENCE, until

EXAMPLES = Path(__file__).parents[2] / "examples"
UNIT = EXAMPLES / "systemd/smtpd.service"

LISTED = {"3.0.0.127.zen.spamhaus.org A": ["127.0.0.2"], "3.0.0.127.zen.spamhaus.org TXT": ["Listed, really"]}


@dataclass(frozen=True)
class Supervisor:
    """How to command a supervisor.

    scan: the program that looks after a folder of services, and the signal that ends it. The others take a service:
    leave comes after that signal and must end what it left.
    """

    name: str
    scan: str
    end: signal.Signals
    status: str
    down: str
    up: str
    restart: str
    leave: str


SUPERVISORS = [
    Supervisor(
        "daemontools", "svscan", signal.SIGTERM, "svstat {}", "svc -d {}", "svc -u {}", "svc -t {}", "svc -dx {} {}/log"
    ),
    Supervisor("runit", "runsvdir", signal.SIGHUP, "sv status {}", "sv down {}", "sv up {}", "sv term {}", "true"),
    Supervisor(
        "s6", "s6-svscan", signal.SIGTERM, "s6-svstat {}", "s6-svc -d {}", "s6-svc -u {}", "s6-svc -t {}", "true"
    ),
]


class Service:
    """A service directory of ours under a running supervisor."""

    def __init__(self, supervisor: Supervisor, host: FieldHost, place: Path) -> None:
        self.supervisor = supervisor
        self._host = host
        self._place = place

    def command(self, words: str) -> str:
        """Run one of the supervisor's commands; what it says."""
        program, *arguments = shlex.split(words.replace("{}", str(self._place)))
        done = subprocess.run(
            [theirs(program), *arguments], env=self._host.environment, capture_output=True, text=True, check=False
        )
        return done.stdout

    def pid(self) -> int:
        """The process that the supervisor runs; 0 = none."""
        found = re.match(r"[^;]*\b(?:up|run)\b[^;]*pid (\d+)", self.command(self.supervisor.status))
        return int(found[1]) if found else 0

    def log(self) -> bytes:
        """What the service's logger has written."""
        current = self._host.log / "current"
        return current.read_bytes() if current.exists() else b""

    def wait_log(self, wanted: bytes) -> None:
        """Wait until the log holds something."""
        until(lambda: wanted in self.log(), f"{wanted!r} in {self.log()!r}")


@contextmanager
def supervised(supervisor: Supervisor, host: FieldHost) -> Iterator[Service]:
    """The example for a supervisor, under this supervisor and serving; nothing of it is left at the end."""
    service = Service(supervisor, host, host.install(EXAMPLES / supervisor.name / "smtpd", "service/smtpd"))
    with subprocess.Popen(
        [theirs(supervisor.scan), str(host.folder / "service")],
        env=host.environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    ) as process:
        try:
            until(host.listening, "the service")
            yield service
        finally:
            process.send_signal(supervisor.end)
            service.command(supervisor.leave)
            process.communicate(timeout=PATIENCE)  # until nobody holds its standard error


@pytest.fixture
def host(tmp_path: Path) -> Iterator[FieldHost]:
    """A mail host whose zones list 127.0.0.3."""
    with nameserver.running(LISTED, tmp_path) as dns, field_host({"DNSCACHEIP": dns}) as made:
        yield made


by_name = pytest.mark.parametrize("supervisor", SUPERVISORS, ids=lambda supervisor: supervisor.name)


@by_name
def test_serves(supervisor: Supervisor, host: FieldHost) -> None:
    """Rules, zones, soft limit, user and log are what the run script asks for."""
    with supervised(supervisor, host) as service:
        assert host.answer("127.0.0.1", "friend@elsewhere.example")[0] == 250
        assert host.answer("127.0.0.2", "friend@elsewhere.example")[0] == 550
        assert host.answer("127.0.0.2", "you@ours.example")[0] == 250
        assert host.answer("127.0.0.3", "you@ours.example") == (451, b"Listed, really")
        service.wait_log(b"rblsmtpd: 127.0.0.3 pid ")
        service.wait_log(b"qmail-smtpd: arguments ; uid 65534, groups 65534; limit 4882 kB\n")
        assert b" mx.ours.example:127.0.0.1:%d :127.0.0.2::" % host.port in service.log()
        assert b"tcpserver: status: 1/2\n" in service.log()
        assert _user(service.pid()) == "nobody"


@by_name
def test_restart_and_stop(supervisor: Supervisor, host: FieldHost) -> None:
    """Conversations outlive a restart and a stop, as under C; the port follows the supervisor's word."""
    with supervised(supervisor, host) as service, host.client("127.0.0.1") as client:
        first = service.pid()
        service.command(supervisor.restart)
        second = until(lambda: service.pid() not in (0, first) and service.pid(), "another process")
        until(host.listening, "the second server")
        assert client.noop()[0] == 250

        service.command(supervisor.down)
        until(lambda: not Path(f"/proc/{second}").exists(), "the end of the second server")
        assert not host.listening()
        assert client.noop()[0] == 250

        service.command(supervisor.up)
        until(host.listening, "the third server")


@by_name
@pytest.mark.parametrize("missing", ["rcpthosts", "concurrencyincoming"])
def test_guards(supervisor: Supervisor, missing: str, host: FieldHost) -> None:
    """Without one of its files the run script says so and starts nothing."""
    place = host.install(EXAMPLES / supervisor.name / "smtpd", "service/smtpd")
    (host.folder / "qmail/control" / missing).unlink()

    done = subprocess.run([place / "run"], env=host.environment, capture_output=True, timeout=PATIENCE, check=False)

    assert done.returncode != 0
    assert missing.encode() in done.stdout + done.stderr


def _units(host: FieldHost) -> Path:
    """The units with their hardening, translated; what only a later systemd knows is left out."""
    folder = host.install(UNIT.parent, "units")
    (folder / "smtpd.service.d/notify-reload.conf").unlink()
    return folder


def _analyzed(*words: str) -> tuple[int, str]:
    done = subprocess.run([theirs("systemd-analyze"), *words], capture_output=True, text=True, check=False)
    return done.returncode, done.stderr


@pytest.mark.parametrize("unit", ["smtpd.service", "smtpd.socket"])
def test_systemd_accepts_the_units(unit: str, host: FieldHost) -> None:
    """systemd finds nothing to complain of."""
    assert _analyzed("verify", str(_units(host) / unit)) == (0, "")


def test_systemd_finds_the_service_hardened(host: FieldHost) -> None:
    """Its exposure is 5.0 at most, of 10, without what would keep qmail-queue from changing its user."""
    folder = _units(host)
    assert _analyzed("security", "--offline=yes", "--threshold=50", str(folder / "smtpd.service"))[0] == 0
    settings = _settings((folder / "smtpd.service.d/hardening.conf").read_text())
    assert not {"NoNewPrivileges", "User", "DynamicUser", "RestrictSUIDSGID", "PrivateUsers"} & set(settings)


def test_the_socket_is_the_one_of_the_service() -> None:
    """The service may be started with it or without it: host and port are the same."""
    assert _settings((UNIT.parent / "smtpd.socket").read_text())["ListenStream"] == "0.0.0.0:25"
    assert " 0 smtp " in UNIT.read_text()


def test_s6_hears_when_all_serve(host: FieldHost) -> None:
    """Whoever waits for the service (s6-svwait -U) waits until then."""
    with supervised(SUPERVISORS[2], host) as service:
        until(lambda: service.command("s6-svstat -o ready {}") == "true\n", "readiness")


def test_unit_serves(host: FieldHost) -> None:
    """What the unit starts serves under the unit's limit; backends outlive a stop, and may become somebody else."""
    settings = _settings(host.translate(UNIT.read_text()))
    assert settings["KillMode"] == "process"
    assert "NoNewPrivileges" not in settings

    soft = settings["LimitAS"].partition(":")[0]
    words = shlex.split(settings["ExecStart"].replace("$$", "$"))
    with subprocess.Popen(
        [theirs("softlimit"), "-a", soft, *words], env=host.environment, stderr=subprocess.PIPE
    ) as process:
        try:
            until(host.listening, "the service")
            assert host.answer("127.0.0.3", "you@ours.example")[0] == 451
            assert host.answer("127.0.0.1", "friend@elsewhere.example")[0] == 250
        finally:
            process.terminate()
            log = process.communicate(timeout=PATIENCE)[1]
    assert b"limit 4882 kB" in log


def test_the_unit_starts_again_for_ever(host: FieldHost) -> None:
    """A port that is taken at the start, or a crash each second, does not end the service; only wrong words do."""
    settings = _settings(host.translate(UNIT.read_text()))
    chosen = {name: settings.get(name) for name in ("Restart", "RestartSec", "StartLimitIntervalSec")}
    assert chosen == {"Restart": "always", "RestartSec": "2", "StartLimitIntervalSec": "0"}
    assert settings["RestartPreventExitStatus"] == "100"


def test_the_unit_reloads_and_names_its_lines() -> None:
    """systemctl reload sends HUP to the server, and the journal knows the lines by the service's name."""
    settings = _settings(UNIT.read_text())
    assert settings["SyslogIdentifier"] == "smtpd"
    with subprocess.Popen([theirs("sleep"), "60"]) as process:
        command = settings["ExecReload"].replace("$MAINPID", str(process.pid))
        subprocess.run(shlex.split(command), check=True)
        assert process.wait(PATIENCE) == -signal.SIGHUP


def _settings(unit: str) -> dict[str, str]:
    lines = unit.replace("\\\n", "").splitlines()
    return dict(line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))


def _user(pid: int) -> str:
    return Path(f"/proc/{pid}").owner()
