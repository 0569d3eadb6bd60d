"""What a service shows of whom it asks: stores, policy services, milters; of its certificates, and of who waits."""

import os
import signal
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.support import relay, triplets
from tests.support.backends.known import Scripted
from tests.support.certificates import Authority
from tests.support.gate import MAIL, RCPT, Gate, gated
from tests.support.metrics import Numbers, numbers, wait_for
from tests.support.milter import ScriptedMilter, scripted_milter
from tests.support.policy_server import CLOSES, PolicyServer, policy_server
from tests.support.programs import ours
from tests.support.server import QUIET, Server, children
from tests.support.smtp_client import Content, Step
from tests.support.waiting import until

EHLO = b"EHLO client.example.net"
SECOND = b"RCPT TO:<s@example.org>"
RULES = ':allow,TCPREMOTEIP="192.0.2.7"\n'
MESSAGE: list[Step] = [EHLO, MAIL, RCPT, b"DATA", Content(b"x\r\n.\r\n"), b"QUIT"]


class Asking(NamedTuple):
    """A gate, whom it asks, and its numbers."""

    gate: Gate
    service: PolicyServer
    milter: ScriptedMilter
    db: Path
    place: Path


@pytest.fixture(scope="module")
def asking(backend: Scripted, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asking]:
    """A gate with check_greylist, a policy service and a milter, which may be asked again at once when it fails."""
    folder = tmp_path_factory.mktemp("asking")
    db, place = triplets.made(folder / "db"), folder / "numbers"
    with policy_server(folder / "policy") as service, scripted_milter(folder / "milter") as milter:
        parameters = (
            "smtpd_recipient_restrictions=reject_unauth_destination, "
            f"check_policy_service {{ {service.service}, try_limit=1 }}, check_greylist {db}",
            f"smtpd_milters={{ {milter.service}, default_action=accept }}",
            "smtpd_error_sleep_time=0",
        )
        options = ("--metrics", f"unix:{place}")
        with gated(backend.argv, folder, options=options, parameters=parameters, rules=RULES) as gate:
            yield Asking(gate, service, milter, db, place)


@pytest.fixture(autouse=True)
def backend_works(backend: Scripted) -> None:
    """It takes what comes."""
    backend.does()


def asked(found: Numbers, server: str) -> dict[str, float]:
    """What became of the questions to one, those that there were."""
    of_each = {
        result: found("server_queries_total", server=server, result=result)
        for result in ("answered", "failed", "skipped")
    }
    return {result: number for result, number in of_each.items() if number}


def test_visits_of_triplets_are_counted_by_how_they_came(asking: Asking) -> None:
    """New, too early, late enough, and known; who is asked answers each time."""
    gate, place = asking.gate, asking.place
    for age in (0, 5, 400, 0):
        triplets.grow_older(asking.db, age)
        gate.converse([EHLO, MAIL, RCPT, b"QUIT"])
    found = wait_for(place, 1, "greylist_total", result="known")

    came = {result: found("greylist_total", result=result) for result in ("new", "early", "passed", "known", "error")}
    assert came == {"new": 1, "early": 1, "passed": 1, "known": 1, "error": 0}
    assert asked(found, "greylist") == {"answered": 4}
    assert asked(found, "policy") == {"answered": 4}
    assert asked(found, "ledger") == {}
    for server, number in (("greylist", 4), ("policy", 4), ("ledger", 0)):
        assert found("server_query_seconds_count", server=server) == number
        assert (found("server_query_seconds_sum", server=server) > 0) == (number > 0)
    assert asked(found, "milter")["answered"] > 4
    assert set(asked(found, "milter")) == {"answered"}


