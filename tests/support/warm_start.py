"""Imports programs of ours, and becomes one of them in a fork for each question; see warm.py.

What a launcher and an interpreter do at a start is none of this: a test of that starts what is installed.
"""

import gc
import json
import os
import random
import socket
import sys
from collections.abc import Mapping, Sequence
from importlib import import_module

from ucspi_py.cli.start import main

#: Bytes of an answer, a wait status; and of a question at most: words and environment.
STATUS, _MOST = 4, 1024 * 1024


def serve(channel: socket.socket) -> None:
    """Fork for each question; returns in the fork, and ends the process where nobody asks any more."""
    while True:
        asked, fds, _, _ = socket.recv_fds(channel, _MOST, 3)
        if not asked:
            sys.exit()
        pid = os.fork()
        if not pid:
            channel.close()
            _become(fds, *json.loads(asked))
            return
        for fd in fds:
            os.close(fd)
        channel.send(os.waitpid(pid, 0)[1].to_bytes(STATUS))


def _become(fds: Sequence[int], words: list[str], variables: Mapping[str, str], folder: str) -> None:
    for place, fd in enumerate(fds):
        os.dup2(fd, place)
        os.close(fd)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(variables)
    random.seed()
    sys.argv = words


if __name__ == "__main__":
    for module in sys.argv[2:]:
        import_module(module)
    gc.freeze()
    serve(socket.socket(fileno=int(sys.argv[1])))
    main(sys.argv)
