#!/usr/bin/env python3
"""Restarts of each kind under load: how many clients are lost. The bar is none.

    python3 bench/restarts.py [SECONDS [CLIENTS_A_SECOND]]

For each kind the load goes on for so many seconds (20), so many clients a second (1000), and the service is restarted
every two seconds, once it has served somebody. Prints a line for each kind, and ends with 1 where a client was lost.
"""

import os
import shlex
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from workshop import Load, Workshop, needed, opened

#: Seconds between two restarts, and those that a service may take to begin or to end.
PAUSE, PATIENCE = 2.0, 30.0
#: Gives its descriptor 3 to a program as systemd does.
_PASSING = 'LISTEN_PID=$$ LISTEN_FDS=1 exec "$@"'
_OURS = str(Path(sys.executable).parent / "pytcpserver")


#: Makes a service's command line of its last options, its host and its port.
Words = Callable[..., list[str]]


def words(workshop: Workshop, *options: str) -> list[str]:
    """The command line of a service. options: behind them come the host and the port."""
    return [_OURS, "-H", "-R", "-l0", "-c100", "-b4096", "-w2", *options, workshop.backend]


@contextmanager
def by_usr2(workshop: Workshop, supervisor: str, words: Words = words) -> Iterator[tuple[int, Callable[[], None]]]:
    """USR2 to a service under a supervisor."""
    port = _free_port()
    with _kept(workshop, supervisor, words(workshop, "127.0.0.1", str(port))) as child:
        _await(port)
        yield port, lambda: os.kill(child(), signal.SIGUSR2)


@contextmanager
def by_socket(workshop: Workshop, _name: str, words: Words = words) -> Iterator[tuple[int, Callable[[], None]]]:
    """A process that ends, and another with the same socket, as of a .socket unit."""
    with socket.create_server(("127.0.0.1", 0), backlog=4096) as held:
        fd = held.fileno()
        moved = f"exec 3<&{fd}; {_PASSING}" if fd != 3 else _PASSING
        command = ["sh", "-c", moved, "sh", *words(workshop, "-", "-")]
        running = [subprocess.Popen(command, pass_fds=[fd], stdin=subprocess.DEVNULL)]

        def restart() -> None:
            _end(running.pop())
            running.append(subprocess.Popen(command, pass_fds=[fd], stdin=subprocess.DEVNULL))

        try:
            yield held.getsockname()[1], restart
        finally:
            _end(running.pop())


@contextmanager
def by_holder(workshop: Workshop, _name: str, words: Words = words) -> Iterator[tuple[int, Callable[[], None]]]:
    """s6-svc -r of a service that fetches its socket from s6-fdholder."""
    with socket.create_server(("127.0.0.1", 0), backlog=4096) as held, _fdholder(workshop.folder, held) as path:
        port = held.getsockname()[1]
        retrieve = [needed("s6-fdholder-retrieve"), path, "unix:smtp"]
        with _kept(workshop, "s6-supervise", [*retrieve, *words(workshop, "--listen-fd", "0", "-", "-")]) as child:
            yield port, lambda: os.kill(child(), signal.SIGTERM)


KINDS = {
    "USR2 under supervise": (by_usr2, "supervise"),
    "USR2 under runsv": (by_usr2, "runsv"),
    "USR2 under s6-supervise": (by_usr2, "s6-supervise"),
    "a socket that is passed": (by_socket, ""),
    "a socket of s6-fdholder": (by_holder, ""),
}


def measured(workshop: Workshop, kind: str, seconds: int, rate: int) -> tuple[Load, int]:
    """What came of the load, and how many restarts there were."""
    way, name = KINDS[kind]
    with way(workshop, name) as (port, restart), ThreadPoolExecutor(1) as pool:
        options = ("-n", str(seconds * rate), "-t", str(seconds))
        load = pool.submit(workshop.load, "eof", port, *options, patience=seconds + PATIENCE)
        restarts = 0
        while not load.done():
            time.sleep(PAUSE)
            _be_served(port)  # or a slow machine would restart what has served nobody yet
            if not load.done():
                restart()
                restarts += 1
        return load.result(), restarts


@contextmanager
def _kept(workshop: Workshop, supervisor: str, command: Sequence[str]) -> Iterator[Callable[[], int]]:
    """A service under a supervisor; gives what tells its process id."""
    folder = workshop.folder / f"service-{supervisor}-{time.monotonic_ns()}"
    folder.mkdir()
    (folder / "run").write_text(f"#!/bin/sh\nexec {shlex.join(command)} 2>>../log\n")
    (folder / "run").chmod(0o755)
    keeper = subprocess.Popen([needed(supervisor), str(folder)], stdin=subprocess.DEVNULL)

    def child() -> int:
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:  # there is none for a moment between two of them
            if children := Path(f"/proc/{keeper.pid}/task/{keeper.pid}/children").read_text().split():
                return int(children[0])
            time.sleep(0.01)
        raise TimeoutError("the supervisor starts nobody")

    try:
        yield child
    finally:
        last = child()
        keeper.kill()
        keeper.wait()
        os.kill(last, signal.SIGTERM)


@contextmanager
def _fdholder(folder: Path, held: socket.socket) -> Iterator[str]:
    """s6-fdholder with a socket in it, called unix:smtp."""
    folder = folder / f"holder-{time.monotonic_ns()}"
    allowed = folder / "rules/uid/default"
    (allowed / "env").mkdir(parents=True)
    (allowed / "allow").touch()
    for name in ("S6_FDHOLDER_STORE_REGEX", "S6_FDHOLDER_RETRIEVE_REGEX"):
        (allowed / "env" / name).write_text(".*\n")
    path = str(folder / "fdholder")
    daemon = subprocess.Popen([needed("s6-fdholder-daemon"), "-i", str(folder / "rules"), path])
    try:
        store = [needed("s6-fdholder-store"), path, "unix:smtp"]
        end = time.monotonic() + PATIENCE
        while subprocess.run(store, stdin=held.fileno(), stderr=subprocess.DEVNULL, check=False).returncode:
            if time.monotonic() > end:
                raise TimeoutError("s6-fdholder takes no socket")
        yield path
    finally:
        _end(daemon)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def _await(port: int) -> None:
    end = time.monotonic() + PATIENCE
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            return
        except ConnectionRefusedError:
            if time.monotonic() > end:
                raise


def _be_served(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as client:
        while client.recv(4096):
            pass


def _end(process: "subprocess.Popen[bytes]") -> None:
    process.terminate()
    process.wait(PATIENCE)


def main() -> int:
    """Measure all kinds; 1 where a client was lost."""
    seconds = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    rate = int(sys.argv[2]) if len(sys.argv) > 2 else 1000
    lost = 0
    with opened() as workshop:
        for kind in KINDS:
            load, restarts = measured(workshop, kind, seconds, rate)
            lost += load.lost
            waited = load.end_ms["max"] if load.end_ms else 0.0
            told = f"{restarts} restarts, {load.clients} clients, {load.lost} lost, {waited:.0f} ms at most"
            print(f"{kind}: {told}", flush=True)
            if load.lost:
                print(f"    {load}", flush=True)
    return 1 if lost else 0


if __name__ == "__main__":
    sys.exit(main())
