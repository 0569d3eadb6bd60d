"""The tools of a measurement: C programs compiled on demand, rules, the load generator. Never starts a server."""

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

#: Clients from here are denied by the rules, all others are let in.
DENIED_NET = "127.1.0.0/24"
ALLOWED_NET = "127.2.0.0/24"

#: The recipients of this domain are taken, those of others are not.
OWN_DOMAIN = "bench.example"
ELSEWHERE = "elsewhere.example"

_RULES = '10.:allow,RELAYCLIENT=""\n127.1.:deny\n:allow\n'
_SOURCES = Path(__file__).parent / "c"
#: More messages, and more seconds, than any row takes.
_ENDLESS = "1000000"
#: Seconds that a tool may take beyond what it was told.
_GRACE = 30


class Spoiled(Exception):
    """A measurement that is none: something failed that should have been served."""


def theirs(name: str) -> str | None:
    """A program of the system; None where it is not installed."""
    return shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")


def needed(name: str) -> str:
    """A program of the system without which nothing can be measured."""
    path = theirs(name)
    if path is None:
        raise Spoiled(f"{name} is not installed")
    return path


@dataclass(frozen=True, slots=True)
class Load:
    """What came of one load: clients by their fate, milliseconds to the banner and to the end (p50, p99, max)."""

    clients: int
    served: int
    turned_away: int
    cut_short: int
    refused: int
    reset: int
    failed: int
    waiting: int
    seconds: float
    rate: float
    banner_ms: dict[str, float] | None
    end_ms: dict[str, float] | None

    @property
    def lost(self) -> int:
        """How many got neither a banner and an end, nor an orderly end alone."""
        return self.clients - self.served - self.turned_away

    def complete(self) -> "Load":
        """Itself. Raises Spoiled where a client was lost."""
        if self.lost:
            raise Spoiled(f"{self.lost} of {self.clients} clients lost: {self}")
        return self

    def all_served(self) -> "Load":
        """Itself. Raises Spoiled where a client was lost or turned away."""
        if self.served < self.clients:
            raise Spoiled(f"{self.clients - self.served} of {self.clients} clients not served: {self}")
        return self

    def banner(self, part: str) -> float:
        """Milliseconds to the banner: p50, p99 or max. Raises Spoiled where nobody got one."""
        if self.banner_ms is None:
            raise Spoiled(f"no client got a banner: {self}")
        return self.banner_ms[part]

    def end(self, part: str) -> float:
        """Milliseconds to the end of a session: p50, p99 or max. Raises Spoiled where nobody came so far."""
        if self.end_ms is None:
            raise Spoiled(f"no client came to its end: {self}")
        return self.end_ms[part]


class Workshop:
    """A temporary folder with the compiled tools and the rules in both formats."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.chmod(0o755)  # rbldnsd gives up root before it reads its zones
        self.backend = self._compiled("backend", "-static")
        self.smtp_backend = self._compiled("smtp_backend", "-static")
        self.milter = self._compiled("milter")
        self._load = self._compiled("load", str(_SOURCES / "visit.c"), str(_SOURCES / "session.c"))
        self._spawn_limit = self._compiled("spawn_limit")
        self.bare_acceptor = self._compiled("bare_acceptor")
        self.rules = self._tcprules()
        self.ipsvd_rules = self._ipsvd_rules() if theirs("ipsvd-cdb") else None

    def load(self, mode: str, port: int, *options: str, patience: float = 60) -> Load:
        """Run the load generator to its end; load.c tells its modes and options. patience: seconds."""
        command = [self._load, mode, str(port), "-z", "-w", str(patience), *options]
        told = subprocess.run(command, check=True, capture_output=True, text=True, timeout=patience + _GRACE)
        return Load(**json.loads(told.stdout))

    @contextmanager
    def holding(self, port: int, *options: str, patience: float, mode: str = "hold") -> Iterator[Load]:
        """Clients that stay for the length of the with block, once all were answered or patience is over."""
        command = [self._load, mode, str(port), "-w", str(patience), *options]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
            try:
                yield Load(**json.loads(holder.stdout.readline() if holder.stdout else ""))
            finally:
                holder.kill()

    @contextmanager
    def pushing(self, port: int, clients: int, length: int) -> Iterator[None]:
        """Clients that send one message of so many bytes after the other for the length of the with block."""
        options = ("-n", _ENDLESS, "-c", str(clients), "-m", str(length), "-w", _ENDLESS, "-z")
        with subprocess.Popen([self._load, "message", str(port), *options], stdout=subprocess.DEVNULL) as pusher:
            try:
                yield
                if pusher.poll() is not None:
                    raise Spoiled("the clients that push have ended")
            finally:
                pusher.kill()

    def spawn_limit(self, seconds: float) -> float:
        """How many backends a second this machine can start and bury when it does nothing else."""
        command = [self._spawn_limit, self.backend, str(seconds)]
        told = subprocess.run(command, check=True, capture_output=True, text=True, timeout=seconds + _GRACE)
        return float(told.stdout)

    def _compiled(self, name: str, *options: str) -> str:
        target = str(self.folder / name)
        subprocess.run([needed("cc"), "-O2", *options, "-o", target, str(_SOURCES / f"{name}.c")], check=True)
        return target

    def _tcprules(self) -> str:
        target = self.folder / "rules.cdb"
        command = [needed("tcprules"), str(target), str(self.folder / "rules.tmp")]
        subprocess.run(command, check=True, input=_RULES, text=True)
        return str(target)

    def _ipsvd_rules(self) -> str:
        """The same rules as ipsvd wants them: a file for each address, one without permissions denies."""
        instructions = self.folder / "instructions"
        instructions.mkdir()
        (instructions / "10").write_text("+RELAYCLIENT=\n")
        (instructions / "127.1").touch(mode=0)
        (instructions / "0").touch()
        target = self.folder / "ipsvd.cdb"
        subprocess.run(
            [needed("ipsvd-cdb"), str(target), str(self.folder / "ipsvd.tmp"), str(instructions)], check=True
        )
        return str(target)


@contextmanager
def opened() -> Iterator[Workshop]:
    """A workshop that is gone at the end of the with block."""
    with tempfile.TemporaryDirectory(prefix="ucspi-bench-") as folder:
        yield Workshop(Path(folder))
