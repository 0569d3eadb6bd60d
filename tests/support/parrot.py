"""A server that knows one answer: hears a client once, says what it was told to say, and hangs up."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def running(answer: bytes, ip: str = "127.0.0.1", port: int = 0) -> Iterator[tuple[int, list[bytes]]]:
    """Give everybody ``answer``; gives the port and what was heard so far."""
    heard: list[bytes] = []
    listener = socket.create_server((ip, port))

    def serve() -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            with client:
                heard.append(client.recv(1000))
                client.sendall(answer)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield listener.getsockname()[1], heard
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()
