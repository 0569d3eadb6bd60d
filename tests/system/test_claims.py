"""Every claim is given back, wherever an error that nobody expected comes from."""

import socket
from collections.abc import Sequence
from pathlib import Path

import pytest

import ucspi_py
from tests.support.admission import House
from tests.support.claims import PROGRAM, Launcher, error_at, service, try_to_send, turns
from tests.support.gate import controls, no_ways
from ucspi_py.core.client import limits
from ucspi_py.core.client.connection import Endpoints
from ucspi_py.core.gate.settings import GateSettings
from ucspi_py.core.rules.data import DEFAULT, Instructions
from ucspi_py.core.service.settings import Program
from ucspi_py.system.accept.scoreboard import Place
from ucspi_py.system.gate.gate import Gate
from ucspi_py.system.service import session
from ucspi_py.system.service.context import Service

#: Where the error may come from: all that a client meets. What gives back is not among it, nor what tells of the error.
ROOMS = {
    "system/service/admission.py",
    "system/service/session.py",
    "system/service/context.py",
    "system/backend/backends.py",
    "system/accept/slots.py",
    "system/accept/places.py",
    "system/accept/overflow.py",
    "system/accept/scoreboard.py",
    "system/accept/client_counter.py",
    "system/accept/socket_options.py",
    "system/lookup/names.py",
    "system/refuse/held.py",
    "system/stream/stream.py",
    "core/client/limits.py",
    "core/client/connection.py",
}
#: What a client of the gate meets besides.
GATE = {
    "system/service/at_gate.py",
    "system/gate/gate.py",
    "system/gate/conversation.py",
    "system/gate/client_end.py",
    "system/gate/presence.py",
    "system/gate/trusting.py",
    "system/gate/trust.py",
    "system/gate/session.py",
    "system/gate/session_log.py",
    "system/gate/control.py",
    "system/gate/backend/pipe.py",
    "system/gate/backend/backend_socket.py",
    "system/gate/backend/running.py",
    "core/gate/relay.py",
    "core/gate/visitor.py",
    "core/gate/loglines.py",
    "core/smtp/dialogue.py",
    "core/smtp/content.py",
    "core/smtp/session_time.py",
    "core/smtp/session/verbs.py",
    "core/smtp/session/reception.py",
    "core/smtp/session/speech.py",
    "core/smtp/session/message.py",
    "core/smtp/session/trust.py",
    "core/smtp/backend/dialogue.py",
    "core/smtp/backend/exchange.py",
}
PACKAGE = Path(ucspi_py.__file__).parent
FILES = {str(PACKAGE / room) for room in ROOMS | GATE}
ENDPOINTS = Endpoints(b"127.0.0.1", b"25", b"192.0.2.1", b"4000")
RELAYS = Instructions(deny=False, variables=((b"RELAYCLIENT", b""),))

#: What clients of the gate say: one that relays, all at once; one whose recipient and message are refused, and whose
#: transaction is dropped; and one that a screen has refused.
BEGIN = b"MAIL FROM:<>\r\nRCPT TO:<r@example.org>\r\n"
RELAYING = (b"EHLO c\r\n" + BEGIN + b"DATA\r\ntext\r\n.\r\nRSET\r\nQUIT\r\n",)
STRANGE = (
    b"EHLO c\r\n",
    BEGIN + b"RCPT TO:<r@example.net>\r\nDATA\r\n",
    b"bare\nLF\r\n.\r\n" + BEGIN + b"RSET\r\nQUIT\r\n",
)
LISTED = (b"HELO c\r\n", b"MAIL FROM:<>\r\n", b"RCPT TO:<r@example.org>\r\n", b"GET /\r\n")


