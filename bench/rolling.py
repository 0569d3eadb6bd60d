#!/usr/bin/env python3
"""Three hosts behind HAProxy that share a store, restarted one after the other under load: how many clients are lost.

    python3 bench/rolling.py [SECONDS [CLIENTS_A_SECOND]]

The load goes on for so many seconds (30), so many clients a second (300). Each host is told to stop, serves while
HAProxy's checks fail, ends, and begins anew; when its check is well, the next one follows. Prints a line, and ends with
1 where a client was lost, no host was restarted, or the store was not asked about everybody.
"""

import csv
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from functools import partial
from itertools import cycle
from pathlib import Path
from typing import NamedTuple

from workshop import ALLOWED_NET, Load, Workshop, needed, opened

#: Seconds that anything may take to begin or to end.
PATIENCE = 30.0
#: Addresses of the hosts.
HOSTS = ("127.0.0.11", "127.0.0.12", "127.0.0.13")
_OURS = str(Path(sys.executable).parent / "pytcpserver")
#: Limits that nobody is over: each client is asked about all the same.
_LIMITS = ("-C5000", "--per-network", "9000", "--rate", "1000000/60")
#: Checks come more often than in service, so that a round is a matter of seconds; so does --lame end sooner.
_LAME = "2"
_CONFIGURATION = """\
global
    maxconn 2000
    stats socket {stats} mode 600 level admin
defaults
    mode tcp
    timeout connect 3s
    timeout check 3s
    timeout client 1m
    timeout server 1m
frontend smtp
    bind 127.0.0.1:{port}
    default_backend mx
backend mx
    balance leastconn
    option redispatch
    retries 3
    option tcp-check
    tcp-check expect rstring ^220
    default-server check inter 200ms fall 2 rise 2 send-proxy-v2 proxy-v2-options crc32c,unique-id
"""


