"""TLS clients of tests, of Python's own ssl: in a thread of their own, or byte by byte."""

import os
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ucspi_py.core.tls.settings import Pair, TlsSettings
from ucspi_py.system.tls.context import build
from ucspi_py.system.tls.pem import sealed

from .waiting import PATIENCE


def trusting(ca_file: Path, **versions: ssl.TLSVersion) -> ssl.SSLContext:
    """Make a context that trusts one authority. versions: minimum_version, maximum_version."""
    context = ssl.create_default_context(cafile=ca_file)
    context.set_ciphers("ALL:@SECLEVEL=0")  # so that it is the server who refuses what is old
    for name, version in versions.items():
        setattr(context, name, version)
    return context


def serving(pair: Pair) -> ssl.SSLContext:
    """Make the context of a server that has one certificate."""
    settings = TlsSettings((pair,))
    fd = sealed(pair)
    try:
        return build(settings, [fd])
    finally:
        os.close(fd)


def shake_hands(context: ssl.SSLContext, plain: socket.socket, name: str | None = None) -> ssl.SSLSocket:
    """Speak TLS on a connected socket; it closes with what is returned, where an end without close_notify is an error.

    name: that the server is asked for, and has to have; None = none.
    """
    if name is None:
        context.check_hostname = False
    plain.settimeout(PATIENCE)
    return context.wrap_socket(plain, server_hostname=name, suppress_ragged_eofs=False)


def common_names(client: ssl.SSLSocket) -> list[str]:
    """For which names the server's certificate is."""
    names: Any = (client.getpeercert() or {}).get("subjectAltName", ())
    return [value for _, value in names]


class Slowly:
    """A client whose bytes a test sends itself, as it likes to."""

    def __init__(self, context: ssl.SSLContext, plain: socket.socket, name: str) -> None:
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._plain = plain
        plain.settimeout(PATIENCE)
        self.tls = context.wrap_bio(self._in, self._out, server_hostname=name)

    def flights(self) -> Iterator[bytes]:
        """Carry the handshake on: yields what is to be sent each time, then waits for what follows it."""
        while True:
            try:
                self.tls.do_handshake()
            except ssl.SSLWantReadError:
                yield self._out.read()
                self._in.write(self._plain.recv(65536))
            else:
                yield self._out.read()
                return

    def said(self, data: bytes) -> bytes:
        """The bytes of something that is said."""
        self.tls.write(data)
        return self._out.read()
