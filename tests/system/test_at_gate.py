"""A client of a worker at the gate: what it is counted for, what it holds, and its lines in the connections' log."""

import asyncio
import os
import signal
import socket
from collections.abc import Awaitable, Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from tests.support.admission import SETTINGS, Lines
from tests.support.gate import controls, no_ways, without_ids
from tests.support.gate_room import BANNER, MAIL, OBLIGING, RCPT, SHELL, Guest, connected_over_tcp, eventually
from ucspi_py.core.client.connection import Endpoints
from ucspi_py.core.client.limits import ClientLimits, Keys
from ucspi_py.core.gate.settings import GateSettings
from ucspi_py.core.rules.data import DEFAULT
from ucspi_py.core.smtp.verdict import Accept, Refuse, Verdict
from ucspi_py.system.accept.client_counter import ClientCounter
from ucspi_py.system.accept.scoreboard import Place, Scoreboard
from ucspi_py.system.accept.slots import Slots
from ucspi_py.system.backend.backends import Backends
from ucspi_py.system.backend.spawn import Launcher, SpawnAttributes
from ucspi_py.system.gate.gate import Gate
from ucspi_py.system.lookup.names import NameLookup
from ucspi_py.system.process import children
from ucspi_py.system.process.loop import new_loop
from ucspi_py.system.refuse.held import Held
from ucspi_py.system.report.connection_log import ConnectionLog
from ucspi_py.system.service.context import Service
from ucspi_py.system.service.session import serve

ENDPOINTS = Endpoints(b"127.0.0.1", b"25", b"192.0.2.1", b"4000")
KEYS = Keys(11, 22)
TO_BACKEND = (b"HELO c.example", MAIL, RCPT)


class Worker:
    """A worker's gate before a program, with two slots and three places; refused: by the screen before it."""

    def __init__(
        self, folder: Path, script: str = OBLIGING, refused: Refuse | None = None, *, program: str = "/bin/sh"
    ) -> None:
        self.log = Lines()
        self.board = Scoreboard(2, 3)
        self.slots = Slots(self.board, 0, self._on_change)
        self.held = Held(self.board, self._on_change)
        self.guests: list[Guest] = []
        self.sockets: list[socket.socket] = []
        launcher = Launcher((program, "-c", SHELL + script), SpawnAttributes((), None, (), ()))
        log = ConnectionLog(self.log, self.board, 2)
        self.verdict: Verdict = refused or Accept()
        screen = SimpleNamespace(judge=self._judge, settings=SimpleNamespace(log_name=b"rblsmtpd"))
        gate = Gate(GateSettings(qmail_control=str(controls(folder / "control"))), self.log, lambda: False, no_ways)
        self.backends = Backends(self.slots, launcher, log, lambda: None, in_bursts=False)
        self.service = Service(
            settings=replace(SETTINGS, client_limits=ClientLimits(per_client=9)),
            names=NameLookup(SETTINGS, cast(Any, None)),
            decide=lambda *_client: DEFAULT,
            environment={b"PATH": b"/usr/bin:/bin", b"OUT": os.fsencode(folder / "out"), b"SMTPS": b"1"},
            counter=ClientCounter(self.board, None),
            screens=cast(Any, (screen,)),
            gate=gate,
            held=self.held,
            backends=self.backends,
            connection_log=log,
        )

    @property
    def counted(self) -> int:
        """How often the client is counted."""
        return self.board.count_client(KEYS.client)

    @property
    def running(self) -> int:
        """Backends that run."""
        return self.board.running()

    def told(self, word: bytes) -> list[bytes]:
        """Lines of the log that have a word in them."""
        return [line for line in self.log.lines if word in line]

    async def guest(self) -> Guest:
        """A new client."""
        ours, theirs = connected_over_tcp()
        ours.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 0)
        self.sockets.append(ours)
        row = self.board.claim(self.board.pending)
        assert row is not None
        self.board.name(row, *KEYS)
        guest = Guest(theirs, row, cast(Any, None), asyncio.create_task(self._serve(ours, row)))
        self.guests.append(guest)
        return guest

    async def _serve(self, ours: Any, row: int) -> None:
        try:
            await serve(self.service, ours, ENDPOINTS, Place(row, KEYS))
        finally:
            self.board.give_back(row)

    async def _judge(self, _environment: dict[bytes, bytes], _client: Any, /) -> Verdict:
        return self.verdict

    def _on_change(self) -> None:
        asyncio.get_running_loop().call_soon(self.slots.serve_waiting)

    def reap(self) -> None:
        """As a worker does."""
        for pid, status in children.reap():
            self.backends.ended(pid, status)


