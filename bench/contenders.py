"""The servers under test, each on a loopback port of its own, stopped by process id. Never measures."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import TracebackType

from workshop import Spoiled, Workshop, needed, theirs

#: More refused clients than any row has.
MANY = "10000"
_BACKLOG = "1024"
_PATIENCE = 20.0
_LISTENING = "0A"


class Server:
    """One running server, in as bare an environment as supervise gives it; the with block is its life."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str], *, tells_port: bool) -> None:
        self._tells_port = tells_port
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={"PATH": os.environ["PATH"], **environment},
        )
        self.port = 0

    def __enter__(self) -> "Server":
        try:
            self.port = self._told_port() if self._tells_port else self._found_port()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """SIGTERM to the server, and SIGKILL to whatever of it is still there.

        Who adopts orphans, as the bench does, has then buried them and knows what they have cost.
        """
        family = self.family()
        self._process.terminate()
        try:
            self._process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        for pid in family[1:]:
            _bury(pid)
        if self._process.stdout:
            self._process.stdout.close()

    def family(self) -> list[int]:
        """The process ids of the server and all its descendants, itself first."""
        pids = [self._process.pid]
        for pid in pids:
            pids.extend(_children(pid))
        return pids

    def without_backends(self) -> list[int]:
        """The process ids of those in the family that run the server's own program."""
        return [pid for pid in self.family() if _program(pid) == _program(self._process.pid)]

    def pss(self) -> float:
        """Kilobytes of memory of the whole family, pages that several share counted once (PSS)."""
        return sum(_pss(pid) for pid in self.family())

    def _told_port(self) -> int:
        line = self._process.stdout.readline() if self._process.stdout else b""
        if not line:
            raise Spoiled(f"no port from {self._process.args!r}")
        return int(line)

    def _found_port(self) -> int:
        """The port of the only listening socket of a server that does not tell it."""
        end = time.monotonic() + _PATIENCE
        while time.monotonic() < end and self._process.poll() is None:
            sockets = _sockets(self._process.pid)
            for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
                fields = line.split()
                if fields[3] == _LISTENING and f"socket:[{fields[9]}]" in sockets:
                    return int(fields[1].partition(":")[2], 16)
            time.sleep(0.02)
        raise Spoiled(f"{self._process.args!r} does not listen")


@contextmanager
def standing(
    workshop: Workshop,
    *,
    limit: int = 200,
    zones: Sequence[str] = (),
    environment: Mapping[str, str] | None = None,
    only: str | None = None,
) -> Iterator[dict[str, Server]]:
    """All contenders in the standard configuration, by name; ``only`` one of them where it is named.

    limit: -c. zones: for rblsmtpd before the backend; tcpsvd is then left out, it has none of its own.
    """
    held = ["--held", MANY] if zones else []  # C has the slots of -c for its refused clients
    commands = {
        "ours": djb_words([ours("pytcpserver"), *held], workshop, limit, _chain(ours("pyrblsmtpd"), workshop, zones)),
        "tcpserver": djb_words([needed("tcpserver")], workshop, limit, _chain(needed("rblsmtpd"), workshop, zones)),
    }
    tcpsvd = theirs("tcpsvd")
    if tcpsvd and workshop.ipsvd_rules and not zones:
        words = ["-c", str(limit), "-b", _BACKLOG, "-l", "0", "-x", workshop.ipsvd_rules, "127.0.0.1", "0"]
        commands["tcpsvd"] = [tcpsvd, *words, workshop.backend]
    with ExitStack() as stack:
        yield {
            name: stack.enter_context(Server(command, environment or {}, tells_port=name != "tcpsvd"))
            for name, command in commands.items()
            if only in (None, name)
        }


def bare(workshop: Workshop) -> Server:
    """Accepts and starts the backend, and does nothing else."""
    return Server([workshop.bare_acceptor, workshop.backend], {}, tells_port=True)


def proxy(workshop: Workshop) -> Server:
    """Starts the backend of the gate's rows, passes bytes both ways, and does nothing else: Python, as ours is."""
    return Server(
        [sys.executable, str(Path(__file__).with_name("bare_proxy.py")), workshop.smtp_backend], {}, tells_port=True
    )


def ours(name: str) -> str:
    """The installed launcher of one of our programs."""
    return str(Path(sys.executable).parent / name)


def djb_words(
    program: Sequence[str], workshop: Workshop, limit: int, chain: Sequence[str], more: Sequence[str] = ()
) -> list[str]:
    """The standard configuration of tcpserver or ours, with options of its own. limit: -c. chain: what it starts.

    more: options that go before the standard's.
    """
    options = ["-1", "-H", "-R", "-l", "0", "-x", workshop.rules, "-c", str(limit), "-b", _BACKLOG, "-Q"]
    return [*program, *options, *more, "127.0.0.1", "0", *chain]


def _chain(screen: str, workshop: Workshop, zones: Sequence[str]) -> list[str]:
    dnsbl_screen = [screen, *(word for zone in zones for word in ("-r", zone))] if zones else []
    return [*dnsbl_screen, workshop.backend]


def _children(pid: int) -> list[int]:
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def _program(pid: int) -> str | None:
    try:
        return os.readlink(f"/proc/{pid}/exe")
    except OSError:
        return None


def _pss(pid: int) -> int:
    try:
        rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:")), 0)


def _sockets(pid: int) -> set[str]:
    try:
        return {os.readlink(entry) for entry in Path(f"/proc/{pid}/fd").iterdir()}
    except OSError:
        return set()


def _bury(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    except (ProcessLookupError, ChildProcessError):
        pass