class Host:
    """A host: a service on an address of its own. url: of the store. port: on which it listens."""

    def __init__(self, workshop: Workshop, ip: str, port: int, url: str) -> None:
        self._words = [_OURS, "-HRl0", "-c200", "-w2", "--proxy-from", "127.0.0.1", "--lame", _LAME, *_LIMITS]
        self._words += ["--fleet", url, ip, str(port), workshop.backend]
        self._log = workshop.folder / f"{ip}.log"
        self.begin()

    def begin(self) -> None:
        """Start it."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(self._words, stdin=subprocess.DEVNULL, stderr=log)

    def end(self) -> None:
        """Have it stop as a host does whose balancer is to see it first."""
        self._process.terminate()
        self._process.wait(PATIENCE)

    def was_alone(self) -> bool:
        """Whether it could not ask the store."""
        return b"hold alone" in self._log.read_bytes()


@contextmanager
def store(workshop: Workshop) -> Iterator[str]:
    """Redis on a port of its own; its URL."""
    port = free_port()
    words = [needed("redis-server"), "--port", str(port), "--save", "", "--bind", "127.0.0.1"]
    process = subprocess.Popen([*words, "--dir", str(workshop.folder)], stdout=subprocess.DEVNULL)
    try:
        wait_for(lambda: is_open(port), "redis-server")
        yield f"redis://127.0.0.1:{port}/0"
    finally:
        process.kill()
        process.wait(PATIENCE)


@contextmanager
def balancer(workshop: Workshop, port: int) -> Iterator[tuple[int, Callable[[str], bool]]]:
    """HAProxy before all hosts -> its port, and what tells whether the check of a host is well. port: of the hosts."""
    stats, file, own = workshop.folder / "stats", workshop.folder / "haproxy.cfg", free_port()
    servers = "".join(f"    server {ip} {ip}:{port}\n" for ip in HOSTS)
    file.write_text(_CONFIGURATION.format(stats=stats, port=own) + servers)
    process = subprocess.Popen(
        [needed("haproxy"), "-db", "-f", str(file)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        wait_for(lambda: is_open(own), "haproxy")
        yield own, lambda host: _status(stats, host) == "UP"
    finally:
        process.terminate()
        process.wait(PATIENCE)


def _status(stats: Path, host: str) -> str:
    with socket.socket(socket.AF_UNIX) as asking:
        asking.connect(str(stats))
        asking.sendall(b"show stat\n")
        with asking.makefile() as lines:
            rows = csv.DictReader(line.removeprefix("# ") for line in lines if line.strip())
            return next(row["status"] for row in rows if row["svname"] == host)


def rolled(hosts: dict[str, Host], is_well: Callable[[str], bool], load: "Future[Load]") -> int:
    """Restart one host after the other until the load has ended -> how many restarts there were."""
    for number, (name, host) in enumerate(cycle(hosts.items())):
        if load.done():
            return number
        host.end()
        host.begin()
        wait_for(partial(is_well, name), f"the check of {name}")
    return 0


class Rolled(NamedTuple):
    """What came of the load. restarts: how many. asked: questions to the store. was_alone: it did not always answer."""

    load: Load
    restarts: int
    asked: int
    was_alone: bool


def measured(workshop: Workshop, seconds: int, rate: int) -> Rolled:
    """Restart hosts under load."""
    port = free_port()
    with ExitStack() as stack:
        url = stack.enter_context(store(workshop))
        hosts = {ip: Host(workshop, ip, port, url) for ip in HOSTS}
        for host in hosts.values():
            stack.callback(host.end)
        own, is_well = stack.enter_context(balancer(workshop, port))
        for name in hosts:
            wait_for(partial(is_well, name), f"the check of {name}")
        pool = stack.enter_context(ThreadPoolExecutor(1))
        options = ("-n", str(seconds * rate), "-t", str(seconds), "-s", ALLOWED_NET)
        load = pool.submit(workshop.load, "eof", own, *options, patience=seconds + PATIENCE)
        restarts = rolled(hosts, is_well, load)
        came, was_alone = load.result(), any(host.was_alone() for host in hosts.values())
        return Rolled(came, restarts, questions(int(url.split(":")[2].partition("/")[0])), was_alone)


def questions(port: int) -> int:
    """How often scripts were run by a server of Redis."""
    words = [needed("redis-cli"), "-p", str(port), "INFO", "commandstats"]
    told = subprocess.run(words, capture_output=True, text=True, check=False, timeout=PATIENCE).stdout
    return int(told.partition("cmdstat_evalsha:calls=")[2].partition(",")[0] or 0)


def free_port() -> int:
    """A port on which nobody listens, whatever the address."""
    with socket.create_server(("0.0.0.0", 0)) as probe:
        return int(probe.getsockname()[1])


def is_open(port: int) -> bool:
    """Whether somebody listens on a port."""
    try:
        socket.create_connection(("127.0.0.1", port)).close()
    except ConnectionRefusedError:
        return False
    return True


def wait_for(condition: Callable[[], bool], what: str) -> None:
    """Wait until something is so. Raises TimeoutError."""
    end = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError(f"waited in vain for {what}")
        time.sleep(0.02)


def main() -> int:
    """Measure; 1 where a client was lost."""
    seconds = int(sys.argv[1]) if len(sys.argv) > 1 else 30
    rate = int(sys.argv[2]) if len(sys.argv) > 2 else 300
    with opened() as workshop:
        came = measured(workshop, seconds, rate)
    load = came.load
    waited = load.end_ms["max"] if load.end_ms else 0.0
    told = f"{came.restarts} restarts, {load.clients} clients, {load.lost} lost, {waited:.0f} ms at most"
    alone = ", not always answered" if came.was_alone else ""
    print(f"three hosts behind HAProxy: {told}, {came.asked} questions to the store{alone}")
    return 1 if load.lost or not came.restarts or came.asked < load.clients else 0


if __name__ == "__main__":
    sys.exit(main())
