"""A policy server of a test's own, over either kind of socket: it says what it is told to, and keeps what it heard."""

import socket
from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path

from tests.support.listening import ListeningServer, serving

#: Said by a server that says nothing, and by one that closes the connection.
SILENT, CLOSES = b"", b"close"


class PolicyServer(ListeningServer):
    """A server. action: what it says of a request now, or bytes beginning with = that it sends as they are.

    requests: those that it has heard, as attributes.
    """

    def __init__(self, listening: socket.socket, service: str) -> None:
        super().__init__(listening, service)
        self.action = b"DUNNO"
        self.requests: list[Mapping[str, str]] = []

    def say(self, action: bytes) -> None:
        """Say this from now on."""
        self.action = action

    def heard(self, name: str) -> list[str]:
        """What it has heard of one attribute."""
        return [request[name] for request in self.requests]

    def serve(self, connected: socket.socket, _number: int, /) -> None:
        """Answer each request."""
        request: dict[str, str] = {}
        with connected.makefile("rb") as lines:
            for line in lines:
                if line != b"\n":
                    name, _, value = line.decode().removesuffix("\n").partition("=")
                    request[name] = value
                    continue
                self.requests.append(request)
                request = {}
                if self.action == CLOSES:
                    return
                whole = self.action[1:] if self.action.startswith(b"=") else b"action=%b\n\n" % self.action
                connected.sendall(b"" if self.action == SILENT else whole)


def policy_server(path: Path | None = None, *, ip: str = "127.0.0.1") -> AbstractContextManager[PolicyServer]:
    """A running server. path: of its socket; None = it listens on a port. ip: there."""
    return serving(PolicyServer, path, ip)
