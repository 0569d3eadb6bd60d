"""Addresses as the system's calls take them."""

import errno
import socket

import pytest

from ucspi_py.system.process.sockaddr import family, sockaddr

LO = socket.if_nametoindex("lo")


@pytest.mark.parametrize(
    ("ip", "expected"),
    [
        ("192.0.2.1", (socket.AF_INET, ("192.0.2.1", 53))),
        ("::1", (socket.AF_INET6, ("::1", 53, 0, 0))),
        ("fe80::1%lo", (socket.AF_INET6, ("fe80::1", 53, 0, LO))),
        (f"fe80::1%{LO}", (socket.AF_INET6, ("fe80::1", 53, 0, LO))),
    ],
)
def test_a_link_local_address_has_its_interface(ip: str, expected: tuple[int, tuple[object, ...]]) -> None:
    """Without its number connect() and bind() take no link-local address (RFC 4007, 11)."""
    assert (family(ip), sockaddr(ip, 53)) == expected


@pytest.mark.parametrize("zone", ["nosuch", "9" * 5000])
def test_an_interface_that_is_not_there_has_an_errno(zone: str) -> None:
    """For the one line that says why."""
    with pytest.raises(OSError, match="no interface") as raised:
        sockaddr(f"fe80::1%{zone}", 53)

    assert raised.value.errno == errno.ENXIO
