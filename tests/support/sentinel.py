"""A Redis server of Debian with a replica and Sentinels, each of them a process of its own, that fail over."""

import contextlib
import random
import subprocess
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType

from .ports import free_port
from .programs import theirs
from .redisserver import RedisServer
from .waiting import until

NAME = "mx"

_CONFIGURATION = """\
bind {ip}
port {port}
dir {folder}
sentinel announce-ip {ip}
sentinel monitor {name} {server.ip} {server.port} {quorum}
sentinel down-after-milliseconds {name} 60000
sentinel failover-timeout {name} 3000
sentinel parallel-syncs {name} 1
"""


class Sentinel(RedisServer):
    """One Sentinel: the same binary. server: the primary one. quorum: Sentinels that must call it gone."""

    def __init__(self, folder: Path, server: RedisServer, quorum: int) -> None:
        super().__init__(folder)
        self._file = folder / f"sentinel-{self.port}.conf"
        self._file.write_text(
            _CONFIGURATION.format(ip=self.ip, port=self.port, folder=folder, name=NAME, server=server, quorum=quorum)
        )

    def start(self) -> None:
        """Start it, and wait until it answers."""
        command = [theirs("redis-server"), str(self._file), "--sentinel"]
        self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        until(self._answers, "a Sentinel to answer")


class Replicated:
    """Serves within the with block: two servers, the second a replica of the first, and three Sentinels.

    url: of the primary server, whichever that is.
    """

    def __init__(self, folder: Path) -> None:
        ip = f"127.{random.randrange(1, 250)}.{random.randrange(250)}.{random.randrange(1, 250)}"
        self.primary = RedisServer(folder, *_PROMPT, "--replica-announce-ip", ip, ip=ip)
        of = f"{self.primary.ip} {self.primary.port}"
        self.replica = RedisServer(
            folder, *_PROMPT, "--replicaof", *of.split(), "--replica-announce-ip", ip, ip=ip, port=free_port(ip)
        )
        self.sentinels = [Sentinel(folder, self.primary, 2) for _ in range(3)]
        places = ",".join(f"{one.ip}:{one.port}" for one in self.sentinels)
        self.url = f"redis+sentinel://{places}/{NAME}/0"
        self._stack = ExitStack()

    def __enter__(self) -> "Replicated":
        for one in (self.primary, self.replica, *self.sentinels):
            self._stack.enter_context(one)
        until(self._is_whole, "the Sentinels to know each other and the replica")
        for sentinel in self.sentinels:
            assert sentinel.ask(f"SENTINEL SET {NAME} down-after-milliseconds {_DOWN_AFTER}") == b"+OK"
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def wait_for_replica(self) -> None:
        """Wait until the replica has all that was written so far."""
        wanted = _offset(self.primary)
        until(lambda: _offset(self.replica) >= wanted, "the replica to have all writes")

    def wait_for_failover(self) -> None:
        """Wait until the replica is the primary, and the Sentinels say so but for the first, which may not answer."""
        until(lambda: b"role:master" in _info(self.replica, "replication"), "the replica to be promoted")
        place = f"address={self.replica.ip}:{self.replica.port}".encode()
        until(lambda: all(place in _info(one, "sentinel") for one in self.sentinels[1:]), "the Sentinels to know that")

    def _is_whole(self) -> bool:
        if b"master_link_status:up" not in _info(self.replica, "replication"):
            return False
        return all(b"slaves=1,sentinels=3" in _info(one, "sentinel") for one in self.sentinels)


#: Milliseconds until a server that does not answer is gone. While all of them start, a slow machine is no failure.
_DOWN_AFTER = 500
#: A replica that has the writes at once.
_PROMPT = ("--repl-diskless-sync-delay", "0", "--repl-ping-replica-period", "1")


def _info(server: RedisServer, section: str) -> bytes:
    with contextlib.suppress(OSError):
        return server.text(f"INFO {section}")
    return b""


def _offset(server: RedisServer) -> int:
    return int(_info(server, "replication").partition(b"master_repl_offset:")[2].split()[0])
