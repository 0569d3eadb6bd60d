"""How a service stops that has a balancer before it, and how long its clients keep its workers."""

import contextlib
import os
import signal
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.support.certificates import Authority
from tests.support.metrics import ask
from tests.support.programs import ours
from tests.support.proxying import LOCAL, block
from tests.support.server import QUIET, Server, children, talk
from tests.support.tls import shake_hands, trusting
from tests.support.waiting import until

SERVER = ours("pytcpserver")
OPTIONS = (*QUIET, "-w1", "--proxy-from=127.0.0.1")
ECHO = ("echo", "served")


@contextlib.contextmanager
def _lame(folder: Path) -> Iterator[Server]:
    """A server that was told to stop, and has time to."""
    with Server(SERVER, (*OPTIONS, "--lame=600"), ECHO, folder) as server:
        assert server.talk(LOCAL) == server.talk(block()) == b"served\n"
        server.process.send_signal(signal.SIGTERM)
        server.wait_log(b"tcpserver: stop in 600 seconds, until then checks of proxies fail\n")
        yield server


def test_a_balancer_hears_first_that_a_service_stops(tmp_path: Path) -> None:
    """Its checks fail while clients are served; workers that begin then know it, too; a second TERM stops."""
    with _lame(tmp_path) as server:
        until(lambda: server.talk(LOCAL) == b"", "a check that fails")
        assert server.talk(block()) == b"served\n"

        worker = children(server.process.pid)[0]
        os.kill(worker, signal.SIGKILL)
        until(lambda: children(server.process.pid) not in ([], [worker]), "another worker")
        until(lambda: server.talk(LOCAL) == b"", "a check that fails")
        assert server.talk(block()) == b"served\n"

        assert server.stop() == 0


def test_a_balancer_that_asks_for_readiness_hears_it_too(tmp_path: Path) -> None:
    """With or without a proxy; it lives on."""
    place = tmp_path / "numbers"
    with Server(SERVER, (*QUIET, "-w1", "--lame=600", f"--metrics=unix:{place}"), ECHO, tmp_path) as server:
        until(lambda: ask(place, "/readyz").status == 200, "readiness")
        server.process.send_signal(signal.SIGTERM)
        server.wait_log(b"tcpserver: stop in 600 seconds")

        assert ask(place, "/readyz")[::2] == (503, "lame: it is about to stop\n")
        assert ask(place, "/healthz").status == 200
        assert server.talk() == b"served\n"


def test_a_service_stops_when_it_was_lame_for_long_enough(tmp_path: Path) -> None:
    """It need not be told again."""
    with Server(SERVER, (*OPTIONS, "--lame=1"), ECHO, tmp_path) as server:
        begun = time.monotonic()
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(30) == 0
        assert time.monotonic() - begun >= 1


def test_without_time_a_service_stops_at_once(tmp_path: Path) -> None:
    """As in C."""
    with Server(SERVER, OPTIONS, ECHO, tmp_path) as server:
        assert server.stop() == 0
        assert server.log() == b""


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGTERM])
def test_clients_that_a_worker_carries_have_an_end(number: signal.Signals, tmp_path: Path) -> None:
    """The others, who have their programs to themselves, go on."""
    authority = Authority(tmp_path)
    pair = authority.pair("mx.example")
    tls = f"--tls={pair.certificate}:{pair.key}"
    with (
        Server(SERVER, (*QUIET, "-w1", "--drain=1", tls), ("cat",), tmp_path) as server,
        shake_hands(trusting(authority.ca_file), server.connect(), "mx.example") as client,
    ):
        client.sendall(b"x")
        assert client.recv(10) == b"x"
        worker = children(server.process.pid)[0]
        server.process.send_signal(number)
        with contextlib.suppress(OSError):
            assert client.recv(10) == b""
        until(lambda: not Path(f"/proc/{worker}/exe").exists(), "the old worker's end")


def test_programs_go_on_when_their_worker_has_gone(tmp_path: Path) -> None:
    """--drain is for those that a worker carries."""
    with (
        Server(SERVER, (*QUIET, "-w1", "--drain=1", "-v"), ("cat",), tmp_path) as server,
        closing(server.connect()) as client,
    ):
        server.wait_log(b" ok ")
        worker = children(server.process.pid)[0]
        server.process.send_signal(signal.SIGHUP)
        until(lambda: worker not in children(server.process.pid), "the old worker's end")
        assert talk(client, b"still") == b"still"
