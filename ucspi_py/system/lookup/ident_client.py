"""The ident client (RFC 1413): queries the client's ident server. Never reads more of it than ident.py bounds."""

import asyncio
import socket

from ...core.client import ident
from ...core.client.connection import Endpoints

#: RFC 1413, 2.
_PORT = 113


async def ask(endpoints: Endpoints, deadline: float) -> bytes | None:
    """Query the ident server of a client; None where no answer comes. deadline: second of the monotonic clock."""
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
        # remoteinfo.c: the answer depends on the address that the query comes from.
        ident_server.bind((local, 0))
        await loop.sock_connect(ident_server, (remote, _PORT))
        await loop.sock_sendall(ident_server, ident.question(endpoints.remote_port, endpoints.local_port))
        reader = ident.AnswerReader()
        while not reader.exhausted and (data := await loop.sock_recv(ident_server, 512)):
            answer = reader.receive(data)
            if answer is not None:
                return answer
            await asyncio.sleep(0)  # sock_recv does not wait where there is something: no other client would be served
    return None
