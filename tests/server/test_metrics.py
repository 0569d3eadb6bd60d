"""What a service shows of itself: true, kept over the death of workers, and at no client's cost."""

import contextlib
import os
import re
import signal
import stat
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from tests.support import nameserver
from tests.support.metrics import OPEN, Numbers, answered, ask, connected, numbers, wait_for
from tests.support.nameserver import healthy, lists
from tests.support.pages import program_page, rows, sections
from tests.support.programs import need_root, ours
from tests.support.server import QUIET, Server, children
from tests.support.waiting import until
from ucspi_py.core.metrics.names import COUNTED

RULES = b'127.0.0.2:deny\n127.0.0.3:allow,MAXCONNIP="0"\n:allow\n'
ZONE = {**healthy("zone"), **lists("zone", "127.0.0.4", text="listed")}


@contextmanager
def service(
    folder: Path, program: Sequence[str] = ("true",), *options: str, **env: str
) -> Iterator[tuple[Server, Path]]:
    """A service with rules, and the socket of its numbers."""
    rules, place = folder / "rules.cdb", folder / "numbers"
    subprocess.run([ours("pytcprules"), rules, folder / "tmp"], input=RULES, check=True)
    words = (*QUIET, "-v", "-x", str(rules), "--metrics", f"unix:{place}", *options)
    with Server(ours("pytcpserver"), words, program, folder, env={**os.environ, **env}) as server:
        yield server, place


@pytest.fixture(scope="module")
def screened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, Path]]:
    """One for all that look only, with a zone."""
    folder = tmp_path_factory.mktemp("screened")
    with (
        nameserver.running(ZONE, folder) as dns,
        service(folder, (ours("pyrblsmtpd"), "-t1", "-rzone", "true"), "-w2", DNSCACHEIP=dns) as found,
    ):
        yield found


