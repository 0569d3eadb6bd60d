"""The last word to a client that is left. Never waits for anybody to hear it."""

import socket


def say(client: socket.SocketType, message: bytes) -> None:
    """Tell a client why it is left, if it still listens and there is room for the words."""
    try:
        client.send(message, socket.MSG_DONTWAIT | socket.MSG_NOSIGNAL)
    except OSError:
        pass
