"""Slots, places, HUP and TERM with a gate: cases 48 and 49, and point 6 of the issue."""

import contextlib
import os
import signal
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.support.backends.known import NotQmail, Scripted
from tests.support.gate import LOCAL, MAIL, RCPT, RELAY, Gate, controls, gated
from tests.support.server import children
from tests.support.smtp_client import Client, Content, shorts
from tests.support.waiting import until

EHLO = b"EHLO client.example.net"
BODY = b"Subject: x\r\n\r\nbody\r\n.\r\n"


@pytest.fixture
def backend(tmp_path: Path) -> Scripted:
    """The backend."""
    return Scripted(tmp_path / "backend")


class Waiting(NamedTuple):
    """The one slot, who has it, and who wants it since when (monotonic second); idle clients of a full service."""

    first: Client
    second: Client
    since: float
    idle: Sequence[Client]


def in_transaction(gate: Gate, source: str = LOCAL) -> Client:
    """A client with an accepted recipient."""
    client = gate.client(source)
    assert shorts(client.converse([EHLO, MAIL, RCPT]))[2] == "250"
    return client


@pytest.fixture(scope="module", autouse=True)
def waiting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Waiting]:
    """Clients that have been waiting since the first test of this module."""
    folder = tmp_path_factory.mktemp("waiting")
    backend = Scripted(folder / "backend")
    with (
        gated(backend.argv, folder / "slot", options=("-c", "1")) as gate,
        gated(backend.argv, folder / "places", options=("--held", "5")) as crowded,
        in_transaction(gate) as first,
        gate.client() as second,
        contextlib.ExitStack() as stack,
    ):
        second.converse([EHLO, MAIL])
        second.say(RCPT + b"\r\n")
        idle = [stack.enter_context(crowded.client()) for _ in range(5)]
        yield Waiting(first, second, time.monotonic(), idle)


class TestSlots:
    """Case 48."""

    def test_case_48_clients_without_a_recipient_take_no_slot(self, backend: Scripted, tmp_path: Path) -> None:
        """With one slot, ten clients wait behind MAIL, and another one delivers its message."""
        with gated(backend.argv, tmp_path, options=("-c", "1")) as gate, contextlib.ExitStack() as stack:
            for _ in range(10):
                client = stack.enter_context(gate.client())
                client.converse([EHLO, MAIL])
            replies = gate.converse([EHLO, MAIL, RCPT, b"DATA", Content(BODY), b"QUIT"])
            assert [reply[:3] for reply in shorts(replies)[2:]] == ["250", "354", "250", "221"]

    def test_case_48_a_recipient_waits_for_a_slot(self, backend: Scripted, tmp_path: Path) -> None:
        """Its reply comes when the slot is free."""
        with (
            gated(backend.argv, tmp_path, options=("-c", "1")) as gate,
            in_transaction(gate) as first,
            gate.client() as second,
        ):
            second.converse([EHLO, MAIL])
            second.say(RCPT + b"\r\n")
            second.socket.settimeout(0.3)
            with pytest.raises(TimeoutError):
                second.reply()
            second.socket.settimeout(30)
            first.converse([b"QUIT"])
            assert shorts([second.reply()]) == ["250"]

    def test_case_48_who_gives_up_waiting_wants_no_slot(self, backend: Scripted, tmp_path: Path) -> None:
        """The next one does not wait for it."""
        with gated(backend.argv, tmp_path, options=("-c", "1")) as gate:
            with in_transaction(gate) as first:
                with gate.client() as gone:
                    gone.converse([EHLO, MAIL])
                    gone.say(RCPT + b"\r\n")
                    gone.wait_read()
                    gone.reset()
                first.converse([b"QUIT"])
            with in_transaction(gate):
                pass
        assert len(backend.visits()) == 2

    def test_case_48_the_reserve_is_for_who_relays(self, backend: Scripted, tmp_path: Path) -> None:
        """With one of two slots reserved, a stranger waits behind a stranger, and a relay does not."""
        with (
            gated(backend.argv, tmp_path, options=("-c", "2", "--reserve", "1")) as gate,
            in_transaction(gate, "127.0.0.1"),
            gate.client() as second,
        ):
            second.converse([EHLO, MAIL])
            second.say(RCPT + b"\r\n")
            second.socket.settimeout(0.3)
            with pytest.raises(TimeoutError):
                second.reply()
            with in_transaction(gate, RELAY):
                pass

    def test_clients_of_the_gate_count_for_the_limits_of_one_client(self, backend: Scripted, tmp_path: Path) -> None:
        """-C holds for those who have no program yet."""
        with gated(backend.argv, tmp_path, options=("-C", "2")) as gate:
            with gate.client(), gate.client(), gate.connect() as third:
                assert not third.recv(100).startswith(b"220")
            until(lambda: _greeted(gate), "a place")

    def test_only_those_with_a_recipient_are_safe_from_newcomers(self, backend: Scripted, tmp_path: Path) -> None:
        """With two places, the fourth client has the oldest without a recipient leave, with 421."""
        with gated(backend.argv, tmp_path, options=("--held", "2")) as gate, contextlib.ExitStack() as stack:
            safe = stack.enter_context(in_transaction(gate))
            idle = [stack.enter_context(gate.client()) for _ in range(3)]
            left = until(lambda: [client for client in idle if _has_left(client)], "somebody to leave")
            assert safe not in left
            assert [reply[:3] for reply in shorts(safe.converse([b"DATA", Content(BODY), b"QUIT"]))] == [
                "354",
                "250",
                "221",
            ]


