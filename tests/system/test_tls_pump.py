"""A pump between a client with TLS and a program without: all that either says comes through, and its end, too."""

import asyncio
import gc
import os
import socket
import ssl
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress

import pytest

from tests.support.certificates import Authority
from tests.support.held import connected
from tests.support.tls import serving, shake_hands, trusting
from tests.support.waiting import PATIENCE, until
from ucspi_py.system.process.loop import new_loop
from ucspi_py.system.stream.stream import Deadlines
from ucspi_py.system.tls.handshake import handshake
from ucspi_py.system.tls.pump import Pump
from ucspi_py.system.tls.session import TlsSession

MUCH = bytes(range(256)) * 8192

#: Both in threads of their own.
Client = Callable[[ssl.SSLSocket], object]
Program = Callable[[socket.socket], object]


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("ca"))


@pytest.fixture(scope="module")
def context(authority: Authority) -> ssl.SSLContext:
    return serving(authority.pair("mx.example"))


class Room:
    """Where client and program meet."""

    def __init__(self, authority: Authority, context: ssl.SSLContext) -> None:
        self._authority = authority
        self._context = context
        self.last_second = time.monotonic() + PATIENCE

    def meet(self, client: Client, program: Program, status: int | None = None) -> None:
        """Have both say what they like until the pump is over, and see that it watches nothing then.

        status: told to the pump when the program is done; None = nothing is.
        """

        def there(plain: socket.socket) -> None:
            with shake_hands(trusting(self._authority.ca_file), plain) as secured:
                client(secured)

        async def play(server: socket.socket, plain: socket.socket) -> None:
            loop = asyncio.get_running_loop()
            ours, theirs = socket.socketpair()
            with ThreadPoolExecutor() as threads, closing(ours), closing(server):
                away = loop.run_in_executor(threads, there, plain)
                pump = Pump(loop, await handshake(loop, server, self._context, PATIENCE), ours)
                pump.last_second = self.last_second
                runs = loop.run_in_executor(threads, self._run, program, theirs)
                if status is not None:
                    runs.add_done_callback(lambda _runs: pump.note_status(status))
                await self._carry(pump)
                assert not any(loop.remove_reader(one) or loop.remove_writer(one) for one in (ours, server))
                ours.close()
                server.close()
                await asyncio.gather(away, runs)

        with connected() as ends, closing(new_loop()) as loop:
            loop.run_until_complete(play(ends.server, ends.client))

    @staticmethod
    async def _carry(pump: Pump) -> None:
        pumps = [pump]
        deadlines = Deadlines(pumps)
        pump.begin()
        deadlines.ask(asyncio.get_running_loop())
        try:
            async with asyncio.timeout(PATIENCE):
                await pump.over
        finally:
            pump.leave()
            pumps.clear()  # which a timer has for a moment more

    @staticmethod
    def _run(program: Program, theirs: socket.socket) -> None:
        with theirs:
            theirs.settimeout(PATIENCE)
            program(theirs)


@pytest.fixture
def room(authority: Authority, context: ssl.SSLContext) -> Room:
    return Room(authority, context)


def all_of(connection: socket.socket) -> bytes:
    """What comes until the end; which has to be a clean one."""
    data = b""
    while piece := connection.recv(65536):
        data += piece
    return data


def echo(connection: socket.socket) -> None:
    while piece := connection.recv(65536):
        connection.sendall(piece)


def test_question_and_answer(room: Room) -> None:
    said = []

    def client(secured: ssl.SSLSocket) -> None:
        for word in (b"EHLO\r\n", b"QUIT\r\n"):
            secured.sendall(word)
            said.append(secured.recv(100))
        said.append(secured.recv(100))

    def program(connection: socket.socket) -> None:
        for _ in range(2):
            connection.sendall(connection.recv(100).lower())

    room.meet(client, program)
    assert said == [b"ehlo\r\n", b"quit\r\n", b""]


