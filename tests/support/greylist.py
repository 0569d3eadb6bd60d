"""pygreylist as tests meet it: alone, and absorbed by pytcpserver; what its clients hear, with numbers masked."""

import asyncio
import os
import re
import sqlite3
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path

from ucspi_py.core.greylist.visit import TENANT
from ucspi_py.system.store.sqlite import SqliteStore

from .programs import ours
from .rules import cdb_of
from .server import QUIET, Server, talk
from .waiting import until

SERVER = ours("pytcpserver")
GREYLIST = ours("pygreylist")

#: What a refused client hears that says ``rcpt``.
REFUSED = b"220 rblsmtpd.local\r\n451 Greylisted, try again in N seconds\r\n"
#: A delay of a minute, and what makes it pass (grow_older).
MINUTE, PAST = ("-d", "60"), 61
#: A delay that no test will see the end of.
LONG = ("-d", "3600")


def serving(
    folder: Path, *words: str, options: Sequence[str] = (), before: Sequence[str] = (), host: str = "127.0.0.1"
) -> Server:
    """pytcpserver with pygreylist before a program that says ``welcome``; words: the options of pygreylist."""
    chain = (GREYLIST, *words, "echo", "welcome")
    return Server(SERVER, (*options, *QUIET), chain, folder, before=before, host=host)


def made(path: Path) -> str:
    """A store with nobody in it, as a service that runs has it. To make one, a disk is waited for, and who comes
    meanwhile is let in after a second."""

    async def make() -> None:
        store = SqliteStore(str(path), (TENANT,))
        await store.open()
        await store.close()

    if not path.exists():
        asyncio.run(make())
    return str(path)


def answer(server: Server, source: str = "127.0.0.1") -> bytes:
    """What the server says to one client, who waits for its greeting; the number of seconds is masked."""
    with server.connect(source) as client:
        greeting = client.recv(100)
        return masked(greeting + talk(client, b"rcpt\r\n" if greeting.startswith(b"220") else b""))


def masked(told: bytes) -> bytes:
    """Numbers of seconds and of processes as N."""
    return re.sub(rb"(in|pid) \d+", rb"\1 N", told)


def comes_in(server: Server, source: str) -> None:
    """The client tries until it is let in."""
    until(lambda: answer(server, source) == b"welcome\n", f"{source} to be let in")


def grow_older(db: Path, seconds: int) -> None:
    """Let time pass for the networks of a store: all that is remembered was so many seconds earlier."""
    with closing(sqlite3.connect(db)) as connection, connection:
        connection.execute("UPDATE greylist SET first = first - ?1, passed = passed - ?1", (seconds,))


def alone(words: Sequence[str], environment: Mapping[str, str], said: bytes = b"rcpt\r\n") -> tuple[bytes, bytes]:
    """What pygreylist answers and logs as a process of its own."""
    done = subprocess.run(
        [GREYLIST, *words, "echo", "welcome"],
        input=said,
        env={"PATH": os.environ["PATH"], **environment},
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0
    return masked(done.stdout), masked(done.stderr)


def absorbed(
    words: Sequence[str], environment: Mapping[str, str], folder: Path, said: bytes = b"rcpt\r\n"
) -> tuple[bytes, bytes]:
    """The same by way of pytcpserver, where a rule sets the environment of the test."""
    variables = "".join(f',{name}="{value}"' for name, value in environment.items())
    with serving(folder, *words, options=("-x", cdb_of(f":allow{variables}\n", folder))) as server:
        told = masked(server.talk(said))
    return told, masked(server.log())
