#!/usr/bin/env python3
"""Open connections held through a restart by drain: how many are lost. The bar is none of 20,000.

    python3 bench/held.py [CONNECTIONS]

So many clients (20,000, or as many as the hard limit of open files allows) have said MAIL when the service restarts.
Then others come, which the new program serves, and each of the first ones goes on with the old one: all of those that a
screen refuses, and those of a gate until it tells them after ten seconds to come again, as no recipient was accepted.
Prints a line for each kind of restart, and ends with 1 where a client was lost.
"""

import multiprocessing
import os
import resource
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import NamedTuple

import crowd
import gates
from contenders import ours
from crowd import Crowd, Session
from restarts import by_holder, by_socket, by_usr2
from workshop import Spoiled, Workshop, opened

_WANTED = 20_000
#: Of the hard limit of open files: what a process needs beside its clients' (system/process/rlimits.py).
_OTHERS = 200
#: Clients of one process of ours.
_OF_ONE = 5_000
#: Clients that come once the service is restarted, and places that are left: nobody is to make room for anybody.
_FRESH, _LEFT = 200, 100
_WORKERS = 2
_PATIENCE = 60.0

KINDS = {
    "USR2": partial(by_usr2, supervisor="supervise"),
    "a socket that is passed": partial(by_socket, _name=""),
    "a socket of s6-fdholder": partial(by_holder, _name=""),
}


class State(NamedTuple):
    """Where clients are when the service is restarted. words: the service's, behind its options. fresh: the next's."""

    session: Session
    environment: tuple[str, ...]
    words: Callable[[Workshop], list[str]]
    fresh: str


STATES = {
    "refused by a screen": State(
        crowd.REFUSED, ("RBLSMTPD=-no",), lambda shop: [ours("pyrblsmtpd"), "-t600", shop.smtp_backend], "refused"
    ),
    "at a gate": State(crowd.STRANGER, (), gates.gate_words, "message"),
}


class Held(NamedTuple):
    """What came of it. finished, told, lost: of the clients that were held. fresh: served of those that came then."""

    finished: int
    told: int
    lost: tuple[str, ...]
    fresh: int


def held(workshop: Workshop, kind: str, state: State, number: int) -> Held:
    """Restart a service with so many clients inside."""
    parts = [min(_OF_ONE, number - first) for first in range(0, number, _OF_ONE)]
    with KINDS[kind](workshop, words=partial(_words, state, number)) as (port, restart), ExitStack() as stack:
        crowds = [
            stack.enter_context(_Elsewhere(state.session, port, part, f"3.{place}")) for place, part in enumerate(parts)
        ]
        for one in crowds:
            one.wait()
        before = _listening(port)
        restart()
        _await_others(port, before)
        fresh = workshop.load(state.fresh, port, "-n", str(_FRESH), "-c", "10", patience=_PATIENCE).served
        for one in crowds:
            one.tell()
        ends = [one.wait() for one in crowds]
        lost = tuple(why for one in ends for why in one.lost)
        return Held(sum(one.finished for one in ends), sum(one.told for one in ends), lost, fresh)


def _listening(port: int) -> set[int]:
    """The processes that have the socket of a port."""
    lines = (line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:])
    inode = next(line[9] for line in lines if line[3] == "0A" and int(line[1].partition(":")[2], 16) == port)
    return {pid for pid in map(int, filter(str.isdecimal, os.listdir("/proc"))) if _has(pid, f"socket:[{inode}]")}


def _has(pid: int, file: str) -> bool:
    try:
        with os.scandir(f"/proc/{pid}/fd") as descriptors:
            return any(os.readlink(one.path) == file for one in descriptors)
    except OSError:
        return False


def _await_others(port: int, before: set[int]) -> None:
    """Wait until other workers listen on a port than before, and those no longer."""
    end = time.monotonic() + _PATIENCE
    while min(len(before - (now := _listening(port))), len(now - before)) < _WORKERS:
        if time.monotonic() > end:
            raise Spoiled("no other workers have come")
        time.sleep(0.1)


class _Ended(NamedTuple):
    finished: int
    told: int
    lost: tuple[str, ...]


class _Elsewhere:
    """A crowd in a process of its own, that comes, says so, stays until it is told to end, and says what came of it."""

    def __init__(self, session: Session, port: int, number: int, net: str) -> None:
        self._ours, theirs = multiprocessing.Pipe()
        made = (session, port, number, net, theirs)
        self._process: BaseProcess = multiprocessing.Process(target=_be, args=made, daemon=True)

    def __enter__(self) -> "_Elsewhere":
        self._process.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._process.kill()
        self._process.join()

    def wait(self) -> _Ended:
        """What it says next."""
        told: _Ended = self._ours.recv()
        return told

    def tell(self) -> None:
        """Have it end."""
        self._ours.send(None)


def _be(session: Session, port: int, number: int, net: str, master: Connection) -> None:
    """Be a crowd. master: is told of it, and tells when it is to end."""
    clients = Crowd(session, port, number, net)
    clients.come()
    master.send(_ended(clients))
    while not master.poll():
        clients.stay()
    clients.end()
    master.send(_ended(clients))


def _ended(clients: Crowd) -> _Ended:
    return _Ended(clients.finished, clients.told, tuple(clients.lost))


def _words(state: State, number: int, workshop: Workshop, *options: str) -> list[str]:
    """A service with places for so many clients. options: behind them come the host and the port."""
    held = str(number + _LEFT)
    words = [ours("pytcpserver"), "-QHRl0", "-c300", "-b4096", f"-w{_WORKERS}", "--held", held, *options]
    # what is said of each client is nobody's here
    silent = ["sh", "-c", f'exec "$@" 2>{workshop.folder}/log', "sh", "env", *state.environment]
    return [*silent, *words, *state.words(workshop)]


def main() -> int:
    """Measure all kinds; 1 where a client was lost."""
    asked = int(sys.argv[1]) if len(sys.argv) > 1 else _WANTED
    number = min(asked, resource.getrlimit(resource.RLIMIT_NOFILE)[1] - _OTHERS - _LEFT)
    if number < asked:
        print(f"the hard limit of open files allows {number} connections, not {asked}")
    lost = 0
    with opened() as workshop:
        for name, state in STATES.items():
            for kind in KINDS:
                found = held(workshop, kind, state, number)
                lost += number - found.finished - found.told + _FRESH - found.fresh
                _tell(f"{name}, {kind}", found)
    return 1 if lost else 0


def _tell(name: str, found: Held) -> None:
    told = f"{found.finished} to their end, {found.told} told in order to come again, {len(found.lost)} lost"
    print(f"{name}: {told}; {found.fresh} of {_FRESH} others served", flush=True)
    for why in sorted(set(found.lost)):
        print(f"    {found.lost.count(why)} {why}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
