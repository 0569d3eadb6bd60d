"""A mail host of the field in a folder of its own: run scripts go on as written, but for paths, users and the port.

Root only, since run scripts change their user. The backend called qmail-smtpd is mailfront's smtpfront-echo behind a
shell that says on standard error what it was given.
"""

import os
import shutil
import smtplib
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from .ports import free_port
from .programs import need_root, ours, theirs
from .waiting import PATIENCE, until

RULES = b'127.0.0.1:allow,RELAYCLIENT=""\n127.0.0.9:deny\n:allow\n'

_BACKEND = """#!/bin/sh
echo "qmail-smtpd: arguments $*; uid $(id -u), groups $(id -G); limit $(ulimit -S -v) kB" >&2
QMAILHOME=%s exec %s accept-sender relayclient qmail-validate
"""


class FieldHost:
    """Folders, users and a port in the place of those that run scripts name. Takes mail for ours.example."""

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        self.folder = folder
        self.log = folder / "log"
        self.port = free_port()
        self.environment = {"PATH": os.environ["PATH"], **environment}
        self._qmail = folder / "qmail"
        self._furnish()

    def _furnish(self) -> None:
        for name in ("qmail/control", "qmail/bin", "log"):
            (self.folder / name).mkdir(parents=True)
        shutil.chown(self.log, "nobody")
        for name, text in (("me", "mx.ours.example"), ("rcpthosts", "ours.example"), ("concurrencyincoming", "2")):
            (self._qmail / "control" / name).write_text(text + "\n")
        backend = self._qmail / "bin/qmail-smtpd"
        backend.write_text(_BACKEND % (self._qmail, theirs("smtpfront-echo")))
        backend.chmod(0o755)
        cdb = self.folder / "tcp.smtp.cdb"
        subprocess.run([theirs("tcprules"), cdb, self.folder / "tcp.smtp.tmp"], input=RULES, check=True)
        cdb.chmod(0o644)

    def translate(self, text: str) -> str:
        """A run script's text with this host's places in it."""
        for theirs_, here in (
            ("/opt/ucspi_py/bin", str(Path(ours("pytcpserver")).parent)),
            ("/var/log/qmail/smtpd", str(self.log)),
            ("/var/qmail", str(self._qmail)),
            ("/etc/tcp.smtp.cdb", f"{self.folder}/tcp.smtp.cdb"),
            ("qmaild", "nobody"),
            ("qmaill", "nobody"),
            ("nofiles", "nogroup"),
            (" 0 smtp", f" 127.0.0.1 {self.port}"),
        ):
            text = text.replace(theirs_, here)
        return text

    def install(self, example: Path, name: str) -> Path:
        """Copy a service directory of the examples here, translated."""
        place = self.folder / name
        for source in (path for path in example.rglob("*") if path.is_file()):
            copy = place / source.relative_to(example)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_text(self.translate(source.read_text()))
            shutil.copymode(source, copy)
        return place

    def client(self, source: str) -> smtplib.SMTP:
        """A client from another address of this machine."""
        return smtplib.SMTP("127.0.0.1", self.port, "client.example", PATIENCE, (source, 0))

    def answer(self, source: str, recipient: str) -> tuple[int, bytes]:
        """What a client from ``source`` hears for a recipient."""
        with self.client(source) as client:
            client.ehlo()
            client.mail("someone@elsewhere.example")
            return client.rcpt(recipient)

    def listening(self) -> bool:
        """Whether a client is greeted."""
        try:
            with self.client("127.0.0.1"):
                return True
        except OSError:
            return False


@contextmanager
def field_host(environment: Mapping[str, str]) -> Iterator[FieldHost]:
    """A host whose folder every user may enter, as none of pytest's; gone at the end."""
    need_root()
    with tempfile.TemporaryDirectory(prefix="field-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield FieldHost(folder, environment)


@contextmanager
def greylisting(
    example: Path, dns: str, changes: Callable[[FieldHost], Mapping[str, str]] = lambda _host: {}
) -> Iterator[FieldHost]:
    """A host with an example running on it that has a greylist, with a store and a delay of a second.

    dns: its $DNSCACHEIP. changes: of the run script's text, which has what is changed. Its log is in the file out.
    """
    with field_host({"DNSCACHEIP": dns}) as host:
        store = host.folder / "greylist"
        store.mkdir(mode=0o700)
        shutil.chown(store, "nobody")
        run = host.install(example, "service/smtpd") / "run"
        text = run.read_text()
        for old, new in {"/var/lib/greylist/db": f"{store}/db", " -d 300 ": " -d 1 ", **changes(host)}.items():
            assert old in text
            text = text.replace(old, new)
        run.write_text(text)
        with serving(host, run):
            yield host


@contextmanager
def serving(host: FieldHost, run: Path) -> Iterator[None]:
    """A run script at work in its service directory, with its log in the file out of the host's folder."""
    with (
        (host.folder / "out").open("wb") as out,
        subprocess.Popen([run], cwd=run.parent, env=host.environment, stdin=subprocess.DEVNULL, stdout=out) as server,
    ):
        try:
            until(host.listening, "the service")
            yield
        finally:
            server.terminate()
            server.wait(PATIENCE)


def swaks(port: int, source: str, words: Sequence[str] = ()) -> list[str]:
    """The server's side of the conversation with swaks, which offers a message to friend@elsewhere.example."""
    command = [theirs("swaks"), "--server", "127.0.0.1", "--port", str(port), "--local-interface", source]
    command += ["--ehlo", "client.example", "--from", "me@client.example", "--to", "friend@elsewhere.example", *words]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)
    return [line[4:] for line in done.stdout.splitlines() if line.startswith("<")]