def play(worker: Worker, story: Callable[[Worker], Awaitable[None]]) -> Worker:
    """Play a story; nothing is claimed, counted or held afterwards, and nothing has gone wrong unseen."""
    troubles: list[Any] = []

    async def whole() -> None:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _loop, context: troubles.append(context))
        loop.add_signal_handler(signal.SIGCHLD, worker.reap)
        async with asyncio.timeout(30):
            try:
                await story(worker)
            finally:
                for guest in worker.guests:
                    guest.socket.close()
                    await guest.gone()
            await eventually(lambda: not worker.running)
        loop.remove_signal_handler(signal.SIGCHLD)

    with closing(new_loop()) as loop:
        loop.run_until_complete(whole())
    assert not troubles
    assert (worker.board.free(worker.board.slots), worker.board.free(worker.board.pending)) == (2, 3)
    assert worker.counted == 0
    assert not worker.slots.awaited
    assert not worker.held.dismiss_oldest()
    return worker


def test_a_client_is_counted_once_with_its_backend_or_without(tmp_path: Path) -> None:
    """For its place, then for its slot, and for its place again."""

    async def story(worker: Worker) -> None:
        guest = await worker.guest()
        assert await guest.line() == BANNER
        assert (worker.counted, worker.running) == (1, 0)
        assert await guest.ask(*TO_BACKEND) == b"250 ok"
        assert (worker.counted, worker.running) == (1, 1)
        assert await guest.ask(b"RSET", MAIL, RCPT, b"DATA") == b"354 go"
        assert (await guest.ask(b"bare\nLF\r\n.")).startswith(b"550 ")
        await eventually(lambda: not worker.running)
        assert worker.counted == 1

    play(Worker(tmp_path), story)


def test_a_client_whose_last_backend_is_slow_to_end_is_not_counted_once_too_often(tmp_path: Path) -> None:
    """While both run it has two; then it has one, although the first has ended."""
    slow = "until_dot() { while h; do case $line in .?) return;; esac; done; held; exit 54; }"
    slow += OBLIGING.replace("held; until_dot; held;", "until_dot;")

    async def story(worker: Worker) -> None:
        guest = await worker.guest()
        await guest.line()
        (tmp_path / "out.held").touch()
        assert await guest.ask(*TO_BACKEND, b"DATA") == b"354 go"
        assert (await guest.ask(b"bare\nLF\r\n.")).startswith(b"550 ")
        assert await guest.ask(MAIL, RCPT) == b"250 ok"
        assert (worker.counted, worker.running) == (2, 2)
        (tmp_path / "out.held").unlink()
        await eventually(lambda: worker.running == 1)
        assert worker.counted == 1

    play(Worker(tmp_path, slow), story)


def test_a_backend_that_outlives_its_client_keeps_its_slot_and_counts(tmp_path: Path) -> None:
    """And nothing else: the place is another's by then."""
    (tmp_path / "out.held").touch()

    async def story(worker: Worker) -> None:
        guest = await worker.guest()
        await guest.line()
        assert await guest.ask(*TO_BACKEND) == b"250 ok"
        await guest.ask(b"QUIT")
        await guest.gone()
        assert worker.board.free(worker.board.pending) == 3
        assert (worker.counted, worker.running) == (1, 1)
        other = worker.board.claim(worker.board.pending)
        assert other is not None
        worker.board.name(other, 33, 44)
        (tmp_path / "out.held").unlink()
        await eventually(lambda: not worker.running)
        assert worker.counted == 0
        assert worker.board.count_client(33) == 1
        worker.board.give_back(other)

    play(Worker(tmp_path, OBLIGING.replace("exit;;", "held; exit;;")), story)


def test_a_backend_has_the_environment_that_the_gate_gives(tmp_path: Path) -> None:
    """It speaks no TLS with us, whatever the client's service is called; its client has a name in it."""

    async def story(worker: Worker) -> None:
        guest = await worker.guest()
        await guest.line()
        assert await guest.ask(*TO_BACKEND) == b"553 none 192.0.2.1"

    play(Worker(tmp_path, 's "553 ${SMTPS-none} $TCPREMOTEIP"; h'), story)


def test_how_a_backend_has_ended_is_told(tmp_path: Path) -> None:
    """With the exit code that the worker has reaped."""

    async def story(worker: Worker) -> None:
        guest = await worker.guest()
        await guest.line()
        assert (await guest.ask(*TO_BACKEND)).startswith(b"451 4.3.0 ")
        await eventually(lambda: worker.told(b"the backend ended when a reply to HELO was due (exit code 3)"))

    play(Worker(tmp_path, "s '220 here'; h; exit 3"), story)


def test_replies_leave_at_once(tmp_path: Path) -> None:
    """The socket has the options of all our clients."""

    async def story(worker: Worker) -> None:
        guest = await worker.guest()
        await guest.line()
        assert worker.sockets[0].getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)

    play(Worker(tmp_path), story)


