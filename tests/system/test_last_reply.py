"""The last word to a client: said where it can be, and never waited for."""

from tests.support.held import clog, connected
from ucspi_py.system.refuse import last_reply


def test_a_client_that_listens_is_told() -> None:
    """In one piece."""
    with connected() as ends:
        last_reply.say(ends.server, b"421 no\r\n")

        assert ends.client.recv(100) == b"421 no\r\n"


def test_nobody_waits_for_a_client_that_does_not_read() -> None:
    """It has been told enough."""
    with connected() as ends:
        clog(ends)

        last_reply.say(ends.server, b"421 no\r\n")


def test_a_client_that_is_gone_is_no_error() -> None:
    """Neither one that has hung up nor one whose socket was closed already."""
    with connected() as ends:
        ends.client.close()
        last_reply.say(ends.server, b"421 no\r\n")
        ends.server.close()
        last_reply.say(ends.server, b"421 no\r\n")
