"""The client's end of a session at the gate."""

import asyncio
import socket

import pytest

from ucspi_py.core.smtp.dialogue import Dialogue
from ucspi_py.core.smtp.settings import Greeting, SmtpSettings
from ucspi_py.system.gate.client_end import ClientEnd


@pytest.mark.parametrize("is_tcp", [True, False], ids=["TCP", "pipes"])
def test_no_reply_waits_for_an_acknowledgement(is_tcp: bool) -> None:
    """Replies of one segment's commands would take 40 ms each; behind pipes there is nothing to be set."""

    async def story(server: socket.socket) -> None:
        settings = SmtpSettings()
        dialogue = Dialogue(settings, Greeting(b"mx.example", b"mx.example ESMTP"), excepted=False, judges_early=False)
        end = ClientEnd(server, dialogue, settings, lambda _stream, _data: None, lambda _stream: None)
        assert not is_tcp or server.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        end.leave()

    client, server = _connected() if is_tcp else socket.socketpair()
    with client, server:
        asyncio.run(story(server))


def _connected() -> tuple[socket.socket, socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        client = socket.create_connection(listener.getsockname())
        return client, listener.accept()[0]
