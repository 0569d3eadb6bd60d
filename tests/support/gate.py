"""pytcpserver with pysmtpgate before a backend, as the gate's tests start it; control files; who its clients are."""

import os
import re
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import NoReturn

from .programs import ours
from .rules_tools import compiled_by_ours
from .server import QUIET, Server
from .smtp_client import Client, Manner, Step

#: Addresses from which a test comes: a stranger, 192.0.2.7 for the server; one with RELAYCLIENT, 192.0.2.8; one whose
#: recipients are changed, 192.0.2.9; and one in mynetworks.
STRANGER, RELAY, APPENDED, LOCAL = "127.0.0.1", "127.0.0.2", "127.0.0.3", "127.0.0.9"
RULES = """\
127.0.0.1:allow,TCPREMOTEIP="192.0.2.7"
127.0.0.2:allow,TCPREMOTEIP="192.0.2.8",RELAYCLIENT=""
127.0.0.3:allow,TCPREMOTEIP="192.0.2.9",RELAYCLIENT="@fixme"
:allow
"""
#: Parameters of a gate whose clients wait for nothing, whatever they do wrong.
PATIENT = ("smtpd_error_sleep_time=0", "smtpd_hard_error_limit=100")
CONTROL = {"me": "mx.example.org", "rcpthosts": "example.org"}
MAIL, RCPT = b"MAIL FROM:<s@example.net>", b"RCPT TO:<r@example.org>"


class Gate(Server):
    """A running one."""

    def client(self, source: str = STRANGER) -> Client:
        """A client that has read the banner."""
        client = self.silent_client(source)
        banner = client.reply()
        assert banner.startswith(b"220 "), banner
        return client

    def silent_client(self, source: str = STRANGER) -> Client:
        """A client that has read nothing yet."""
        return Client(self.connect(source))

    def converse(self, steps: Sequence[Step], manner: Manner = Manner.STEPS, source: str = STRANGER) -> list[bytes]:
        """The replies that a client gets to these steps."""
        with self.client(source) as client:
            return client.converse(steps, manner)

    def log(self) -> bytes:
        """The log so far, without what is another each time."""
        return without_ids(super().log())

    def mark(self) -> int:
        """A place in the log."""
        return len(self.log())

    def since(self, mark: int) -> bytes:
        """The log behind a mark."""
        return self.log()[mark:]


def without_ids(log: bytes) -> bytes:
    """A log of the gate without the ids of connections, and without seconds."""
    return re.sub(rb"(?<=^smtpgate)\[\d+\]|;? id=\d+$| delay=\d+\.\d\d(?= |$)", b"", log, flags=re.MULTILINE)


def no_ways() -> NoReturn:
    """Make no way to name servers: a gate without lists wants none."""
    raise AssertionError("somebody asks")


def controls(folder: Path, **files: str | None) -> Path:
    """A control folder with CONTROL and these files; None: without this one. The same folder again is written anew."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in (CONTROL | files).items():
        if text is None:
            (folder / name).unlink(missing_ok=True)
        else:
            (folder / name).write_text(text + "\n")
    return folder


def gate_words(control: Path, parameters: Sequence[str] = ()) -> tuple[str, ...]:
    """pysmtpgate and its options. parameters: each ``name=value``."""
    words = (word for parameter in (f"qmail_control={control}", *parameters) for word in ("-o", parameter))
    return (ours("pysmtpgate"), *words)


@cache
def _compiled(rules: str) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        return compiled_by_ours(rules.encode(), Path(folder) / "rules.cdb").read_bytes()


@contextmanager
def gated(
    backend: Sequence[str],
    folder: Path,
    *,
    parameters: Sequence[str] = (),
    options: Sequence[str] = (),
    control: Path | None = None,
    rules: str = RULES,
    screens: Sequence[str] = (),
    variables: Mapping[str, str] | None = None,
    server: str | None = None,
    file: Path | None = None,
    service: str = "",
) -> Iterator[Gate]:
    """A server with one worker and a gate.

    screens: what stands before it. server: another one than pytcpserver. file: the gate's own, as main.cf. service:
    of master.cf beside it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    control = control or controls(folder / "control")
    cdb = folder / "rules.cdb"
    cdb.write_bytes(_compiled(rules))
    gate_program, *gate_options = gate_words(control, parameters)
    service_words = ("--service", service) if service else ()
    command = (*screens, gate_program, *(("-f", str(file)) if file else ()), *service_words, *gate_options, *backend)
    words = (*(() if server else ("-w", "1")), *options, "-x", str(cdb), *QUIET)
    env = {"PATH": os.environ["PATH"], **(variables or {})}
    with Gate(server or ours("pytcpserver"), words, command, folder, env=env) as gate:
        yield gate
