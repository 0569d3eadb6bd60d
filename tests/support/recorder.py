"""pyrelay serve on a socket that every user reaches, and programs that tell it of logins as some user."""

import asyncio
import itertools
import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

from ucspi_py.core.ledger.grant import Grant, is_live
from ucspi_py.core.ledger.recorder import request as requests
from ucspi_py.core.ledger.recorder.request import Reply, Request
from ucspi_py.system.ledger.reader import LedgerReader

from .programs import ours
from .waiting import PATIENCE, until

#: A user id that nobody has, and another one.
USER, OTHER = 61_001, 61_002

#: pyrelay of this Python as a user who may not be able to read it: all of it is loaded before.
AS_USER = """
import difflib, os, sys
uid = int(sys.argv.pop(1))
from ucspi_py.cli.relay import commands
from ucspi_py.system.standalone import login
os.setgroups([])
os.setgid(uid)
os.setuid(uid)
commands.main()
"""


class Client(NamedTuple):
    """A connection. theirs: the client's end. ours: what a POP3 server has on descriptor 0. ip: the client's."""

    theirs: socket.socket
    ours: socket.socket
    ip: str

    def heard(self) -> bytes:
        """What the client has been told by now."""
        self.theirs.setblocking(False)
        try:
            return self.theirs.recv(1000)
        except BlockingIOError:
            return b""


class Clients:
    """Has clients come to a port within the with block. listener: that listens there."""

    def __init__(self) -> None:
        self._stack = ExitStack()
        self._hosts = itertools.count(1)

    def __enter__(self) -> Self:
        self.listener = self._stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    @property
    def port(self) -> int:
        """The port."""
        port: int = self.listener.getsockname()[1]
        return port

    def come(self, ip: str = "") -> Client:
        """A new client, from an address of its own unless told."""
        ip = ip or f"127.1.1.{next(self._hosts)}"
        theirs = socket.create_connection(self.listener.getsockname(), timeout=PATIENCE, source_address=(ip, 0))
        ours, _ = self.listener.accept()
        self._stack.callback(theirs.close)
        self._stack.callback(ours.close)
        return Client(theirs, ours, ip)


class Recorder:
    """A running one within the with block.

    store: of its ledger; None = a file of its own. options: of pyrelay serve, when it starts. socket: its path. folder:
    that of both.
    """

    def __init__(self, *options: str, store: str | None = None) -> None:
        self.options = list(options)
        self._folder = tempfile.TemporaryDirectory(prefix="relay")
        self.folder = Path(self._folder.name)
        self.folder.chmod(0o755)  # pytest's folders are root's alone
        self.socket = f"{self.folder}/socket"
        self.store = store or f"{self.folder}/db"
        self._log = self.folder / "log"

    def __enter__(self) -> Self:
        self.start()
        return self

    def start(self) -> None:
        """Start it, and wait until it listens."""
        words = ("-s", self.store, "--socket", self.socket, *self.options)
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                [ours("pyrelay"), "serve", *words], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=log
            )
        until(self._is_there, "the recorder to listen")

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.process.send_signal(signal.SIGCONT)
        self.process.terminate()
        code = self.process.wait(PATIENCE)
        log = self.log()
        self.remove()
        assert code in (0, -signal.SIGKILL), log
        assert b"Traceback" not in log, log

    def remove(self) -> None:
        """Remove its folder."""
        self._folder.cleanup()

    def log(self) -> bytes:
        """Its log so far."""
        return self._log.read_bytes()

    def wait_log(self, *wanted: bytes) -> bytes:
        """Its log, once it holds everything wanted."""
        until(lambda: all(piece in self.log() for piece in wanted), f"{wanted} in {self.log()!r}")
        return self.log()

    def connect(self) -> socket.socket:
        """A connection to its socket."""
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        connection.settimeout(PATIENCE)
        try:
            connection.connect(self.socket)
        except OSError:
            connection.close()
            raise
        return connection

    def ask(self, request: Request, client: int | None) -> Reply:
        """Tell it of a login as pyrelay allow does, but wait for as long as a slow machine needs.

        client: descriptor of its socket; None = there is none.
        """
        with self.connect() as asked:
            socket.send_fds(asked, [requests.packed(request)], [] if client is None else [client])
            return requests.understood(asked.recv(requests.LIMIT))

    def _is_there(self) -> bool:
        assert self.process.poll() is None, self.log()
        try:
            self.connect().close()
        except OSError:
            return False
        return True


def grants(store: str, ip: str) -> list[Grant]:
    """Those of an address that are kept in a store."""

    async def read() -> list[Grant]:
        reader = LedgerReader(store, lambda _reason: None)
        try:
            return list(await reader.grants(ip.encode()))
        finally:
            await reader.close()

    return asyncio.run(read())


def users(store: str, ip: str, now: int) -> list[bytes]:
    """Who may relay from an address at a time."""
    return [grant.user for grant in grants(store, ip) if is_live(grant, now)]


def command_of(uid: int) -> Sequence[str]:
    """pyrelay, run by some user's program."""
    return (ours("pyrelay"),) if uid == os.getuid() else (sys.executable, "-c", AS_USER, str(uid))


def run_as(uid: int, client: socket.socket, *words: str, **variables: str) -> "subprocess.CompletedProcess[bytes]":
    """Run pyrelay as a user, with a client on descriptors 0 and 1."""
    return subprocess.run(
        [*command_of(uid), *words],
        stdin=client.fileno(),
        stdout=client.fileno(),
        stderr=subprocess.PIPE,
        env={"PATH": os.environ["PATH"], **variables},
        check=False,
        timeout=PATIENCE,
    )


def as_user(uid: int, work: Callable[[], object]) -> Callable[[], object]:
    """Work, to be done in a forked process by some user."""

    def done() -> None:
        os.setgroups([])
        os.setgid(uid)
        os.setuid(uid)
        work()

    return done
