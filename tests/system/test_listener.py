"""Where clients knock: what a host and a port mean, and what accepted sockets are like."""

import os
import socket
from pathlib import Path

import pytest

from ucspi_py.core.errors import Failure
from ucspi_py.system.accept import listener


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("", "0.0.0.0"),
        ("0", "0.0.0.0"),
        ("[127.0.0.001]", "127.0.0.1"),
        ("0" * 5000 + "127.0.0.1", "127.0.0.1"),
        ("127.0.0." + "1" * 5000, None),
        ("127.0.0.256", None),
        ("127.0.0.\N{ARABIC-INDIC DIGIT ONE}", None),
        ("127.0.0", None),
        ("127..0.1", None),
        ("::1", "::1"),
        ("[FE80:0::1%lo]", "fe80::1%lo"),
        ("fe80::1%", None),
        ("mail.example", None),
    ],
)
def test_what_a_host_means(host: str, expected: str | None) -> None:
    """An address in any writing, with its interface; None is a name to be looked up, however long it is."""
    assert listener.literal(host) == expected


@pytest.mark.parametrize(("port", "expected"), [("0", 0), ("00025", 25), ("0" * 5000 + "25", 25), ("65535", 65535)])
def test_what_a_port_means(port: str, expected: int) -> None:
    """Decimal digits."""
    assert listener.port_number(port) == expected


@pytest.mark.parametrize("port", ["65536", "9" * 5000, "-1", "\N{ARABIC-INDIC DIGIT TWO}", "no-such-service"])
def test_what_is_no_port(port: str) -> None:
    """One sentence, however long the word is."""
    with pytest.raises(Failure, match="unable to figure out port number for"):
        listener.port_number(port)


def test_a_system_that_knows_no_service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a container without netbase: what to do is said."""
    monkeypatch.setattr(listener, "_SERVICES", str(tmp_path / "services"))
    with pytest.raises(Failure, match=r"port number for no-such-service: .* give a number, or install"):
        listener.port_number("no-such-service")


def test_an_interface_that_is_not_there_is_a_failure_with_a_reason() -> None:
    """One line and no traceback."""
    with pytest.raises(Failure, match="unable to bind: device not configured"):
        listener.listen("fe80::1%nosuch", 0, 5)


def test_who_is_accepted_blocks_whatever_the_system_inherits(monkeypatch: pytest.MonkeyPatch) -> None:
    """BSD gives an accepted socket the listener's O_NONBLOCK; the program must never read EAGAIN."""
    monkeypatch.setattr(listener, "_INHERITS_NON_BLOCKING", True)
    with listener.listen("127.0.0.1", 0, 5) as server:
        inherited = server._accept  # type: ignore[attr-defined]

        def as_on_bsd() -> tuple[int, object]:
            fd, peer = inherited()
            os.set_blocking(fd, False)
            return fd, peer

        server._accept = as_on_bsd  # type: ignore[attr-defined]
        with socket.create_connection(server.getsockname()):
            accepted, _ = server.next_client()

    assert os.get_blocking(accepted.fileno())
    accepted.close()
