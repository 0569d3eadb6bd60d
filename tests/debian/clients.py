"""Clients of a host's port 25, one after the other, while something is done to the service."""

import threading

from tests.debian.host import Host
from tests.support.smtp_client import Client


class Clients:
    """Clients that come one after the other until the end of the with block. lost: those who saw no banner."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._come)
        self.served = 0
        self.lost: list[str] = []

    def __enter__(self) -> "Clients":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _come(self) -> None:
        while not self._over.wait(0.02):
            try:
                with Client(self._host.connect(25)) as client:
                    banner = client.reply()
                self.served += banner.startswith(b"220")
                self.lost += [] if banner.startswith(b"220") else [repr(banner)]
            except (OSError, AssertionError) as error:
                self.lost.append(repr(error))