def test_who_fails_is_counted_and_not_asked_again_at_once(asking: Asking) -> None:
    """A policy service, and a milter."""
    gate, place, before = asking.gate, asking.place, numbers(asking.place)
    asking.service.say(CLOSES)
    asking.milter.says[b"M"] = CLOSES
    asking.service.drop()
    gate.converse([EHLO, MAIL, SECOND, SECOND, b"QUIT"])
    found = wait_for(place, 1, "server_queries_total", server="policy", result="skipped")

    assert found("server_queries_total", server="policy", result="failed") == 1
    assert found("server_queries_total", server="policy", result="answered") == before(
        "server_queries_total", server="policy", result="answered"
    )
    assert found("server_queries_total", server="milter", result="failed") == 1


def test_a_ledger_that_cannot_be_asked_is_seen(tmp_path: Path) -> None:
    """One that answers, too."""
    good = relay.made(tmp_path / "ledger")
    for number, (store, results) in enumerate(
        ((good, {"answered"}), (str(tmp_path / "none" / "db"), {"failed", "skipped"}))
    ):
        place = tmp_path / f"numbers-{number}"
        words = (*QUIET, "--metrics", f"unix:{place}", "-w1")
        chain = (relay.RELAY, "check", "-s", store, "true")
        with Server(ours("pytcpserver"), words, chain, tmp_path) as server:
            server.talk()
            wait_for(place, 1, "program_exits_total", status="0")
            became = until(partial(_of_ledger, place))
            assert set(became) <= results


def _of_ledger(place: Path) -> dict[str, float]:
    return asked(numbers(place), "ledger")


def test_when_a_certificate_ends_is_told_also_of_a_renewed_one(tmp_path: Path) -> None:
    """By whichever worker has read it."""
    authority, place = Authority(tmp_path), tmp_path / "numbers"
    ends = [datetime(year, 1, 2, tzinfo=UTC) for year in (2031, 2032)]
    pair = authority.pair("mx.example", file="used", not_after=ends[0])
    words = (*QUIET, "-w1", "--metrics", f"unix:{place}", "--tls", f"{pair.certificate}:{pair.key}")
    name = "tls_certificate_expiry_timestamp_seconds"
    with Server(ours("pytcpserver"), words, ("true",), tmp_path) as server:
        until(place.exists)
        wait_for(place, ends[0].timestamp(), name, name=str(pair.certificate))

        other = authority.pair("mx.example", file="other", not_after=ends[1])
        os.rename(other.key, pair.key)
        os.rename(other.certificate, pair.certificate)
        server.process.send_signal(signal.SIGHUP)
        wait_for(place, ends[1].timestamp(), name, name=str(pair.certificate))


def test_clients_that_a_worker_has_accepted_and_cannot_serve_yet_are_told(tmp_path: Path) -> None:
    """As the listener's queue is about to overflow."""
    place = tmp_path / "numbers"
    words = (*QUIET, "-w1", "-c1", "-b", "2", "--metrics", f"unix:{place}")
    with Server(ours("pytcpserver"), words, ("cat",), tmp_path) as server, ExitStack() as stack:
        clients = [stack.enter_context(server.connect()) for _ in range(4)]
        until(lambda: numbers(place)("overflow_queue") > 0, "a client in the overflow queue")
        for client in clients:
            client.close()
        wait_for(place, 0, "overflow_queue")


def test_clients_that_wait_to_be_accepted_are_told(tmp_path: Path) -> None:
    """While no worker accepts any."""
    place = tmp_path / "numbers"
    words = (*QUIET, "-w1", "-b", "7", "--metrics", f"unix:{place}")
    with Server(ours("pytcpserver"), words, ("cat",), tmp_path) as server:
        assert wait_for(place, 1, "workers")("listen_queue") == 0
        assert numbers(place)("listen_queue_limit") == 7
        stopped = [pid for pid in children(server.process.pid) if b"/w" in Path(f"/proc/{pid}/comm").read_bytes()]
        for pid in stopped:
            os.kill(pid, signal.SIGSTOP)
        try:
            waiting = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(3)]
            wait_for(place, 3, "listen_queue")
        finally:
            for pid in stopped:
                os.kill(pid, signal.SIGCONT)
        wait_for(place, 0, "listen_queue")
        for client in waiting:
            client.close()