def test_no_more_is_read_at_once_than_takes_a_moment(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a client that sends nothing but new keys (KeyUpdate), 64 KB would take 50 ms, and nobody has a turn."""
    sizes, feed = [], TlsSession.feed

    def noted(session: TlsSession, data: bytes) -> None:
        sizes.append(len(data))
        feed(session, data)

    monkeypatch.setattr(TlsSession, "feed", noted)
    room.meet(lambda secured: secured.sendall(MUCH), all_of)
    assert sum(sizes) > len(MUCH)
    assert 8192 < max(sizes) <= 16384


def test_the_program_hears_the_end_and_may_answer_it(room: Room) -> None:
    """A half-close below TLS is one, too."""
    heard = []

    def client(secured: ssl.SSLSocket) -> None:
        secured.sendall(b"question")
        _say_the_last(secured)
        heard.append(all_of(secured))

    def program(connection: socket.socket) -> None:
        heard.append(all_of(connection))
        connection.sendall(b"answer")

    room.meet(client, program)
    assert heard == [b"question", b"answer"]


def _say_the_last(secured: ssl.SSLSocket) -> None:
    """Half-close below TLS: ssl cannot read any more after a close_notify of its own."""
    with socket.socket(fileno=os.dup(secured.fileno())) as plain:
        plain.shutdown(socket.SHUT_WR)


def test_a_program_may_say_its_last_and_hear_more(room: Room) -> None:
    heard = []

    def client(secured: ssl.SSLSocket) -> None:
        heard.append(all_of(secured))
        secured.sendall(MUCH)

    def program(connection: socket.socket) -> None:
        connection.sendall(b"go on")
        connection.shutdown(socket.SHUT_WR)
        heard.append(all_of(connection))

    room.meet(client, program)
    assert heard == [b"go on", MUCH]


def test_a_program_that_says_all_and_ends_is_heard_to_the_end(room: Room) -> None:
    heard = []
    room.meet(lambda secured: heard.append(all_of(secured)), lambda connection: connection.sendall(MUCH))
    assert heard == [MUCH]


def test_a_client_that_says_all_and_leaves_unread_is_heard_to_the_end(room: Room) -> None:
    """Also by a program that answers it."""
    heard: list[bytes] = []

    def program(connection: socket.socket) -> None:
        connection.sendall(b"greeting nobody reads")
        while piece := connection.recv(65536):
            heard.append(piece)
            connection.sendall(b"answer nobody reads")

    room.meet(lambda secured: secured.sendall(MUCH), program)
    assert b"".join(heard) == MUCH


def test_both_may_speak_at_once(room: Room) -> None:
    heard: list[bytes] = []

    def client(secured: ssl.SSLSocket) -> None:
        secured.sendall(MUCH[:100_000])
        while len(b"".join(heard)) < 100_000:
            heard.append(secured.recv(65536))

    room.meet(client, echo)
    assert b"".join(heard) == MUCH[:100_000]


def test_a_program_that_does_not_read_stops_its_client(room: Room) -> None:
    sent = 0
    heard = b""

    def client(secured: ssl.SSLSocket) -> None:
        nonlocal sent
        for place in range(0, len(MUCH), 4096):
            secured.sendall(MUCH[place : place + 4096])
            sent = place

    def program(connection: socket.socket) -> None:
        nonlocal heard
        before = -1
        while sent != before:  # until it cannot go on
            before = sent
            time.sleep(0.05)
        assert sent < len(MUCH) // 2
        heard = all_of(connection)

    room.meet(client, program)
    assert heard == MUCH


def test_a_client_that_does_not_read_stops_its_program(room: Room) -> None:
    sent = 0
    heard = b""

    def program(connection: socket.socket) -> None:
        nonlocal sent
        for place in range(0, len(MUCH), 4096):
            connection.sendall(MUCH[place : place + 4096])
            sent = place

    def client(secured: ssl.SSLSocket) -> None:
        nonlocal heard
        before = -1
        while sent != before:
            before = sent
            time.sleep(0.05)
        assert sent < len(MUCH) // 2
        heard = all_of(secured)

    room.meet(client, program)
    assert heard == MUCH


def test_a_program_that_ends_before_it_has_heard_all_ends_its_client(room: Room) -> None:
    def client(secured: ssl.SSLSocket) -> None:
        with pytest.raises(OSError):
            while True:
                secured.sendall(MUCH)

    room.meet(client, lambda connection: connection.recv(1))


def test_a_program_that_was_to_hear_more_and_has_ended_ends_its_client(room: Room) -> None:
    """It had said its last before; its end is told by its status."""
    room.meet(all_of, lambda connection: connection.shutdown(socket.SHUT_WR), status=0)


def test_a_client_that_speaks_no_tls_any_more_has_said_its_last(room: Room) -> None:
    heard: list[bytes] = []

    def client(secured: ssl.SSLSocket) -> None:
        secured.sendall(b"question")
        until(lambda: heard)
        with socket.socket(fileno=os.dup(secured.fileno())) as plain:
            plain.sendall(b"EHLO x\r\n")

    def program(connection: socket.socket) -> None:
        heard.append(connection.recv(100))
        heard.append(all_of(connection))

    room.meet(client, program)
    assert heard == [b"question", b""]


def test_whoever_is_silent_for_too_long_is_left(room: Room) -> None:
    room.last_second = time.monotonic() + 0.1
    ends = []

    def client(secured: ssl.SSLSocket) -> None:
        # Python 3.11.2 says nothing of an end without close_notify; OpenSSL 3.6 is the first to send an alert then.
        with suppress(ssl.SSLEOFError, BrokenPipeError):
            assert secured.recv(1) == b""
        ends.append("client")

    def program(connection: socket.socket) -> None:
        assert connection.recv(1) == b""
        ends.append("program")

    room.meet(client, program)
    assert sorted(ends) == ["client", "program"]


def _says_all(secured: ssl.SSLSocket) -> None:
    secured.sendall(b"question")
    assert all_of(secured) == b"question"


def _breaks_off(secured: ssl.SSLSocket) -> None:
    """What follows is no TLS: of the error that OpenSSL raises, the frames have the session."""
    with socket.socket(fileno=os.dup(secured.fileno())) as plain:
        plain.settimeout(PATIENCE)
        plain.sendall(b"EHLO x\r\n")
        plain.recv(65536)


def _does_not_read(secured: ssl.SSLSocket) -> None:
    secured.recv(1)


def _answers(connection: socket.socket) -> None:
    connection.sendall(connection.recv(100))


def _pours(connection: socket.socket) -> None:
    """Also when nobody takes it any more."""
    connection.sendall(MUCH)


@pytest.mark.parametrize(
    ("client", "program"),
    [(_says_all, _answers), (_breaks_off, all_of), (_does_not_read, _pours)],
    ids=["all is said", "no TLS", "unread"],
)
def test_nothing_is_left_of_it(room: Room, client: Client, program: Program) -> None:
    """The collector knows nothing of the memory that OpenSSL has of a session, and comes too late."""
    gc.collect()
    gc.disable()
    try:
        room.meet(client, program)
        assert not [one for one in gc.get_objects() if isinstance(one, Pump | TlsSession)]
    finally:
        gc.enable()
