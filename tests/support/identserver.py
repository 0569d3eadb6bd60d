"""An ident server on port 113 of a loopback address, which only root can have: says what it is told."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def running(answer: bytes, ip: str) -> Iterator[list[bytes]]:
    """Answer every question with ``answer``; gives the questions asked so far."""
    questions: list[bytes] = []
    listener = socket.create_server((ip, 113))

    def serve() -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            with client:
                questions.append(client.recv(100))
                client.sendall(answer)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield questions
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()
