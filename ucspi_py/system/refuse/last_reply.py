"""The last reply to a client that is closed. Never waits until it is read."""

import socket


def say(client: socket.SocketType, message: bytes) -> None:
    """Tell a client why it is left, if it still listens and there is room for the words."""
    try:
        client.send(message, socket.MSG_DONTWAIT | socket.MSG_NOSIGNAL)
    except OSError:
        pass
