#!/usr/bin/env python3
"""A store that another server takes over while three hosts behind HAProxy ask it: how many clients are lost, or wait.

    python3 bench/failover.py [SECONDS [CLIENTS_A_SECOND]]

The load goes on for so many seconds (15), so many clients a second (300). Behind a third of them the server that has
the limits of a fleet is killed; Redis Sentinels promote its replica. Prints a line, and ends with 1 where a client was
lost, no host has missed the store, or the new server has not been asked in the end.
"""

import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import NamedTuple

from rolling import HOSTS, PATIENCE, Host, balancer, free_port, is_open, questions, wait_for
from workshop import ALLOWED_NET, Load, Workshop, needed, opened

_SENTINELS, _QUORUM = 3, 2
_CONFIGURATION = """\
bind 127.0.0.1
port {port}
dir {folder}
sentinel monitor mx 127.0.0.1 {primary} {quorum}
sentinel down-after-milliseconds mx 500
sentinel failover-timeout mx 3000
"""


class Store(NamedTuple):
    """A store behind Sentinels. url: of it. primary: the server that is to fail. replica: port of the other one."""

    url: str
    primary: "subprocess.Popen[bytes]"
    replica: int


@contextmanager
def replicated(folder: Path) -> Iterator[Store]:
    """Two servers, the second a replica of the first, and three Sentinels."""
    ports = [free_port() for _ in range(2)]
    with ExitStack() as stack:
        primary = _begun(stack, folder, ports[0])
        wait_for(partial(is_open, ports[0]), "redis-server")
        _begun(stack, folder, ports[1], "--replicaof", "127.0.0.1", str(ports[0]), "--repl-diskless-sync-delay", "0")
        wait_for(lambda: "master_link_status:up" in asked(ports[1], "INFO", "replication"), "the replica")
        sentinels = [_sentinel(stack, folder, ports[0]) for _ in range(_SENTINELS)]
        known = f"slaves=1,sentinels={_SENTINELS}"
        wait_for(lambda: all(known in asked(port, "INFO", "sentinel") for port in sentinels), "the Sentinels")
        places = ",".join(f"127.0.0.1:{port}" for port in sentinels)
        yield Store(f"redis+sentinel://{places}/mx/0", primary, ports[1])


def asked(port: int, *command: str) -> str:
    """What a server answers; "" where it does not."""
    words = [needed("redis-cli"), "-p", str(port), *command]
    return subprocess.run(words, capture_output=True, text=True, check=False, timeout=PATIENCE).stdout


def _begun(stack: ExitStack, folder: Path, port: int, *more: str) -> "subprocess.Popen[bytes]":
    words = [needed("redis-server"), "--port", str(port), "--save", "", "--bind", "127.0.0.1", "--dir", str(folder)]
    return _until_the_end(stack, subprocess.Popen([*words, *more], stdout=subprocess.DEVNULL))


def _sentinel(stack: ExitStack, folder: Path, primary: int) -> int:
    port = free_port()
    file = folder / f"sentinel-{port}.conf"
    file.write_text(_CONFIGURATION.format(port=port, folder=folder, primary=primary, quorum=_QUORUM))
    words = [needed("redis-server"), str(file), "--sentinel"]
    _until_the_end(stack, subprocess.Popen(words, stdout=subprocess.DEVNULL))
    wait_for(partial(is_open, port), "a Sentinel")
    return port


def _until_the_end(stack: ExitStack, process: "subprocess.Popen[bytes]") -> "subprocess.Popen[bytes]":
    stack.callback(process.wait, PATIENCE)
    stack.callback(process.kill)
    return process


def measured(workshop: Workshop, seconds: int, rate: int) -> tuple[Load, bool, int]:
    """What came of the load, whether a host has missed the store, and how often the new one was asked."""
    port = free_port()
    with ExitStack() as stack:
        store = stack.enter_context(replicated(workshop.folder))
        hosts = {ip: Host(workshop, ip, port, store.url) for ip in HOSTS}
        for host in hosts.values():
            stack.callback(host.end)
        own, is_well = stack.enter_context(balancer(workshop, port))
        for name in hosts:
            wait_for(partial(is_well, name), f"the check of {name}")
        pool = stack.enter_context(ThreadPoolExecutor(1))
        options = ("-n", str(seconds * rate), "-t", str(seconds), "-s", ALLOWED_NET)
        load = pool.submit(workshop.load, "eof", own, *options, patience=seconds + PATIENCE)
        time.sleep(seconds / 3)
        store.primary.kill()
        came = load.result()
        return came, any(host.was_alone() for host in hosts.values()), questions(store.replica)


def main() -> int:
    """Measure; 1 where a client was lost, or there was no failover."""
    seconds = int(sys.argv[1]) if len(sys.argv) > 1 else 15
    rate = int(sys.argv[2]) if len(sys.argv) > 2 else 300
    with opened() as workshop:
        load, missed, calls = measured(workshop, seconds, rate)
    waited = load.end_ms["max"] if load.end_ms else 0.0
    told = f"{load.clients} clients, {load.lost} lost, {waited:.0f} ms at most"
    print(f"failover: {told}, {calls} questions to the server that took over")
    return 1 if load.lost or not missed or not calls else 0


if __name__ == "__main__":
    sys.exit(main())
