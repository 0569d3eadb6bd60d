"""A server under everything at once: python -m tests.soak [--seconds 600] [--clients 1000]

Clients that talk, reset, hang up half-way, say nothing, are denied or held refused; workers killed, relieved, stopped;
backends killed; rules replaced, damaged and removed. In the end no slot, no descriptor and no memory is missing.
"""

import argparse
import asyncio
import contextlib
import os
import random
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.support.programs import ours
from tests.support.server import QUIET, Server, children
from tests.support.waiting import until

RULES = '127.0.7.:deny\n127.0.8.:allow,RBLSMTPD="No"\n127.0.9.:allow,MAXCONNIP="2"\n:allow\n'
LIMIT = 100


class Soak:
    """One server, its clients, and those who wish it ill."""

    def __init__(self, server: Server, cdb: Path, seconds: float, clients: int) -> None:
        self.server = server
        self.master = server.process.pid
        self.cdb = cdb
        self.good_rules = cdb.read_bytes()
        self.end = time.monotonic() + seconds
        self.clients = clients
        self.fates: dict[str, int] = {}

    async def run(self) -> None:
        """All clients and all evils, until the time is over; then the rules are good again."""
        evils = [self._evil(self._kill_a_worker, 2.0), self._evil(self._relieve, 3.0), self._evil(self._stop_one, 1.5)]
        evils += [self._evil(self._kill_a_backend, 0.2), self._evil(self._change_rules, 0.7)]
        await asyncio.gather(*(self._client() for _ in range(self.clients)), *evils)
        self._write_rules(self.good_rules)

    async def _client(self) -> None:
        while time.monotonic() < self.end:
            source = f"127.0.{random.choice((6, 6, 6, 7, 8, 9))}.{random.randrange(1, 250)}"
            fate = random.choice((self._talk, self._talk, self._reset, self._half_close, self._say_nothing))
            try:
                async with asyncio.timeout(20):
                    await fate(source)
                outcome = fate.__name__
            except (OSError, TimeoutError, asyncio.IncompleteReadError) as error:
                outcome = type(error).__name__
            self.fates[outcome] = self.fates.get(outcome, 0) + 1
            await asyncio.sleep(random.random() * self.clients / 500)

    async def _connect(self, source: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection("127.0.0.1", self.server.port, local_addr=(source, 0))

    async def _talk(self, source: str) -> None:
        reader, writer = await self._connect(source)
        with contextlib.closing(writer):
            writer.write(b"quit\r\n")
            writer.write_eof()
            await reader.read()

    async def _reset(self, source: str) -> None:
        _, writer = await self._connect(source)
        linger = b"\1\0\0\0\0\0\0\0"
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        writer.transport.abort()

    async def _half_close(self, source: str) -> None:
        reader, writer = await self._connect(source)
        with contextlib.closing(writer):
            writer.write_eof()
            await reader.read()

    async def _say_nothing(self, source: str) -> None:
        _, writer = await self._connect(source)
        with contextlib.closing(writer):
            await asyncio.sleep(random.random() * 2)

    async def _evil(self, deed, pause: float) -> None:  # type: ignore[no-untyped-def]
        while time.monotonic() < self.end:
            await asyncio.sleep(pause * (0.5 + random.random()))
            with contextlib.suppress(ProcessLookupError, IndexError):
                await deed()

    async def _kill_a_worker(self) -> None:
        os.kill(random.choice(self.workers()), signal.SIGKILL)

    async def _relieve(self) -> None:
        os.kill(self.master, signal.SIGHUP)

    async def _stop_one(self) -> None:
        worker = random.choice(self.workers())
        os.kill(worker, signal.SIGSTOP)
        await asyncio.sleep(0.3)
        os.kill(worker, signal.SIGCONT)

    async def _kill_a_backend(self) -> None:
        worker = random.choice(self.workers())
        os.kill(random.choice(children(worker)), signal.SIGKILL)

    async def _change_rules(self) -> None:
        content = random.choice((self.good_rules, self.good_rules, b"", self.good_rules[:1000], bytes(4096)))
        self._write_rules(content)

    def _write_rules(self, content: bytes) -> None:
        temporary = self.cdb.with_suffix(".tmp")
        temporary.write_bytes(content)
        temporary.rename(self.cdb)

    def workers(self) -> list[int]:
        """The children of the master that are workers, by their command line."""
        return [pid for pid in children(self.master) if b"ucspi_py" in _command(pid)]


def _command(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def _descriptors(pid: int) -> int:
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))


def _private_memory(pid: int) -> int:
    """Kilobytes of a process's own."""
    found = re.search(r"^Private_Dirty:\s+(\d+)", Path(f"/proc/{pid}/smaps_rollup").read_text(), re.MULTILINE)
    return int(found[1]) if found else 0


def _running(server: Server) -> bytes:
    with server.log_file.open("rb") as log:
        log.seek(0, os.SEEK_END)
        log.seek(max(0, log.tell() - 100_000))
        return log.read().rpartition(b"tcpserver: status: ")[2].partition(b"\n")[0]


def _fill(server: Server) -> None:
    """Every slot is there: so many clients are served at once."""
    with contextlib.ExitStack() as clients:
        for number in range(LIMIT):
            client = clients.enter_context(server.connect(f"127.0.6.{1 + number % 5}"))
            client.sendall(b"x")
            assert client.recv(1) == b"x"


def _all_work(test: Soak) -> None:
    until(lambda: len(test.workers()) == len(os.sched_getaffinity(0)), "a worker on each post, none besides")


def soak(seconds: float, clients: int, folder: Path) -> dict[str, int]:
    """Run it; how many clients met which fate. Raises AssertionError where something is missing in the end."""
    cdb = folder / "rules.cdb"
    subprocess.run([ours("pytcprules"), cdb, folder / "tmp"], input=RULES.encode(), check=True)
    backend = [ours("pyrblsmtpd"), "-t5", "cat"]
    options = ("-v", f"-c{LIMIT}", "-C50", "-x", str(cdb), *QUIET)
    with Server(ours("pytcpserver"), options, backend, folder) as server:
        server.talk()
        master = server.process.pid
        test = Soak(server, cdb, seconds, clients)
        _all_work(test)
        before = _descriptors(master), _private_memory(master)
        asyncio.run(test.run())
        # Who was killed may have freed a slot and not said so: the lines of one more client tell the truth.
        until(lambda: server.talk() is not None and _running(server) == b"0/%d" % LIMIT, "all slots to be free")
        _fill(server)
        until(lambda: server.talk(source="127.0.6.1", data=b"well") == b"well", "good rules")
        _all_work(test)  # what the master shares with nobody depends on how many they are
        assert _descriptors(master) == before[0]
        assert _private_memory(master) < before[1] + 2000
        assert b"Traceback" not in server.log()
        return test.fates


def _main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=600.0)
    parser.add_argument("--clients", type=int, default=1000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        fates = soak(options.seconds, options.clients, Path(folder))
    for fate, number in sorted(fates.items()):
        sys.stdout.write(f"{number:8d} {fate.strip('_').replace('_', ' ')}\n")


if __name__ == "__main__":
    _main()
