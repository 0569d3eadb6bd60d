"""Many clients one after the other, for as long as something else happens: how many were served, and how many not."""

import socket
import threading
from types import TracebackType
from typing import Self

from .server import talk
from .waiting import PATIENCE, until


class Visitors:
    """Clients of a port that come all the time; each wants to hear what it should. jobs: that come at a time."""

    def __init__(self, port: int, wanted: bytes, jobs: int = 4) -> None:
        self.served = 0
        self.lost: list[str] = []
        self._address = ("127.0.0.1", port)
        self._wanted = wanted
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._come) for _ in range(jobs)]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    def wait(self, more: int) -> None:
        """Wait until some more were served, whatever goes on."""
        until(lambda goal=self.served + more: self.served >= goal or self.lost, f"{more} more clients")  # type: ignore[misc]

    def _come(self) -> None:
        while not self._over.is_set():
            try:
                with socket.create_connection(self._address, timeout=PATIENCE) as client:
                    said = talk(client)
            except OSError as error:
                said = repr(error).encode()
            with self._lock:
                if said == self._wanted:
                    self.served += 1
                else:
                    self.lost.append(repr(said))
