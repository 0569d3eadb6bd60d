"""Who owns the connection, says the client's ident server. Never believes more than RFC 1413 lets it say."""

import asyncio
import socket

from ...core.client import ident
from ...core.client.connection import Endpoints

_PORT = 113


async def ask(endpoints: Endpoints, deadline: float) -> bytes | None:
    """The ident answer; None where there is none before the deadline (seconds of the monotonic clock)."""
    try:
        async with asyncio.timeout_at(deadline):
            return await _ask(endpoints)
    except (OSError, TimeoutError):
        return None


async def _ask(endpoints: Endpoints) -> bytes | None:
    loop = asyncio.get_running_loop()
    local, remote = endpoints.local_ip.decode(), endpoints.remote_ip.decode()
    family = socket.AF_INET6 if ":" in remote else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as ident_server:
        ident_server.setblocking(False)
        # remoteinfo.c: the answer depends on the address we ask from.
        ident_server.bind((local, 0))
        await loop.sock_connect(ident_server, (remote, _PORT))
        await loop.sock_sendall(ident_server, ident.question(endpoints.remote_port, endpoints.local_port))
        reader = ident.AnswerReader()
        while not reader.exhausted and (data := await loop.sock_recv(ident_server, 512)):
            answer = reader.receive(data)
            if answer is not None:
                return answer
            await asyncio.sleep(0)  # sock_recv waits for nothing where there is something: nobody else would be served
    return None