def test_numbers_are_those_of_the_log(screened: tuple[Server, Path]) -> None:
    """Clients that are let in, denied, over a limit and listed, in the two formats."""
    server, place = screened
    for last in (1, 1, 1, 2, 2, 3, 4):
        server.talk(b"QUIT\r\n", f"127.0.0.{last}")
    wait_for(place, 3, "program_exits_total", status="0")
    wait_for(place, 1, "zone_queries_total", zone="zone", result="listed")
    wait_for(place, 3, "screen_verdicts_total", screen="dnsbl", verdict="accepted")
    log = server.wait_log(b"rblsmtpd: 127.0.0.4")
    text, opened = ask(place, "/metrics"), ask(place, "/metrics", OPEN)

    assert text.fields["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert opened.fields["content-type"] == "application/openmetrics-text; version=1.0.0; charset=utf-8"
    for found in (Numbers(text.body), Numbers(opened.body, is_open=True)):
        assert found("connections_total", family="ipv4") == 7
        assert found("decisions_total", decision="ok") == 3
        assert found("decisions_total", decision="ok") + found("decisions_total", decision="refused") == log.count(
            b"tcpserver: ok "
        )
        assert found("decisions_total", decision="deny") == log.count(b"tcpserver: deny ") == 2
        assert found("decisions_total", decision="limit") == log.count(b"tcpserver: limit ") == 1
        assert found("limit_hits_total", limit="client") == 1
        assert found("decisions_total", decision="refused") == log.count(b"rblsmtpd: 127.0.0.4") == 1
        assert found("program_seconds_count") == 3
        assert found("zone_up", zone="zone") == 1
        assert found("rules_ok") == 1
        assert found("workers") == 2


def test_the_manual_names_all_numbers(screened: tuple[Server, Path]) -> None:
    """With their labels."""
    _, place = screened
    shown = [row[0].astext() for row in rows(sections(program_page("pytcpserver"))["Options"], "metric")]
    told = {
        re.sub("_(total|bucket|sum|count)$", "", sample.name): sorted(set(sample.labels) - {"service", "le"})
        for family in numbers(place).families
        for sample in family.samples
        if sample.name.startswith("ucspi_")
    }
    told |= {one.name: sorted(name for name, _ in getattr(one, "labels", ())) for one in COUNTED}
    told["ucspi_tls_certificate_expiry_timestamp_seconds"] = ["name"]  # of a service that has one
    heads = [re.fullmatch(r"(\w+?)(?:_total)?(?:\{(.*)\})?", head) for head in shown if head != "process_*"]

    assert {head[1]: sorted((head[2] or "").split(",")) if head[2] else [] for head in heads if head} == told


def test_odd_clients_make_no_new_numbers(screened: tuple[Server, Path]) -> None:
    """Whatever they say and wherever they come from."""
    server, place = screened
    before = numbers(place).label_sets()
    for last in range(20, 60):
        server.talk(b'HELO "}{\\\n\r\n', f"127.0.0.{last}")
    ask(place, '/metrics?"}\n')

    assert numbers(place).label_sets() == before


def test_health_and_readiness_are_asked_for_apart(screened: tuple[Server, Path]) -> None:
    """Of a service that works; HEAD has no body; what else is asked for is not there."""
    _, place = screened

    assert ask(place, "/healthz")[::2] == (200, "ok\n")
    assert ask(place, "/readyz")[::2] == (200, "ready\n")
    assert ask(place, "/readyz", method="HEAD")[::2] == (200, "")
    assert ask(place, "/").status == 404
    assert ask(place, "/metrics", method="POST").status == 405


def test_the_socket_is_open_to_its_owner_and_group(screened: tuple[Server, Path]) -> None:
    """And to nobody else."""
    _, place = screened

    assert stat.S_IMODE(place.stat().st_mode) == 0o660


def test_a_hundred_scrapers_are_answered_though_as_many_say_nothing(screened: tuple[Server, Path]) -> None:
    """And a client is served meanwhile."""
    server, place = screened
    with ExitStack() as stack:
        for _ in range(20):
            silent = stack.enter_context(connected(place))
            silent.sendall(b"GET /metrics")
        scrapers = [stack.enter_context(connected(place)) for _ in range(100)]
        for scraper in scrapers:
            scraper.sendall(b"GET /metrics HTTP/1.0\r\n\r\n")
        server.talk()
        assert {answered(scraper).status for scraper in scrapers} == {200}


@pytest.mark.parametrize("said", [b"GET / HTTP/1.0\r\nX: " + b"x" * 5000, b""], ids=["too much", "nothing"])
def test_who_asks_too_much_or_nothing_is_left(said: bytes, screened: tuple[Server, Path]) -> None:
    """Within seconds, without an answer."""
    _, place = screened
    with connected(place) as scraper, contextlib.suppress(ConnectionResetError, BrokenPipeError):
        scraper.sendall(said)
        assert scraper.recv(100) == b""


def test_numbers_outlive_workers(tmp_path: Path) -> None:
    """Killed or relieved, and never go back."""
    with service(tmp_path, ("true",), "-w1") as (server, place):
        server.talk()
        wait_for(place, 1, "program_exits_total", status="0")
        (worker,) = _workers(server)
        os.kill(worker, signal.SIGKILL)
        found = wait_for(place, 1, "worker_restarts_total")
        assert found("decisions_total", decision="ok") == 1
        until(lambda: _workers(server) not in ([], [worker]), "another worker")
        server.talk()
        wait_for(place, 2, "program_exits_total", status="0")
        second = _workers(server)
        server.process.send_signal(signal.SIGHUP)
        until(lambda: len(found := _workers(server)) == 1 and found != second, "a new worker")
        server.talk()
        found = wait_for(place, 3, "program_exits_total", status="0")

    assert found("decisions_total", decision="ok") == 3
    assert found("worker_restarts_total") == 1


def test_who_tells_is_replaced_and_loses_no_number(tmp_path: Path) -> None:
    """It is a process of its own."""
    with service(tmp_path, ("true",), "-w1") as (server, place):
        server.talk()
        wait_for(place, 1, "program_exits_total", status="0")
        (teller,) = set(children(server.process.pid)) - set(_workers(server))
        os.kill(teller, signal.SIGKILL)
        server.wait_log(b"tcpserver: warning: metrics: process %d ended with status 9\n" % teller)
        found = wait_for(place, 1, "program_exits_total", status="0")

    assert found("worker_restarts_total") == 0


def test_a_master_that_is_stopped_is_neither_healthy_nor_ready(tmp_path: Path) -> None:
    """svc -p is for that."""
    with service(tmp_path, ("true",), "-w1") as (server, place):
        until(lambda: ask(place, "/readyz").status == 200, "readiness")
        server.process.send_signal(signal.SIGSTOP)
        until(lambda: ask(place, "/healthz").status == 503, "a sick master")
        assert ask(place, "/readyz").status == 503
        server.process.send_signal(signal.SIGCONT)
        until(lambda: ask(place, "/readyz").status == 200, "readiness again")


def test_the_file_is_whole_and_its_last_numbers_are_final(tmp_path: Path) -> None:
    """With no number of the process, which node_exporter has of its own."""
    file = tmp_path / "smtpd.prom"
    with service(tmp_path, ("true",), "--metrics-file", str(file)) as (server, place):
        until(file.exists, "the file")
        server.talk()
        wait_for(place, 1, "program_exits_total", status="0")
        server.stop()
        until(lambda: Numbers(file.read_text())("decisions_total", decision="ok") == 1, "the last numbers")

    assert "process_" not in file.read_text()
    assert stat.S_IMODE(file.stat().st_mode) == 0o644
    assert not place.exists()


def test_a_file_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    """And the service serves."""
    file = tmp_path / "none" / "smtpd.prom"
    with service(tmp_path, ("true",), "--metrics-file", str(file)) as (server, _):
        server.talk()
        server.wait_log(f"warning: unable to write {file}: file does not exist\n".encode())


def test_who_tells_has_no_root(tmp_path: Path) -> None:
    """It is the user of -u, and so is its socket."""
    need_root()
    tmp_path.chmod(0o755)
    with service(tmp_path, ("true",), "-u", "65534", "-g", "65534") as (server, place):
        until(lambda: ask(place, "/readyz").status == 200, "readiness")
        owners = {os.stat(f"/proc/{pid}").st_uid for pid in children(server.process.pid)}

    assert owners == {65534}


def test_a_place_that_is_taken_is_said(tmp_path: Path) -> None:
    """By a service that lives; it keeps its socket."""
    with service(tmp_path) as (_, place):
        words = [ours("pytcpserver"), *QUIET, "--metrics", f"unix:{place}", "127.0.0.1", "0", "true"]
        done = subprocess.run(words, capture_output=True, check=False, timeout=30)
        assert (done.returncode, done.stderr) == (
            111,
            f"tcpserver: fatal: another server listens at {place}\n".encode(),
        )
        assert ask(place, "/healthz").status == 200


def _workers(server: Server) -> list[int]:
    """All children but the one that tells: who has the listener of the service open."""
    listening = _inode(server)
    return [pid for pid in children(server.process.pid) if listening in _open(pid)]


def _inode(server: Server) -> str:
    """The listener, as descriptors name it."""
    lines = [line.split() for line in Path(f"/proc/{server.process.pid}/net/tcp").read_text().splitlines()[1:]]
    return next(f"socket:[{line[9]}]" for line in lines if line[1].endswith(f":{server.port:04X}") and line[3] == "0A")


def _open(pid: int) -> set[str]:
    with contextlib.suppress(OSError):
        return {os.readlink(f"/proc/{pid}/fd/{fd}") for fd in os.listdir(f"/proc/{pid}/fd")}
    return set()