def one_client(step: int, *, in_pending: bool, refusing: bool) -> list[str]:
    """One client comes and goes while something fails; then nothing is claimed any more. What failed."""

    async def serve(_house: House, _number: int, client: socket.SocketType, place: Place | None) -> None:
        endpoints = Endpoints(b"127.0.0.1", b"25", b"127.0.0.1", b"%d" % client.getpeername()[1])
        await session.serve(services[0], client, endpoints, place)

    services: list[Service] = []
    with House(serve, remote_info=in_pending, limit=2) as house:
        services.append(service(house, Launcher(at_gate=False), refusing=refusing))
        client = house.connect()
        with error_at(step, FILES) as failed:
            house.loop.run_until_complete(turns())
            client.close()
            house.loop.run_until_complete(turns())
        house.admission.close()
        house.run_to_the_end()
        house.admission.slots.ended(PROGRAM + 1)
        assert house.board.free(house.board.slots) == 2, failed
        assert house.board.free(house.board.pending) == len(house.board.pending), failed
        assert house.board.count_client(limits.keys(house.settings.client_limits, b"127.0.0.1").client) == 0
        if failed:
            assert house.log.lines, failed
    return failed


def one_client_of_gate(step: int, control: Path, said: Sequence[bytes]) -> list[str]:
    """The same with a client of a gate, which is left when something has failed."""

    async def serve(_house: House, _number: int, client: socket.SocketType, place: Place | None) -> None:
        await session.serve(services[0], client, ENDPOINTS, place)

    services: list[Service] = []
    settings = GateSettings(qmail_control=str(control))
    rule = RELAYS if said is RELAYING else DEFAULT
    with House(serve, program=Program((), ("true",), settings), limit=2) as house:
        gate, launcher = Gate(settings, house.log, house.admission.is_crowded, no_ways), Launcher(at_gate=True)
        services.append(service(house, launcher, refusing=said is LISTED, gate=gate, rule=rule))
        client = house.connect()
        with error_at(step, FILES) as failed:
            house.loop.run_until_complete(turns())
            for words in said:
                try_to_send(client, words)
                house.loop.run_until_complete(turns(80))
            assert not house.tasks, failed
        house.admission.close()
        house.run_to_the_end()
        house.loop.run_until_complete(turns())
        assert not launcher.running, failed
        for number in range(launcher.started):
            services[0].backends.ended(PROGRAM + 1 + number, 0)
        assert house.board.free(house.board.slots) == 2, failed
        assert house.board.free(house.board.pending) == len(house.board.pending), failed
        assert house.board.count_client(limits.keys(house.settings.client_limits, b"192.0.2.1").client) == 0
        assert not house.admission.held.dismiss_oldest()
        assert not gate._conversations
        assert any(b"MemoryError" in line for line in house.log.lines) == bool(failed), failed
    return failed


# A session that fails at its very beginning leaves its client's socket to whoever closes what nobody has any more.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize(
    ("in_pending", "refusing"),
    [(False, False), (True, False), (True, True)],
    ids=["straight to its program", "looked up", "held"],
)
def test_nothing_stays_claimed_whatever_fails(in_pending: bool, refusing: bool) -> None:
    """Slots, places and the client's socket; and the worker ends when it is told to."""
    seen = set()
    step = 1
    while failed := one_client(step, in_pending=in_pending, refusing=refusing):
        seen.update(failed)
        step += 1

    assert {"serve", "call_in", "claim", "name"} <= seen
    assert refusing == ("begin" in seen)
    assert refusing != ("start" in seen)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize(
    ("said", "wanted"),
    [
        (RELAYING, {"talk", "greet", "protect", "recipient", "end_of_data", "answer", "quit", "message_taken"}),
        (STRANGE, {"talk", "reset", "close", "judge", "rejected"}),
        (LISTED, {"talk", "spoken", "screened", "not_smtp"}),
    ],
    ids=["relaying", "strange", "listed"],
)
def test_nothing_of_a_client_of_the_gate_stays_claimed(said: Sequence[bytes], wanted: set[str], tmp_path: Path) -> None:
    """Neither its place nor its backend's slot; and it does not wait for an answer that never comes."""
    control = controls(tmp_path)
    seen: set[str] = set()
    step = 1
    while failed := one_client_of_gate(step, control, said):
        seen.update(failed)
        step += 1

    assert wanted <= seen


def test_every_room_that_is_watched_is_there() -> None:
    """A room that is moved would be spared all errors, and nobody would notice."""
    assert [room for room in ROOMS | GATE if not (PACKAGE / room).is_file()] == []
