"""A Redis server of Debian on a loopback address of its own, that remembers nothing and can be stopped."""

import random
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType

from .certificates import Authority
from .ports import free_port
from .programs import theirs
from .waiting import PATIENCE, until


class RedisServer:
    """Serves within the with block. options: more of redis-server's. ip: None = one of its own. port: None = any."""

    def __init__(self, folder: Path, *options: str, ip: str | None = None, port: int | None = None) -> None:
        self.ip = ip or f"127.{random.randrange(1, 250)}.{random.randrange(250)}.{random.randrange(1, 250)}"
        self.port = port or free_port(self.ip)
        self.url = f"redis://{self.ip}:{self.port}/0"
        self._folder = folder
        self._options = options

    def __enter__(self) -> "RedisServer":
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()

    def start(self) -> None:
        """Start it, with nothing in it, and wait until it answers."""
        place = ("--bind", self.ip, "--port", str(self.port), "--dir", str(self._folder))
        self._process = subprocess.Popen(
            [theirs("redis-server"), *place, "--save", "", "--appendonly", "no", *self._options],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
        )
        until(self._answers, "redis-server to answer")

    def kill(self) -> None:
        """End it at once."""
        self._process.kill()
        self._process.wait(PATIENCE)

    def stop(self) -> None:
        """Let it neither answer nor go away."""
        self._process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        """Let it answer again."""
        self._process.send_signal(signal.SIGCONT)

    def empty(self) -> None:
        """Have it forget all that is in it."""
        assert self.ask("FLUSHALL") == b"+OK"

    def ask(self, command: str) -> bytes:
        """What it answers to a command: the value, or the one line of the answer."""
        with socket.create_connection((self.ip, self.port), timeout=PATIENCE) as client:
            client.sendall(command.encode() + b"\r\n")
            with client.makefile("rb") as stream:
                line = stream.readline().rstrip()
                return stream.readline().rstrip() if line.startswith(b"$") and line != b"$-1" else line

    def text(self, command: str) -> bytes:
        """What it answers to a command: a value of several lines."""
        with socket.create_connection((self.ip, self.port), timeout=PATIENCE) as client:
            client.sendall(command.encode() + b"\r\n")
            with client.makefile("rb") as stream:
                return stream.read(int(stream.readline()[1:]))

    def _answers(self) -> bool:
        assert self._process.poll() is None, "redis-server has ended"
        try:
            return self.ask("PING") != b""
        except OSError:
            return False


@contextmanager
def store_of(kind: str, file: Path) -> Iterator[str]:
    """Where records may be kept, with none in it. kind: ``sqlite``, the file; ``redis``, a server of its own."""
    if kind == "sqlite":
        yield str(file)
    else:
        with RedisServer(file.parent) as redis:
            yield redis.url


@contextmanager
def over_tls(folder: Path) -> Iterator[tuple[RedisServer, str]]:
    """A server that speaks TLS as well, and the URL for that, behind which more options may follow."""
    authority = Authority(folder)
    pair = authority.pair("localhost")
    port = free_port("127.0.0.1")
    own = ("--tls-port", str(port), "--tls-cert-file", pair.certificate, "--tls-key-file", pair.key)
    trust = ("--tls-ca-cert-file", str(authority.ca_file), "--tls-auth-clients", "no")
    with RedisServer(folder, *own, *trust, ip="127.0.0.1") as redis:
        yield redis, f"rediss://localhost:{port}/0?ssl_ca_certs={authority.ca_file}"


@contextmanager
def cluster(folder: Path) -> Iterator[RedisServer]:
    """A cluster of one server that has all slots, and takes no command with keys in two of them."""
    with RedisServer(folder, "--cluster-enabled", "yes") as redis:
        assert redis.ask("CLUSTER ADDSLOTSRANGE 0 16383") == b"+OK"
        until(lambda: b"cluster_state:ok" in redis.text("CLUSTER INFO"), "the cluster to be well")
        yield redis