class TestSignals:
    """Case 49."""

    def test_case_49_a_message_on_its_way_is_finished(self, tmp_path: Path) -> None:
        """In the old worker, at HUP and at TERM; a client that was idle hears 421 4.3.2 after a moment."""
        control = controls(tmp_path / "control")
        numbers = (signal.SIGHUP, signal.SIGTERM)
        backends = [NotQmail(tmp_path / f"backend-{number}", control) for number in numbers]
        with contextlib.ExitStack() as stack:
            gates = [
                stack.enter_context(
                    gated(backend.argv, tmp_path / f"{number}", control=control, variables=backend.environment)
                )
                for backend, number in zip(backends, numbers, strict=True)
            ]
            sending = [stack.enter_context(in_transaction(gate)) for gate in gates]
            idle = [stack.enter_context(gate.client()) for gate in gates]
            workers = [set(children(gate.process.pid)) for gate in gates]
            for gate, client, other, number in zip(gates, sending, idle, numbers, strict=True):
                other.converse([EHLO])
                assert shorts(client.converse([b"DATA"])) == ["354"]
                client.say(BODY[:20])
                client.wait_read()
                gate.process.send_signal(number)
            for client, other in zip(sending, idle, strict=True):
                assert shorts(other.rest()) == ["421 4.3.2"]
                client.say(BODY[20:])
                assert shorts(client.replies(1)) == ["250"]
                client.converse([b"QUIT"])
            until(lambda: not workers[0] & set(children(gates[0].process.pid)), "the old worker to leave")
            assert shorts(gates[0].converse([EHLO, MAIL, RCPT, b"QUIT"]))[2] == "250"
            until(lambda: gates[1].process.poll() is not None, "the end of the service")
        for backend in backends:
            assert [message.text for message in backend.messages()] == [b"Subject: x\n\nbody\n"]

    def test_case_49_new_parameters_are_read_at_hup(self, backend: Scripted, tmp_path: Path) -> None:
        """Whoever comes behind it finds the control files of now, and so does the greeting."""
        control = controls(tmp_path / "control")
        with gated(backend.argv, tmp_path, control=control) as gate:
            controls(control, smtpgreeting="other.example.org welcomes")
            gate.process.send_signal(signal.SIGHUP)
            until(lambda: _banner(gate) == b"220 other.example.org welcomes ESMTP", "the new greeting")


def test_case_48_who_waits_too_long_is_told_to_come_again(waiting: Waiting) -> None:
    """451 4.3.2 after half a minute, and the client is kept: it gets the slot once that is free."""
    first, second, since, _ = waiting
    second.socket.settimeout(60)
    assert shorts([second.reply()]) == ["451 4.3.2"]
    assert time.monotonic() - since > 25
    first.converse([b"QUIT"])
    assert shorts(second.converse([RCPT])) == ["250"]


def test_clients_of_a_crowded_service_are_left_after_ten_seconds(waiting: Waiting) -> None:
    """All places were taken: 421 4.4.2, long before smtpd_timeout, until few enough are there."""
    until(
        lambda: [client for client in waiting.idle if shorts(_has_left(client)) == ["421 4.4.2"]], "somebody to leave"
    )


def test_a_client_that_does_not_read_is_not_read_from(backend: Scripted, tmp_path: Path) -> None:
    """Its replies fill what there is between us; the worker does not grow, and others are served."""
    parameters = ("smtpd_junk_command_limit=999999", "smtpd_hard_error_limit=999999")
    with gated(backend.argv, tmp_path, parameters=parameters) as gate, gate.client(LOCAL) as client:
        assert shorts(gate.converse([EHLO, MAIL, RCPT, b"QUIT"]))[2] == "250"
        (worker,) = children(gate.process.pid)
        before, sent = _resident(worker), 0
        client.converse([EHLO])
        client.socket.settimeout(0.5)
        with contextlib.suppress(TimeoutError):
            while sent < 50_000_000:
                sent += client.socket.send(b"RSET\r\n" * 10_000)
        assert sent < 50_000_000
        assert _resident(worker) - before < 2_000_000
        assert shorts(gate.converse([EHLO, MAIL, RCPT, b"QUIT"]))[2] == "250"


def test_sessions_leave_no_descriptor_behind(backend: Scripted, tmp_path: Path) -> None:
    """However they end."""
    with gated(backend.argv, tmp_path) as gate:
        gate.converse([EHLO, MAIL, RCPT, b"QUIT"])
        (worker,) = children(gate.process.pid)
        before = until(lambda: _descriptors(worker))
        for steps in (
            [EHLO],
            [EHLO, MAIL, RCPT],
            [EHLO, MAIL, RCPT, b"DATA"],
            [EHLO, MAIL, RCPT, b"QUIT"],
            [b"BDAT x"],
        ):
            gate.converse(steps)
            with gate.client() as client:
                client.converse(steps)
                client.reset()
        until(lambda: _descriptors(worker) <= before, "the descriptors to be closed")


def _resident(pid: int) -> int:
    """Bytes of memory that a process has."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def _descriptors(pid: int) -> int:
    """How many a process has."""
    return len(os.listdir(f"/proc/{pid}/fd"))


def _banner(gate: Gate) -> bytes:
    with gate.silent_client() as client:
        return client.reply()


def _greeted(gate: Gate) -> bool:
    with gate.connect() as client:
        return client.recv(100).startswith(b"220")


def _has_left(client: Client) -> Sequence[bytes]:
    client.socket.setblocking(False)
    try:
        return client.rest()
    except BlockingIOError:
        return ()
    finally:
        client.socket.settimeout(30)
