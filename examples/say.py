#!/usr/bin/env python3
"""A mail client that shows the conversation, to try a server with: C: is what it says, S: what it hears.

    say.py CLIENT RECIPIENT [PORT]

It comes from the address CLIENT, any of 127.0.0.0/8, to PORT (2525) of 127.0.0.1, and offers a short message for
RECIPIENT. Exit codes: 0 the message was taken, 1 it was not, 100 for wrong arguments, 111 without a server.
"""

import socket
import sys
from io import BufferedRWPair

WAIT_SECONDS = 60.0
_LINE_LIMIT = 4096
_TEXT = "From: <me@client.example>\r\nTo: <{}>\r\nSubject: a try\r\n\r\nHello!\r\n.\r\n"


def offer(server: BufferedRWPair, recipient: str) -> bool:
    """Offer a message, as far as the server goes along; whether it was taken. Raises OSError."""
    going_on = _hear(server)
    for command in ("EHLO client.example", "MAIL FROM:<me@client.example>", f"RCPT TO:<{recipient}>", "DATA"):
        going_on = going_on and _say(server, command + "\r\n")
    taken = going_on and _say(server, _TEXT.format(recipient))
    _say(server, "QUIT\r\n")
    return taken


def _say(server: BufferedRWPair, words: str) -> bool:
    for line in words.splitlines():
        print("C:", line, flush=True)
    server.write(words.encode())
    server.flush()
    return _hear(server)


def _hear(server: BufferedRWPair) -> bool:
    """Show one reply; whether it means that we may go on. Raises ConnectionError where there is none."""
    while line := server.readline(_LINE_LIMIT):
        print("S:", line.decode("ascii", "replace").rstrip(), flush=True)
        if line[3:4] != b"-":
            return line[:1] in (b"2", b"3")
    raise ConnectionError("the server has hung up")


def main() -> int:
    """The program; its exit code."""
    words = sys.argv[1:] if len(sys.argv) == 4 else [*sys.argv[1:], "2525"]
    try:
        client, recipient, port = words
        where = ("127.0.0.1", int(port))
    except ValueError:
        print("say: usage: say.py client recipient [port]", file=sys.stderr)
        return 100
    try:
        connection = socket.create_connection(where, WAIT_SECONDS, (client, 0))
    except OSError as error:
        print(f"say: fatal: unable to connect from {client} to port {port}: {error}", file=sys.stderr)
        return 111
    try:
        with connection, connection.makefile("rwb") as server:
            return 0 if offer(server, recipient) else 1
    except OSError as error:
        print(f"say: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
