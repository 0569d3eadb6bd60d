#!/usr/bin/env python3
"""Clients that have a server work at its TLS and say nothing, a process of their own.

    python3 bench/tls_floods.py PORT handshakes|commands|content NUMBER

handshakes: so many volleys of clients that shake hands and leave. commands, content: clients that are there together,
each of which sends so many new keys (KeyUpdate, RFC 8446, 4.6.3) where that is read. Says a line when all is prepared,
and begins when it is told one.
"""

import ctypes
import os
import selectors
import socket
import sys
from collections.abc import Callable

import tls_servers as tls
from workshop import OWN_DOMAIN, Spoiled

#: Clients at once.
CLIENTS = 8
_VOLLEY = 16
_PATIENCE = 60.0
_PIECE = 65536
#: To be answered with a key of the server's own (SSL_KEY_UPDATE_REQUESTED).
_REQUESTED = 1
#: Bytes of one such record at most.
_RECORD = 64
_OPENING = (b"EHLO x", b"MAIL FROM:<s@x.example>", b"RCPT TO:<r@%b>" % OWN_DOMAIN.encode(), b"DATA")


class _OpenSsl:
    """What Python's ssl has no way to: those of libssl that we need, and what they return."""

    def __init__(self) -> None:
        self.ssl, self.crypto = ctypes.CDLL("libssl.so.3"), ctypes.CDLL("libcrypto.so.3")
        for library, names in (
            (self.ssl, ("TLS_client_method", "SSL_CTX_new", "SSL_new")),
            (self.crypto, ("BIO_new", "BIO_s_mem")),
        ):
            for name in names:
                getattr(library, name).restype = ctypes.c_void_p


class KeyMaker:
    """A client that shakes hands, and then makes new keys for as long as it likes."""

    def __init__(self, port: int) -> None:
        self._libraries = _OpenSsl()
        ssl = self._libraries.ssl
        self.socket = socket.create_connection(("127.0.0.1", port), _PATIENCE)
        self.socket.setblocking(True)
        context = ctypes.c_void_p(ssl.SSL_CTX_new(ctypes.c_void_p(ssl.TLS_client_method())))
        self._ssl = ctypes.c_void_p(ssl.SSL_new(context))
        ssl.SSL_set_fd(self._ssl, self.socket.fileno())
        _sure(ssl.SSL_connect(self._ssl) == 1)
        self._heard()

    def ask(self, line: bytes) -> None:
        """Say a line, which must not be refused."""
        ssl = self._libraries.ssl
        _sure(ssl.SSL_write(self._ssl, line + b"\r\n", len(line) + 2) == len(line) + 2)
        self._heard()

    def keys(self, number: int) -> bytes:
        """Make so many new keys -> all the records of it, to be sent; nothing else can be said before."""
        ssl, crypto = self._libraries.ssl, self._libraries.crypto
        memory = ctypes.c_void_p(crypto.BIO_new(ctypes.c_void_p(crypto.BIO_s_mem())))
        ssl.SSL_set0_wbio(self._ssl, memory)
        for _ in range(number):
            _sure(ssl.SSL_key_update(self._ssl, _REQUESTED) == 1 and ssl.SSL_do_handshake(self._ssl) == 1)
        room = ctypes.create_string_buffer(number * _RECORD)
        size = crypto.BIO_read(memory, room, len(room))
        return room.raw[:size]

    def _heard(self) -> None:
        room = ctypes.create_string_buffer(1000)
        size = self._libraries.ssl.SSL_read(self._ssl, room, len(room))
        _sure(size > 0 and room.raw[:1] in b"23")


def _sure(is_well: bool) -> None:
    if not is_well:
        raise Spoiled("a client of TLS has failed")


def _handshakes(port: int, number: int) -> Callable[[], object]:
    def flood() -> None:
        within = tls.context()
        for _ in range(number):
            tls.volley(port, within, _VOLLEY)

    return flood


def _new_keys(port: int, number: int, opening: tuple[bytes, ...]) -> Callable[[], object]:
    clients = [KeyMaker(port) for _ in range(CLIENTS)]
    for client in clients:
        for line in opening:
            client.ask(line)
    floods = {client.socket: client.keys(number) for client in clients}

    def flood() -> None:
        """A piece of each in turns, until all have been left; the keys with which they are answered are thrown away."""
        with selectors.DefaultSelector() as ready:
            for connection in floods:
                ready.register(connection, selectors.EVENT_READ | selectors.EVENT_WRITE)
            while ready.get_map():
                for key, events in ready.select():
                    _carry_on(ready, key, events, floods)

    return flood


def _carry_on(
    ready: selectors.BaseSelector, key: selectors.SelectorKey, events: int, floods: dict[socket.socket, bytes]
) -> None:
    """Send and read what can be of one client; its last when it has sent all."""
    connection = key.fileobj
    if not isinstance(connection, socket.socket):
        raise TypeError("no socket")
    try:
        if events & selectors.EVENT_READ and not connection.recv(_PIECE, socket.MSG_DONTWAIT):
            ready.unregister(connection)
        elif events & selectors.EVENT_WRITE:
            floods[connection] = floods[connection][connection.send(floods[connection][:_PIECE], socket.MSG_DONTWAIT) :]
            if not floods[connection]:
                connection.shutdown(socket.SHUT_WR)
                ready.modify(connection, selectors.EVENT_READ)
    except BlockingIOError:
        pass
    except OSError:  # it was left
        ready.unregister(connection)


def main() -> None:
    """See above."""
    port, kind, number = int(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    kinds = {"commands": (), "content": _OPENING}
    flood = _new_keys(port, number, kinds[kind]) if kind in kinds else _handshakes(port, number)
    os.write(1, b"ready\n")
    if os.read(0, 1):
        flood()


if __name__ == "__main__":
    main()
