"""What one client may do at the gate, counted over all workers of the service."""

import os
import signal
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from tests.support.backends.known import Scripted
from tests.support.gate import MAIL, RCPT, RELAY, STRANGER, Gate, gated
from tests.support.programs import theirs
from tests.support.server import children
from tests.support.waiting import until

EHLO = b"EHLO client.example.net"
TOO_MANY_CONNECTIONS = b"421 4.7.0 mx.example.org Error: too many connections from 192.0.2.7"
TOO_MUCH_MAIL = b"450 4.7.1 Error: too much mail from 192.0.2.7"
TOO_MANY_RECIPIENTS = b"450 4.7.1 Error: too many recipients from 192.0.2.7"
WHO = b"client.example.net[192.0.2.7] for service smtp\n"


@contextmanager
def limited(backend: Scripted, folder: Path, *parameters: str, file: Path | None = None) -> Iterator[Gate]:
    """A gate of two workers, whose stranger has a name."""
    rules = '127.0.0.1:allow,TCPREMOTEIP="192.0.2.7",TCPREMOTEHOST="client.example.net"\n'
    rules += '127.0.0.2:allow,TCPREMOTEIP="192.0.2.8",RELAYCLIENT=""\n:allow\n'
    with gated(backend.argv, folder, parameters=parameters, options=("-w", "2"), rules=rules, file=file) as gate:
        yield gate


def heard_first(gate: Gate, source: str = STRANGER) -> list[bytes]:
    """All that a client hears who is left at once."""
    with gate.silent_client(source) as client:
        return client.rest()


def all_heard(gate: Gate, commands: Sequence[bytes], source: str = STRANGER) -> list[bytes]:
    """What a client hears behind its EHLO."""
    return gate.converse([EHLO, *commands], source=source)[1:]


def relieved(gate: Gate) -> None:
    """Have new workers."""
    former = set(children(gate.process.pid))
    gate.process.send_signal(signal.SIGHUP)
    until(lambda: len(new := set(children(gate.process.pid)) - former) == 2 and new, "two new workers")


def test_connections_at_once(backend: Scripted, tmp_path: Path) -> None:
    """The third is told and left; one that leaves makes room. Who may relay is excepted."""
    with limited(backend, tmp_path, "smtpd_client_connection_count_limit=2") as gate, gate.client():
        with gate.client():
            assert [heard_first(gate) for _ in range(3)] == [[TOO_MANY_CONNECTIONS]] * 3
            assert gate.log().count(b"smtpgate: warning: Connection concurrency limit exceeded: 3 from " + WHO) == 3
            with ExitStack() as stack:
                relays = [stack.enter_context(gate.client(RELAY)) for _ in range(4)]
                assert [client.ask(b"NOOP") for client in relays] == [b"250 2.0.0 Ok"] * 4
        until(lambda: again(gate), "a place for another")


def again(gate: Gate) -> bool:
    """Whether one more is let in."""
    with gate.silent_client() as client:
        return client.reply().startswith(b"220 ")


def test_a_running_program_is_no_second_connection(backend: Scripted, tmp_path: Path) -> None:
    """Though it has a row of its own."""
    with limited(backend, tmp_path, "smtpd_client_connection_count_limit=2") as gate, gate.client() as client:
        assert client.converse([EHLO, MAIL, RCPT])[-1].startswith(b"250 ")
        with gate.client() as second:
            assert second.converse([EHLO, MAIL, RCPT])[-1].startswith(b"250 ")
            assert heard_first(gate) == [TOO_MANY_CONNECTIONS]


def test_a_killed_worker_leaves_nothing_counted(backend: Scripted, tmp_path: Path) -> None:
    """Its clients are gone."""
    with limited(backend, tmp_path, "smtpd_client_connection_count_limit=2") as gate, gate.client(), gate.client():
        assert heard_first(gate) == [TOO_MANY_CONNECTIONS]
        for worker in children(gate.process.pid):
            os.kill(worker, signal.SIGKILL)
        until(lambda: again(gate), "a place")


