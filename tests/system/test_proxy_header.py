"""What wakes whoever waits for a proxy's header, and what is left on the socket behind it."""

import select
import socket
from collections.abc import Iterator

import pytest

from tests.support.proxying import NOOP, block, line
from tests.support.waiting import PATIENCE, until
from ucspi_py.core.client.proxy.header import Flaw, Header, More
from ucspi_py.system.stream.proxy_header import Look

Ends = tuple[socket.socket, socket.socket]
LONG = block(tlvs=((NOOP, b"x" * 600),))
HEADERS = pytest.mark.parametrize("header", [line(), block(), LONG], ids=["1", "2", "2, long"])


@pytest.fixture
def ends() -> Iterator[Ends]:
    """Ours and the proxy's."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        theirs = socket.create_connection(listener.getsockname(), timeout=PATIENCE)
        ours, _ = listener.accept()
    theirs.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    with ours, theirs:
        yield ours, theirs


def is_readable(connection: socket.socket) -> bool:
    """As a loop sees it, now."""
    poll = select.poll()
    poll.register(connection, select.POLLIN)
    return bool(poll.poll(0))


def lies_there(connection: socket.socket, length: int) -> bool:
    """Whether so many bytes have come."""
    return len(connection.recv(5000, socket.MSG_PEEK)) == length


@HEADERS
def test_what_lies_there_wakes_nobody_again(header: bytes, ends: Ends) -> None:
    """Each byte more does, and nothing else; epoll would tell of those that are there for as long as they are."""
    ours, theirs = ends
    look = Look(ours)
    theirs.sendall(header[:9])
    until(lambda: lies_there(ours, 9), "the first bytes")
    for length in range(9, len(header)):
        assert isinstance(look.again(), More)
        assert not is_readable(ours)
        theirs.sendall(header[length : length + 1])
        until(lambda: is_readable(ours), "one byte more")
    assert isinstance(look.again(), Header)


@HEADERS
def test_nothing_but_the_header_is_read(header: bytes, ends: Ends) -> None:
    """Also where all has come at once."""
    ours, theirs = ends
    theirs.sendall(header + b"EHLO x\r\n")
    until(lambda: lies_there(ours, len(header) + 8), "all of it")

    assert isinstance(Look(ours).again(), Header)
    assert ours.recv(5000) == b"EHLO x\r\n"


@HEADERS
def test_the_end_wakes_who_waits(header: bytes, ends: Ends) -> None:
    """It is no byte more."""
    ours, theirs = ends
    look = Look(ours)
    theirs.sendall(header[:9])
    until(lambda: lies_there(ours, 9), "the first bytes")
    assert isinstance(look.again(), More)
    theirs.shutdown(socket.SHUT_WR)
    until(lambda: is_readable(ours), "the end")

    assert look.again() == Flaw("gone before the end of its header")


def test_who_is_woken_for_nothing_waits_on(ends: Ends) -> None:
    """As by Linux that is short of memory."""
    ours, theirs = ends
    look = Look(ours)
    theirs.sendall(line()[:9])
    until(lambda: lies_there(ours, 9), "the first bytes")

    assert isinstance(look.again(), More)
    assert isinstance(look.again(), More)
    theirs.sendall(line()[9:])
    until(lambda: is_readable(ours), "the rest")
    assert isinstance(look.again(), Header)