def test_who_leaves_while_all_slots_are_taken_waits_for_none(tmp_path: Path) -> None:
    """Nobody is served in its stead."""

    async def story(worker: Worker) -> None:
        guests = [await worker.guest() for _ in range(3)]
        for guest in guests[:2]:
            await guest.line()
            assert await guest.ask(*TO_BACKEND) == b"250 ok"
        last = guests[2]
        await last.line()
        await last.ask(*TO_BACKEND[:-1])
        await last.say(RCPT + b"\r\n")
        await eventually(lambda: worker.slots.awaited)
        last.reset()
        await last.gone()
        assert not worker.slots.awaited
        assert worker.running == 2

    play(Worker(tmp_path), story)


def test_who_waits_for_a_slot_has_the_next_one(tmp_path: Path) -> None:
    """Its recipient is answered then."""

    async def story(worker: Worker) -> None:
        guests = [await worker.guest() for _ in range(3)]
        for guest in guests:
            await guest.line()
            await guest.ask(*TO_BACKEND[:-1])
            await guest.say(RCPT + b"\r\n")
        assert (await guests[0].line(), await guests[1].line()) == (b"250 ok", b"250 ok")
        await eventually(lambda: worker.slots.awaited)
        await guests[0].ask(b"QUIT")
        assert await guests[2].line() == b"250 ok"

    play(Worker(tmp_path), story)


def test_who_was_asked_to_leave_is_known_no_more(tmp_path: Path) -> None:
    """Its place is free, and it is not asked again."""

    async def story(worker: Worker) -> None:
        guest = await worker.guest()
        await guest.line()
        assert worker.board.dismiss_oldest()
        worker.held.dismiss_asked()
        assert (await guest.rest())[0].startswith(b"421 4.3.2 ")
        await guest.gone()
        worker.held.dismiss_asked()

    play(Worker(tmp_path), story)


def test_the_lines_of_a_client_without_a_backend(tmp_path: Path) -> None:
    """Arrived, ok, ended: as of one with a process."""

    async def story(worker: Worker) -> None:
        guest = await worker.guest()
        await guest.line()
        await guest.ask(b"QUIT")
        await guest.gone()

    worker = play(Worker(tmp_path), story)

    assert [len(worker.told(word)) for word in (b"pid %d from" % os.getpid(), b": ok %d" % os.getpid(), b": end ")] == [
        1,
        1,
        1,
    ]


def test_the_lines_of_a_client_with_a_backend_are_those_of_the_backend(tmp_path: Path) -> None:
    """It is told of once."""

    async def story(worker: Worker) -> None:
        guest = await worker.guest()
        await guest.line()
        await guest.ask(*TO_BACKEND, b"QUIT")
        await eventually(lambda: not worker.running)

    worker = play(Worker(tmp_path), story)

    assert not worker.told(b"pid %d from" % os.getpid())
    assert len(worker.told(b": ok ")) == len(worker.told(b": end ")) == 1


@pytest.mark.parametrize(
    ("trouble", "heard"), [("databytes", [b"421 4.3.0 unable to read controls"]), ("ZeroDivisionError", [])]
)
def test_a_client_that_meets_trouble_has_its_lines_once(
    trouble: str, heard: list[bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a control file that cannot be read, or of an error of ours."""
    worker = Worker(tmp_path)
    if heard:
        (tmp_path / "control/databytes").mkdir()
    else:
        monkeypatch.setattr("ucspi_py.system.gate.gate.visitor", lambda *_arguments: 1 // 0)

    async def story(worker: Worker) -> None:
        guest = await worker.guest()
        assert await guest.rest() == heard
        await guest.gone()

    play(worker, story)

    assert len(worker.told(b": end ")) == len(worker.told(b"pid %d from" % os.getpid())) == 1
    assert len(worker.told(trouble.encode())) == 1


def test_a_program_that_cannot_be_run_is_told_of_to_client_and_log(tmp_path: Path) -> None:
    """The third time the client is left."""

    async def story(worker: Worker) -> None:
        guest = await worker.guest()
        await guest.line()
        replies = [await guest.ask(*TO_BACKEND), await guest.ask(RCPT), await guest.ask(RCPT), await guest.line()]
        assert [reply[:4] for reply in replies] == [b"451 ", b"451 ", b"421 ", b""]

    worker = play(Worker(tmp_path, program="/nonexistent"), story)

    assert len(worker.told(b"unable to run /nonexistent")) == 3


def test_a_screen_before_the_gate_has_its_line_and_its_way(tmp_path: Path) -> None:
    """Under its own name; the client hears it at its recipient, and has no backend."""

    async def story(worker: Worker) -> None:
        guest = await worker.guest()
        await guest.line()
        assert await guest.ask(*TO_BACKEND) == b"553 listed"
        assert not worker.running

    worker = play(Worker(tmp_path, refused=Refuse(553, b"listed")), story)

    line = b"rblsmtpd:  pid %d: 553 listed; from=<s@example.net> to=<r@example.org> proto=SMTP helo=<c.example>\n"
    assert [without_ids(told).replace(b"192.0.2.1", b"") for told in worker.told(b"rblsmtpd:")] == [line % os.getpid()]
