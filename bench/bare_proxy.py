"""What any proxy in Python costs: starts the backend for each client and passes bytes both ways, and looks at nothing.

/usr/bin/python3 bare_proxy.py BACKEND: prints its port; one worker for each processor, until SIGTERM.
"""

import os
import select
import signal
import socket
import sys

_AT_ONCE = 1 << 17
_BACKLOG = 1024


class _Worker:
    """Accepts clients beside other workers; ``_peers`` has both ends of each session, by descriptor."""

    def __init__(self, listener: socket.socket, backend: str) -> None:
        self._listener, self._backend = listener, backend
        self._events = select.epoll()
        self._peers: dict[int, tuple[socket.socket, socket.socket]] = {}
        self._buffer = memoryview(bytearray(_AT_ONCE))

    def serve(self) -> None:
        """Pass bytes until somebody ends us."""
        listening = self._listener.fileno()
        self._events.register(listening, select.EPOLLIN | select.EPOLLEXCLUSIVE)
        while True:
            for fd, _ in self._events.poll():
                if fd == listening:
                    self._accept()
                elif fd in self._peers:
                    self._pass(*self._peers[fd])

    def _accept(self) -> None:
        try:
            client, _ = self._listener.accept()
        except BlockingIOError:
            return
        ours, theirs = socket.socketpair()
        actions = [(os.POSIX_SPAWN_DUP2, theirs.fileno(), fd) for fd in (0, 1)]
        os.posix_spawn(self._backend, [self._backend], os.environ, file_actions=actions)
        theirs.close()
        for one, other in ((client, ours), (ours, client)):
            self._peers[one.fileno()] = one, other
            self._events.register(one.fileno(), select.EPOLLIN)

    def _pass(self, one: socket.socket, other: socket.socket) -> None:
        try:
            if size := one.recv_into(self._buffer, 0, socket.MSG_DONTWAIT):
                other.sendall(self._buffer[:size])
                return
        except BlockingIOError:  # told of the session before, which had this descriptor
            return
        except ConnectionError:
            pass
        for end in (one, other):
            del self._peers[end.fileno()]
            end.close()


def main() -> None:
    """Serve on a port of loopback."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=_BACKLOG)
    listener.setblocking(False)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for a backend
    print(listener.getsockname()[1], flush=True)
    for _ in range(len(os.sched_getaffinity(0)) - 1):
        if not os.fork():
            break
    _Worker(listener, sys.argv[1]).serve()


if __name__ == "__main__":
    main()
