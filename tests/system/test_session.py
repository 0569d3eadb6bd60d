"""One connection from its banner to its program: the order of the rooms, and what a client that ends early has met."""

import asyncio
import os
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import pytest

from tests.support.admission import SETTINGS, Lines
from tests.support.held import heard, some_turns
from ucspi_py.core.client.connection import Endpoints
from ucspi_py.core.client.limits import ClientLimits, Excess, Keys
from ucspi_py.core.errors import Failure
from ucspi_py.core.rules.data import DEFAULT, Instructions
from ucspi_py.core.smtp.verdict import Accept, Refuse, Verdict
from ucspi_py.system.accept.client_counter import ClientCounter
from ucspi_py.system.accept.scoreboard import Place, Scoreboard
from ucspi_py.system.accept.slots import Slots
from ucspi_py.system.backend.backends import Backends
from ucspi_py.system.backend.spawn import Launcher, SpawnAttributes
from ucspi_py.system.lookup.names import NameLookup
from ucspi_py.system.process.loop import new_loop
from ucspi_py.system.refuse.held import Held
from ucspi_py.system.report.connection_log import ConnectionLog
from ucspi_py.system.service.context import Service
from ucspi_py.system.service.session import serve

ENDPOINTS = Endpoints(b"127.0.0.1", b"25", b"192.0.2.1", b"4000")
KEYS = Keys(1, 2)


