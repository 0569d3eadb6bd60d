"""Policy requests over several connections at once, as Postfix's smtpd have them. Never starts a server."""

import selectors
import socket
import time
from collections.abc import Iterator
from typing import NamedTuple

from workshop import Spoiled

_PATIENCE = 60.0


class Answered(NamedTuple):
    """What came of a load: answers in a second, and milliseconds within which 99 of 100 came."""

    rate: float
    p99: float


def answered(path: str, connections: int, requests: Iterator[bytes], number: int) -> Answered:
    """Ask so many requests, each connection one at a time. path: of the server's socket. Raises Spoiled."""
    took: list[float] = []
    with selectors.DefaultSelector() as selector:
        clients = [_connected(path, selector) for _ in range(connections)]
        began = time.perf_counter()
        asked = {client: _ask(client, requests) for client in clients}
        sent = len(asked)
        while asked:
            ready = selector.select(_PATIENCE)
            if not ready:
                raise Spoiled("a policy server does not answer")
            for key, _ in ready:
                client: socket.socket = key.data
                if not client.recv(4096).endswith(b"\n\n"):
                    raise Spoiled("a policy server hung up, or answered in pieces")
                took.append(time.perf_counter() - asked.pop(client))
                if sent < number:
                    sent += 1
                    asked[client] = _ask(client, requests)
        seconds = time.perf_counter() - began
        for client in clients:
            client.close()
    return Answered(len(took) / seconds, 1000 * sorted(took)[len(took) * 99 // 100])


def _connected(path: str, selector: selectors.BaseSelector) -> socket.socket:
    client = socket.socket(socket.AF_UNIX)
    client.connect(path)
    selector.register(client, selectors.EVENT_READ, client)
    return client


def _ask(client: socket.socket, requests: Iterator[bytes]) -> float:
    client.sendall(next(requests))
    return time.perf_counter()
