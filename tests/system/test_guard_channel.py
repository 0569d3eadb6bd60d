"""What a worker that is taken over may send to the guard: it is read as strictly as a client, and harms nobody."""

import contextlib
import os
import signal
import socket
import struct
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.guards import Checker, RunningGuard, guard
from tests.support.programs import need_root
from tests.support.waiting import until
from ucspi_py.core.guard import request
from ucspi_py.core.guard.request import KeysAsked
from ucspi_py.core.guard.settings import GuardSettings
from ucspi_py.system.guard import channel

KEYS = request.encode(KeysAsked(0)) or b""

#: Descriptors of a guard without keys: 0 to 2, its log, its end of the channel, both ends of the pipe of its signals.
ITS_OWN = 7
#: Seconds that a socket lingers.
LINGER = 3


@pytest.fixture
def running(tmp_path: Path) -> Iterator[RunningGuard]:
    with guard(GuardSettings(Checker(tmp_path).argv)) as running:
        assert is_served(running)  # by now it has closed what it has of ours
        yield running


def descriptors(pid: int) -> int:
    """How many a process has open; of one whose memory is hidden root alone is told."""
    need_root()
    return len(os.listdir(f"/proc/{pid}/fd"))


def is_served(running: RunningGuard) -> bool:
    """Whether the guard answers, and so has seen to all that came before."""
    with channel.ask(running.channel, KEYS) as answer:
        answer.settimeout(30)
        return answer.recv(99) == request.generation(1)


@pytest.mark.parametrize("kind", [socket.SOCK_STREAM, socket.SOCK_DGRAM])
def test_an_answer_goes_to_a_packet_socket_only(running: RunningGuard, kind: int) -> None:
    """Any other is closed, and nothing is sent."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, kind)
    with ours, theirs:
        socket.send_fds(running.channel, [KEYS], [theirs.fileno()])
        assert is_served(running)
        ours.setblocking(False)
        with pytest.raises(BlockingIOError):
            ours.recv(99)
    until(lambda: descriptors(running.pid) == ITS_OWN, "it to close what was passed")


def test_exactly_one_descriptor_goes_with_a_request(running: RunningGuard) -> None:
    """With none, two or a hundred nothing is answered, and all of them are closed."""
    ours, theirs = channel.pair()
    with ours, theirs, open(os.devnull) as null:
        for fds in (
            [],
            [theirs.fileno()] * 2,
            [theirs.fileno()] * 100,
            [null.fileno()],
            [theirs.fileno(), null.fileno()],
        ):
            socket.send_fds(running.channel, [KEYS], fds)
        assert is_served(running)
        with pytest.raises(BlockingIOError):
            ours.recv(99)
    until(lambda: descriptors(running.pid) == ITS_OWN, "it to close what was passed")


def test_what_is_no_request_is_passed_over(running: RunningGuard) -> None:
    """An empty packet, which looks like an end, one that is too long, and any bytes."""
    ours, theirs = channel.pair()
    with ours, theirs:
        for packet in (b"", b"\x01", b"\x01C", b"\x01Cx", KEYS + b"x", b"x" * 10_000, KEYS + b"\0" * 10_000):
            socket.send_fds(running.channel, [packet], [theirs.fileno()])
        assert is_served(running)
        with pytest.raises(BlockingIOError):
            ours.recv(99)
    assert running.log == b""


def test_an_answer_that_nobody_takes_keeps_nobody_waiting(running: RunningGuard) -> None:
    """Its socket is full, or shut, or listens."""
    full, theirs = channel.pair()
    with pytest.raises(BlockingIOError):
        for _ in range(100_000):
            theirs.send(b"x" * 1000)
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    listening.bind("")
    listening.listen()
    with full, theirs, listening:
        for answer in (theirs, listening):
            socket.send_fds(running.channel, [KEYS], [answer.fileno()])
        theirs.shutdown(socket.SHUT_RDWR)
        socket.send_fds(running.channel, [KEYS], [theirs.fileno()])
        assert is_served(running)


def test_its_own_answers_are_no_requests(running: RunningGuard) -> None:
    """Who names the channel itself as the place of an answer gets it answered nowhere."""
    socket.send_fds(running.channel, [KEYS], [running.channel.fileno()])

    assert is_served(running)
    with pytest.raises(BlockingIOError):
        running.channel.recv(99)


@pytest.mark.parametrize("half", [socket.SHUT_WR, socket.SHUT_RDWR])
def test_who_shuts_the_channel_ends_the_guard(running: RunningGuard, half: int) -> None:
    """Nobody can ask any more; it does not go round in circles."""
    running.channel.shutdown(half)

    assert running.wait() == 0


def test_more_requests_than_the_channel_holds(running: RunningGuard) -> None:
    """Whoever asks is refused at once; the guard answers those that it has got, and goes on."""
    os.kill(running.pid, signal.SIGSTOP)
    asked = []
    try:
        with pytest.raises(BlockingIOError):
            for _ in range(10_000):
                asked.append(channel.ask(running.channel, KEYS))
    finally:
        os.kill(running.pid, signal.SIGCONT)

    for answer in asked:
        with answer:
            answer.settimeout(30)
            assert answer.recv(99) == request.generation(1)
    assert is_served(running)


@pytest.mark.parametrize("is_within", [False, True])
def test_a_socket_that_lingers_keeps_nobody_waiting(running: RunningGuard, is_within: bool) -> None:
    """To close one takes as long as its owner likes (SO_LINGER), also where it is in the queue of another."""
    lingering, peer = full_socket()
    ours, theirs = channel.pair()
    with peer:
        os.kill(running.pid, signal.SIGSTOP)  # we have closed all before it sees them
        socket.send_fds(ours, [b"x"], [lingering.fileno()])
        socket.send_fds(running.channel, [KEYS], [(theirs if is_within else lingering).fileno()])
        for end in (lingering, ours, theirs):
            end.close()
        os.kill(running.pid, signal.SIGCONT)
        begun = time.monotonic()
        assert is_served(running)
        assert time.monotonic() - begun < LINGER


def full_socket() -> tuple[socket.socket, socket.socket]:
    """A connection whose first end cannot send what it has been told, and lingers."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        lingering = socket.create_connection(listener.getsockname())
        peer, _ = listener.accept()
    lingering.setblocking(False)
    with contextlib.suppress(BlockingIOError):
        while True:
            lingering.send(bytes(65536))
    lingering.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, LINGER))
    return lingering, peer