class Recording(Launcher):
    """Starts nothing, and notes what it was to start."""

    def __init__(self, steps: list[str]) -> None:
        super().__init__(("smtpd",), SpawnAttributes((), None, (), ()))
        self.steps = steps
        self.environment: dict[bytes, bytes] = {}
        self.sends_at_once = False

    def start(self, client_fd: int, environment: dict[bytes, bytes], _more: Sequence[int] = ()) -> int:
        """As if."""
        with socket.socket(fileno=os.dup(client_fd)) as client:
            self.sends_at_once = bool(client.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
        self.steps.append("start")
        self.environment = environment
        return 4711


class Bench:
    """All that a connection meets, and the steps that it has taken. rule: what the rules say, or raise."""

    def __init__(self, rule: Instructions | Exception = DEFAULT, **changes: Any) -> None:
        self.settings = replace(SETTINGS, **changes)
        self.rule = rule
        self.steps: list[str] = []
        self.log = Lines()
        self.board = Scoreboard(2, 2)
        self.launcher = Recording(self.steps)
        self.verdicts: list[Verdict | Exception] = []
        self.left_behind: list[int] = []
        self.slots = Slots(self.board, 0, self._on_change)
        log = ConnectionLog(self.log, self.board, 2)
        screen = SimpleNamespace(
            judge=self._judge, settings=SimpleNamespace(log_name=b"rblsmtpd", session_seconds=60, verbose=True)
        )
        self.service = Service(
            settings=self.settings,
            names=NameLookup(self.settings, cast(Any, None)),
            decide=self._decide,
            environment={b"OURS": b"1", b"TCPREMOTEHOST": b"of whoever started us"},
            counter=ClientCounter(self.board, None),
            screens=cast(Any, (screen, screen)),
            gate=None,
            held=Held(self.board, self._on_change),
            backends=Backends(self.slots, self.launcher, log, self._on_change, in_bursts=False),
            connection_log=log,
        )

    @property
    def told(self) -> bytes:
        """The whole log."""
        return b"".join(self.log.lines)

    def _decide(self, _ip: bytes, _host: bytes | None, _info: bytes | None) -> Instructions:
        self.steps.append("decide")
        if isinstance(self.rule, Exception):
            raise self.rule
        return self.rule

    async def _judge(self, environment: dict[bytes, bytes], _client: socket.SocketType, /) -> Verdict:
        self.steps.append("judge")
        environment[b"MARK"] = b"%d" % len(self.steps)
        verdict = self.verdicts.pop(0) if self.verdicts else Accept()
        if isinstance(verdict, Exception):
            raise verdict
        return verdict

    def _on_change(self) -> None:
        """Nothing else waits."""


@contextmanager
def connection() -> Iterator[tuple[socket.socket, socket.socket]]:
    """Both ends of a client's connection over TCP: ours, theirs."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        theirs = socket.create_connection(server.getsockname())
        ours, _ = server.accept()
    with ours, theirs:
        theirs.setblocking(False)
        yield ours, theirs


def run(bench: Bench, *said: bytes) -> bytes:
    """Serve one client that says so much and leaves; what it has heard. Its socket and its place are given back."""

    async def play() -> bytes:
        with connection() as (ours, theirs):
            row = bench.board.claim(bench.board.pending)
            assert row is not None
            for words in said:
                theirs.send(words)
            async with asyncio.timeout(20):
                await serve(bench.service, ours, ENDPOINTS, Place(row, KEYS))
            assert ours.fileno() == -1
            bench.left_behind.append(bench.board.count_client(KEYS.client))
            bench.board.give_back(row)
            return await heard(theirs, 10_000)

    with closing(new_loop()) as loop:
        return loop.run_until_complete(play())


def test_a_client_that_is_let_in_by_all() -> None:
    """First the rules, then each screen, then its program, whose environment has what each of them has put there."""
    bench = Bench(Instructions(deny=False, variables=((b"RELAYCLIENT", b"@x"),), origin=b"tcp.smtp:3"))

    assert run(bench) == b""

    assert bench.steps == ["decide", "judge", "judge", "start"]
    assert bench.told.index(b"tcp.smtp:3") < bench.told.index(b"pid 4711 from 192.0.2.1")
    assert bench.launcher.sends_at_once
    environment = bench.launcher.environment
    assert environment[b"RELAYCLIENT"] == b"@x"
    assert (environment[b"OURS"], environment[b"MARK"], environment[b"PROTO"]) == (b"1", b"3", b"TCP")
    assert (environment[b"TCPREMOTEIP"], environment[b"TCPLOCALHOST"]) == (b"192.0.2.1", b"here")
    assert b"TCPREMOTEHOST" not in environment
    assert bench.service.environment[b"TCPREMOTEHOST"] == b"of whoever started us"


def test_a_client_that_a_rule_denies() -> None:
    """It has the banner, meets no screen, and is not told why."""
    bench = Bench(Instructions(deny=True, variables=()), banner=b"220 wait\r\n")

    assert run(bench) == b"220 wait\r\n"

    assert bench.steps == ["decide"]
    assert b"tcpserver: deny " in bench.told
    assert b"status 25600" in bench.told


def test_rules_that_cannot_be_read_let_nobody_in() -> None:
    """The reason is in the log, and the client's connection ends."""
    bench = Bench(Failure("unable to read x: access denied"))

    assert run(bench) == b""

    assert bench.steps == ["decide"]
    assert b"dropping connection, unable to read x: access denied" in bench.told


def test_a_client_that_is_gone_before_its_banner() -> None:
    """No rule is looked at for it."""
    bench = Bench(banner=b"220 wait\r\n")
    ours, theirs = socket.socketpair()
    with theirs, closing(new_loop()) as loop:
        ours.shutdown(socket.SHUT_WR)
        loop.run_until_complete(serve(bench.service, ours, ENDPOINTS))

    assert bench.steps == []
    assert b"dropping connection, unable to print banner" in bench.told


@pytest.mark.parametrize("by_rule", [False, True])
def test_a_client_over_its_limit(by_rule: bool) -> None:
    """It is told so after the rules, which may set the limit, and before any screen is asked."""
    variables = ((b"MAXCONNIP", b"1"),) if by_rule else ()
    limits = ClientLimits() if by_rule else ClientLimits(per_client=1)
    bench = Bench(Instructions(deny=False, variables=variables), client_limits=limits)
    bench.board.name(0, *KEYS)
    bench.board.name(2, *KEYS)  # its own

    assert run(bench).startswith(b"421 4.7.0 ")

    assert bench.steps == ["decide"]
    assert b"1/1 connections of the client" in bench.told


def test_a_client_that_the_second_screen_refuses() -> None:
    """It is talked to until it quits; the log has the refusal and what it said of itself, and nothing was started."""
    bench = Bench()
    bench.verdicts = [Accept(), Refuse(451, b"listed")]

    words = run(bench, b"helo x\r\nmail from:<a>\r\nquit\r\n")

    assert words == b"220 rblsmtpd.local\r\n" + b"250 rblsmtpd.local\r\n" * 2 + b"221 rblsmtpd.local\r\n"
    assert bench.steps == ["decide", "judge", "judge"]
    assert b"rblsmtpd: 192.0.2.1 pid " in bench.told
    assert b": 451 listed" in bench.told
    assert b"helo <x> mail <a>\n" in bench.told
    assert not bench.board.anybody_held()


def test_an_error_that_nobody_expected_is_one_clients_trouble() -> None:
    """It has its line, and the connection ends."""
    bench = Bench()
    bench.verdicts = [ValueError("odd")]

    assert run(bench) == b""

    assert bench.steps == ["decide", "judge"]
    assert b"dropping connection, internal error: ValueError: odd (test_session.py:" in bench.told


def test_a_refused_client_needs_a_place() -> None:
    """There is no other way to find it again; that a screen refuses one without is our error, and is told."""
    bench = Bench()
    bench.verdicts = [Refuse(451, b"listed")]
    ours, theirs = socket.socketpair()
    with theirs, closing(new_loop()) as loop:
        loop.run_until_complete(serve(bench.service, ours, ENDPOINTS))

    assert b"internal error: RuntimeError: a client without a place" in bench.told


def test_a_client_that_is_given_up_while_it_waits() -> None:
    """Its socket is closed and no slot is claimed."""
    bench = Bench()
    for _ in bench.board.slots:
        bench.board.claim(bench.board.slots)

    async def play(gives_up: Callable[[asyncio.Task[None]], object]) -> int:
        with connection() as (ours, _):
            task = asyncio.create_task(serve(bench.service, ours, ENDPOINTS))
            await some_turns()
            assert bench.slots.awaited
            gives_up(task)
            with pytest.raises(asyncio.CancelledError):
                await task
            return ours.fileno()

    with closing(new_loop()) as loop:
        assert loop.run_until_complete(play(lambda task: task.cancel())) == -1
    assert not bench.slots.awaited
    assert bench.steps == ["decide", "judge", "judge"]


class Recorded:
    """A fleet that says what it is told to, and notes what it hears. excess: what it finds."""

    def __init__(self, steps: list[str], excess: Excess | None = None) -> None:
        self._steps = steps
        self._excess = excess

    async def enter(self, limits: ClientLimits, ip: bytes, row: int) -> Excess | None:
        """Note it, and find what is to be found."""
        self._steps.append(f"fleet {ip.decode()} {limits.per_client} {row}")
        return self._excess

    async def start(self, start: Callable[..., Any], connection: Any, fd: int, _row: int) -> None:
        """Start it."""
        await start(connection, fd)

    def left(self, row: int) -> None:
        """Note it."""
        self._steps.append(f"left {row}")


def with_fleet(bench: Bench, excess: Excess | None = None) -> Bench:
    """Give it a fleet."""
    bench.service = replace(bench.service, fleet=cast(Any, Recorded(bench.steps, excess)))
    return bench


def test_a_fleet_is_asked_behind_the_host_s_own_limits() -> None:
    """With the limits of the client's rule, before any screen; and it hears that the client has left."""
    bench = with_fleet(Bench(Instructions(deny=False, variables=((b"MAXCONNIP", b"7"),))))

    assert run(bench) == b""

    assert bench.steps == ["decide", "fleet 192.0.2.1 7 2", "judge", "judge", "start", "left 2"]


def test_a_client_that_is_over_its_limit_at_all_hosts() -> None:
    """It is told so, and met by no screen."""
    bench = with_fleet(Bench(), Excess(b"2/2 connections of the client on all hosts", b"421 no\r\n"))

    assert run(bench) == b"421 no\r\n"

    assert bench.steps == ["decide", "fleet 192.0.2.1 None 2", "left 2"]
    assert b": 2/2 connections of the client on all hosts\n" in bench.told


def test_no_fleet_is_asked_about_a_client_that_is_over_the_host_s_limit() -> None:
    """Whatever it may have elsewhere."""
    bench = with_fleet(Bench(client_limits=ClientLimits(per_client=0)))

    assert run(bench).startswith(b"421 4.7.0 ")

    assert bench.steps == ["decide", "left 2"]


def test_a_client_counts_for_its_program_and_not_for_its_place_as_well() -> None:
    """From the start on: what is given back later counts no more."""
    bench = Bench()
    bench.board.name(2, *KEYS)  # its place

    run(bench)

    assert bench.left_behind == [1]