def test_the_rate_of_connections(backend: Scripted, tmp_path: Path) -> None:
    """Those that have left count, and those that were refused; a new worker knows of them."""
    with limited(backend, tmp_path, "smtpd_client_connection_rate_limit=2", "anvil_rate_time_unit=1w") as gate:
        gate.converse([b"QUIT"])
        relieved(gate)
        gate.converse([b"QUIT"])
        assert [heard_first(gate) for _ in range(2)] == [[TOO_MANY_CONNECTIONS]] * 2
        assert gate.converse([b"QUIT"], source=RELAY) == [b"221 2.0.0 Bye"]
        log = gate.log()
    assert [b"Connection rate limit exceeded: %d from " % count + WHO in log for count in range(2, 6)] == [
        *(False, True, True, False)
    ]


@pytest.mark.parametrize(
    ("parameter", "commands", "told"),
    [
        ("smtpd_client_message_rate_limit=3", (MAIL, b"RSET"), TOO_MUCH_MAIL),
        ("smtpd_client_recipient_rate_limit=3", (MAIL, RCPT, b"RSET"), TOO_MANY_RECIPIENTS),
    ],
)
def test_messages_and_recipients(
    backend: Scripted, tmp_path: Path, parameter: str, commands: Sequence[bytes], told: bytes
) -> None:
    """Over all sessions of a client and all workers; its next command is carried out."""
    with limited(backend, tmp_path, parameter, "anvil_rate_time_unit=1w") as gate:
        assert told not in all_heard(gate, [*commands, *commands])
        relieved(gate)
        heard = all_heard(gate, [*commands, *commands])
        assert [at for at, reply in enumerate(heard) if reply == told] == [2 * len(commands) - 2]
        assert heard[-1] == b"250 2.0.0 Ok"
        assert told not in all_heard(gate, [*commands] * 5, source=RELAY)
        assert b"rate limit exceeded: 4 from " + WHO in gate.log()


def test_a_period_ends(backend: Scripted, tmp_path: Path) -> None:
    """Then the client may do as much again."""
    with (
        limited(backend, tmp_path, "smtpd_client_message_rate_limit=1", "anvil_rate_time_unit=1s") as gate,
        gate.client() as client,
    ):
        assert client.converse([EHLO, MAIL, b"RSET", MAIL])[-1] == TOO_MUCH_MAIL
        until(lambda: client.ask(MAIL) == b"250 2.1.0 Ok", "the next period")


def test_with_a_file_a_client_has_50_connections(backend: Scripted, tmp_path: Path) -> None:
    """As in Postfix, though nothing says so; without one it has as many as it likes."""
    file = tmp_path / "main.cf"
    file.write_text("smtpd_timeout = 60\n")
    for form in (file, None):
        with limited(backend, tmp_path / f"{form is None}", file=form) as gate, ExitStack() as stack:
            clients = [stack.enter_context(gate.silent_client()) for _ in range(51)]
            first = [client.reply()[:4] for client in clients]
        assert sorted(first) == [b"220 "] * 50 + [b"421 " if form else b"220 "]


def test_alone_a_limit_is_refused(backend: Scripted, tmp_path: Path) -> None:
    """Each client has a process of its own, which cannot count them; Postfix's default is passed over."""
    file = tmp_path / "main.cf"
    file.write_text("smtpd_timeout = 60\n")
    with gated(backend.argv, tmp_path / "a", file=file, server=theirs("tcpserver")) as gate:
        assert gate.converse([b"NOOP"]) == [b"250 2.0.0 Ok"]
    file.write_text("smtpd_timeout = 60\nsmtpd_client_message_rate_limit = 9\n")
    with gated(backend.argv, tmp_path / "b", file=file, server=theirs("tcpserver")) as gate:
        assert heard_first(gate) == []
        sentence = f"{file} line 2: smtpd_client_message_rate_limit counts over all clients".encode()
        until(lambda: sentence in gate.log(), "the reason")
