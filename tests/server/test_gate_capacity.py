"""Slots, places and HUP with a gate: cases 48 and 49, and point 6 of the issue; test_long_waits.py has the rest."""

import contextlib
import os
import signal
from pathlib import Path

import pytest

from tests.support.backends.known import Scripted
from tests.support.gate import LOCAL, MAIL, RCPT, RELAY, Gate, controls, gated
from tests.support.long_waits import BODY, EHLO, in_transaction
from tests.support.server import children
from tests.support.smtp_client import Content, shorts
from tests.support.waiting import until


@pytest.fixture
def backend(tmp_path: Path) -> Scripted:
    """The backend."""
    return Scripted(tmp_path / "backend")


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
            left = until(lambda: [client for client in idle if client.rest_so_far()], "somebody to leave")
            assert safe not in left
            assert [reply[:3] for reply in shorts(safe.converse([b"DATA", Content(BODY), b"QUIT"]))] == [
                "354",
                "250",
                "221",
            ]


def test_case_49_new_parameters_are_read_at_hup(backend: Scripted, tmp_path: Path) -> None:
    """Whoever comes behind it finds the control files of now, and so does the greeting."""
    control = controls(tmp_path / "control")
    with gated(backend.argv, tmp_path, control=control) as gate:
        controls(control, smtpgreeting="other.example.org welcomes")
        gate.process.send_signal(signal.SIGHUP)
        until(lambda: _banner(gate) == b"220 other.example.org welcomes ESMTP", "the new greeting")


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
