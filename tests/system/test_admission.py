"""Who comes in to one worker, and when: order, overflow, drain, and rooms made by others."""

import asyncio
import errno
import socket
from functools import partial
from typing import Any

import pytest

from tests.support.admission import House
from ucspi_py.core.gate.settings import GateSettings
from ucspi_py.core.service.settings import Program
from ucspi_py.core.smtp.verdict import Refuse
from ucspi_py.system.accept.listener import Listener
from ucspi_py.system.accept.scoreboard import Place
from ucspi_py.system.service import admission
from ucspi_py.system.stream.stream import Stream


@pytest.fixture
def no_slow_look(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever waits is told, or waits for an hour."""
    monkeypatch.setattr(admission, "_SLOW_LOOK", 3600.0)


async def denied(_house: House, _number: int, client: socket.SocketType, _place: Place | None) -> None:
    """A client that the rules turn away."""
    client.close()


async def started(house: House, number: int, client: socket.SocketType, _place: Place | None) -> None:
    """A client whose program runs under a process id of its number."""
    try:
        slot = await house.admission.slots.reserve(may_relay=False)
        await asyncio.sleep(0)
        house.admission.slots.hold(slot, 1000 + number)
    finally:
        client.close()


async def not_started(house: House, _number: int, client: socket.SocketType, _place: Place | None) -> None:
    """A client whose program cannot be started."""
    try:
        slot = await house.admission.slots.reserve(may_relay=False)
        await asyncio.sleep(0)
        house.admission.slots.give_back(slot)
    finally:
        client.close()


async def held(house: House, _number: int, client: socket.SocketType, place: Place | None) -> None:
    """A client that is refused and stays."""
    assert place
    try:
        await house.admission.held.talk(
            place.row, partial(Stream, asyncio.get_running_loop(), client), Refuse(451, b"no"), 60
        )
    finally:
        client.close()


def port(client: socket.socket) -> int:
    """The client's own port."""
    return int(client.getsockname()[1])


def everything(client: socket.socket) -> bytes:
    """What a client is told until it is left."""
    return b"".join(iter(lambda: client.recv(1000), b""))


def one_more_runs(house: House, number: int) -> bool:
    """Whether the client of this number has its program, and nobody after it."""
    return house.board.running() == 1 and len(house.served) == number + 1


def end(house: House, number: int) -> None:
    """The program of a client ends."""
    house.admission.slots.ended(1000 + number)


def test_clients_are_served_in_the_order_in_which_they_came() -> None:
    """With one slot each waits for the end of the one before it."""
    with House(started) as house:
        clients = [house.connect() for _ in range(4)]
        for number in range(4):
            house.until(partial(one_more_runs, house, number))
            house.settle()
            assert house.board.running() == 1
            assert len(house.served) == number + 1
            end(house, number)
        assert house.served == [port(client) for client in clients]


def test_an_overflowing_queue_is_taken_in_and_served_in_order() -> None:
    """Half a queue of ten may wait outside; those inside have come first and are served first."""
    with House(started, backlog=10) as house:
        clients = [house.connect()]
        house.until(lambda: house.served)
        clients += [house.connect() for _ in range(8)]
        house.until(lambda: not house.admission._acceptor.is_crowded())
        for number in range(9):
            house.until(partial(one_more_runs, house, number))
            end(house, number)
        assert house.served == [port(client) for client in clients]


def test_without_room_and_without_overflow_nobody_is_taken_in() -> None:
    """As in C, where the others wait in the listener's queue, too."""
    with House(started) as house:
        for _ in range(5):
            house.connect()
        house.until(lambda: house.served)
        house.settle()
        assert len(house.served) == 1
        assert not house.admission._overflow


@pytest.mark.parametrize(("gate", "served"), [(None, 0), (GateSettings(), 1)])
def test_clients_of_a_gate_come_in_though_all_slots_are_taken(gate: GateSettings | None, served: int) -> None:
    """Most of them never want one; others wait in the listener's queue, as in C."""

    async def serve(_house: House, _number: int, client: socket.SocketType, _place: Place | None) -> None:
        client.close()

    with House(serve, program=Program((), ("true",), gate), reserve=1, limit=2) as house:
        while house.board.claim(house.board.slots) is not None:
            pass
        house.connect()
        house.settle()
        assert len(house.served) == served


def test_places_are_scarce_when_four_in_five_are_taken() -> None:
    """More than that, to be exact."""
    with House(lambda *_: None, held_limit=10) as house:
        for _ in range(8):
            assert not house.admission.is_crowded()
            house.board.claim(house.board.pending)
        assert not house.admission.is_crowded()
        house.board.claim(house.board.pending)
        assert house.admission.is_crowded()


@pytest.mark.parametrize("watching", [False, True])
@pytest.mark.usefixtures("no_slow_look")
def test_a_slot_that_another_process_gives_back_is_noticed_at_once(watching: bool) -> None:
    """Without a look every now and then. watching: whether the worker was, when the slot was taken."""
    with House(started) as house:
        if watching:
            house.settle()
        taken = house.board.claim(house.board.slots)
        assert taken is not None
        house.connect()
        house.settle()
        assert not house.served
        house.board.give_back(taken)
        house.until(lambda: house.served)


@pytest.mark.parametrize("watching", [False, True])
def test_room_that_nobody_tells_of_is_noticed_a_little_later(watching: bool) -> None:
    """A worker that is killed between giving back and telling keeps nobody waiting."""
    with House(started) as house:
        if watching:
            house.until(lambda: not house.admission._acceptor.away)
            house.settle()
        taken = house.board.claim(house.board.slots)
        assert taken is not None
        house.connect()
        house.settle()
        house.board.give_back(taken, tell=False)
        house.until(lambda: house.served)


@pytest.mark.parametrize("serve", [not_started, denied], ids=lambda serve: serve.__name__)
@pytest.mark.parametrize("clients", [1, 3, 20])
def test_a_worker_that_is_told_to_end_does_so_though_no_client_gets_a_program(serve: Any, clients: int) -> None:
    """Clients in the start line, or taken off the queue just before: nobody is left behind, and it ends."""
    with House(serve, limit=8, backlog=10) as house:
        for _ in range(min(clients, 9)):
            house.connect()
        house.until(lambda: house.served)
        house.admission.close()
        house.run_to_the_end()
        assert house.board.free(house.board.slots) == 8


@pytest.mark.parametrize("serve", [started, not_started, denied], ids=lambda serve: serve.__name__)
def test_a_worker_that_is_told_to_end_serves_who_waits_inside(serve: Any) -> None:
    """Slots that others give back are theirs; whatever becomes of the last one, the worker ends."""
    with House(serve, backlog=10) as house:
        taken = house.board.claim(house.board.slots)
        assert taken is not None
        for _ in range(9):
            house.connect()
        house.until(lambda: len(house.admission._overflow) > 3)
        waiting = len(house.admission._overflow)
        house.admission.close()
        house.settle()
        assert not house.served
        house.board.give_back(taken)
        for number in range(waiting - 1 if serve is started else 0):
            house.until(partial(one_more_runs, house, number))
            end(house, number)
        house.run_to_the_end()
        assert len(house.served) == waiting
        assert house.board.running() == (serve is started)
        assert house.board.has_free(house.board.slots) == (serve is not started)


def test_an_idle_worker_has_no_slot_in_hand() -> None:
    """Whoever needs one finds it free."""
    with House(denied) as house:
        house.connect()
        house.until(lambda: house.served)
        house.settle()
        assert house.board.free(house.board.slots) == 1


def test_clients_accepted_for_a_slot_that_another_worker_was_quicker_to_take_are_served_in_order() -> None:
    """They wait inside, and those that come later wait outside."""
    taken: list[int | None] = []

    async def late(house: House, number: int, client: socket.SocketType, place: Place | None) -> None:
        if not number:
            taken.append(house.board.claim(house.board.slots))
        await started(house, number, client, place)

    with House(late) as house:
        clients = [house.connect(), house.connect()]
        house.until(lambda: taken)
        house.settle()
        assert house.served == [port(clients[0])]
        assert house.board.running() == 0
        assert taken[0] is not None
        house.board.give_back(taken[0])
        house.until(lambda: house.board.running() == 1)
        end(house, 0)
        house.until(lambda: len(house.served) == 2 and house.board.running() == 1)


def test_a_worker_that_is_told_to_end_starts_the_program_of_one_that_has_waited_for_its_slot() -> None:
    """It was accepted, and another worker was quicker; when the slot is given back, nobody else is here."""
    taken: list[int | None] = []

    async def late(house: House, number: int, client: socket.SocketType, place: Place | None) -> None:
        taken.append(house.board.claim(house.board.slots))
        await started(house, number, client, place)

    with House(late) as house:
        house.connect()
        house.until(lambda: taken)
        house.admission.close()
        house.settle()
        assert taken[0] is not None
        house.board.give_back(taken[0])
        house.run_to_the_end()
        assert house.board.running() == 1


def test_an_idle_worker_looks_once_more_and_then_sleeps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever happened last; one with clients that wait goes on looking, slowly."""
    monkeypatch.setattr(admission, "_SLOW_LOOK", 0.01)
    with House(started) as house:
        looks = 0

        def look_again() -> None:
            nonlocal looks
            looks += 1

        monkeypatch.setattr(house.admission._places, "look_again", look_again)
        house.settle()
        house.settle()
        assert looks == 1
        house.connect()
        house.until(house.board.running)
        house.connect()
        house.until(lambda: looks > 10)


def test_one_session_that_fails_keeps_nobody_waiting() -> None:
    """It is told in one line, and those behind it are served."""

    async def unlucky(house: House, number: int, client: socket.SocketType, place: Place | None) -> None:
        if number == 1:
            client.close()
            await asyncio.sleep(0)
            raise ValueError("a\nsurprise")
        await not_started(house, number, client, place)

    with House(unlucky, limit=5) as house:
        clients = [house.connect() for _ in range(5)]
        house.until(lambda: len(house.served) == 5)
        house.admission.close()
        house.run_to_the_end()
        assert [client.recv(1) for client in clients] == [b""] * 5
        assert [line for line in house.log.lines if b"surprise" in line] == [
            line for line in house.log.lines if line.startswith(b"tcpserver: warning: internal error: ValueError: a ")
        ]
        assert len(house.log.lines) == 1


class TestPlaces:
    """Clients without a program."""

    def test_the_oldest_held_leaves_for_a_new_client(self) -> None:
        """With a word, and the others stay."""
        with House(held, remote_info=True, held_limit=2) as house:
            clients = [house.connect() for _ in range(2)]
            house.until(lambda: house.board.free(house.board.pending) == 0)
            newcomer = house.connect()
            house.until(lambda: len(house.served) == 3)
            house.settle()
            assert house.board.free(house.board.pending) == 0
            assert everything(clients[0]).endswith(b"421 4.3.2 too many clients like you, try again later\r\n")
            for client in (clients[1], newcomer):
                assert client.recv(100) == b"220 rblsmtpd.local\r\n"

    def test_the_oldest_held_leaves_whichever_worker_has_it(self) -> None:
        """Also one that takes no clients any more; it ends when its last one has left."""
        with House(held, remote_info=True, held_limit=2) as old, House(held, old.board, remote_info=True) as new:
            clients = [old.connect() for _ in range(2)]
            old.until(lambda: old.board.free(old.board.pending) == 0)
            old.admission.close()
            asked: list[socket.socket] = []
            for leaving in clients:
                good = new.connect()
                new.until_with(old, lambda: len(new.served) > len(asked))
                assert good.recv(100) == b"220 rblsmtpd.local\r\n"
                assert b"421 4.3.2" in everything(leaving)
                asked.append(leaving)

    @pytest.mark.parametrize("then", ["it leaves", "it is refused"])
    @pytest.mark.usefixtures("no_slow_look")
    def test_a_place_that_another_worker_has_is_noticed_at_once(self, then: str) -> None:
        """All places are taken by clients that are looked up; when one of them leaves or is held, one more may come."""
        looked_up = asyncio.Event()

        async def look_up(house: House, number: int, client: socket.SocketType, place: Place | None) -> None:
            await looked_up.wait()
            await (held if then == "it is refused" else denied)(house, number, client, place)

        with (
            House(look_up, remote_info=True, held_limit=1) as first,
            House(denied, first.board, remote_info=True) as second,
        ):
            first.connect()
            first.until(lambda: first.served)
            second.connect()
            second.settle()
            assert not second.served
            looked_up.set()
            second.until_with(first, lambda: second.served)

    def test_no_descriptors_for_a_client_while_others_are_held(self) -> None:
        """The oldest that is held leaves, nothing is said, and the client is served."""
        with House(held, remote_info=True, held_limit=5) as house:
            clients = []
            for number in range(1, 3):
                clients.append(house.connect())
                house.until(lambda number=number: len(house.admission.held._streams) == number)  # type: ignore[misc]
            _starve(house.listener, house)
            newcomer = house.connect()
            house.until(lambda: len(house.served) == 3)
            assert b"421 4.3.2" in everything(clients[0])
            for client in (clients[1], newcomer):
                assert client.recv(100) == b"220 rblsmtpd.local\r\n"
                client.setblocking(False)
                with pytest.raises(BlockingIOError):
                    client.recv(100)
            assert not any(b"unable to accept" in line for line in house.log.lines)


def _starve(listener: Listener, house: House) -> None:
    """There is no descriptor for a client as long as two are held."""
    accept = listener.next_client

    def next_client() -> Any:
        if len(house.admission.held._streams) >= 2:
            raise OSError(errno.EMFILE, "no descriptors")
        return accept()

    listener.next_client = next_client  # type: ignore[method-assign]
