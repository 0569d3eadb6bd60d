"""Socket options on real sockets: what -o and -D leave alone."""

import socket
from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests.support.admission import SETTINGS
from ucspi_py.core.client.connection import Endpoints
from ucspi_py.system.accept.socket_options import set_options

OVER_IPV4 = Endpoints(b"127.0.0.1", b"25", b"127.0.0.1", b"4000")
OVER_IPV6 = Endpoints(b"::1", b"25", b"::1", b"4000")
#: Three times "no operation", and the end of the list (RFC 791, 3.1).
IP_OPTIONS = b"\x01\x01\x01\x00"


@pytest.fixture
def client() -> Iterator[socket.socket]:
    """A connected client with IP options."""
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()):
        accepted, _ = server.accept()
        with accepted:
            accepted.setsockopt(socket.IPPROTO_IP, socket.IP_OPTIONS, IP_OPTIONS)
            yield accepted


def options(client: socket.socket) -> tuple[bool, bool]:
    """Whether it has IP options, and whether small packets wait."""
    has_options = bool(client.getsockopt(socket.IPPROTO_IP, socket.IP_OPTIONS, 100))
    return has_options, not client.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


@pytest.mark.parametrize("kill", [False, True])
@pytest.mark.parametrize("delay", [False, True])
def test_options_are_removed_and_packets_sent_unless_asked_otherwise(
    client: socket.socket, kill: bool, delay: bool
) -> None:
    """Each by its own option."""
    set_options(replace(SETTINGS, kill_ip_options=kill, delay=delay), client, OVER_IPV4)

    assert options(client) == (not kill, delay)


def test_an_ipv6_client_has_no_ip_options(client: socket.socket) -> None:
    """So nothing is removed, and small packets go at once all the same."""
    set_options(replace(SETTINGS, kill_ip_options=True, delay=False), client, OVER_IPV6)

    assert options(client) == (True, False)


def test_a_client_that_is_gone_is_no_error() -> None:
    """Whoever writes to it finds out."""
    gone = socket.socket()
    gone.close()

    set_options(replace(SETTINGS, kill_ip_options=True, delay=False), gone, OVER_IPV4)
