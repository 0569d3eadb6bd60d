"""Rules compiled and asked: by our programs and by djb's."""

import os
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

from ucspi_py.core.rules.source import compiled
from ucspi_py.system.rules.write import write

from .programs import ours, theirs

Run = subprocess.CompletedProcess[bytes]


def table(*lines: bytes) -> Callable[[bytes], bytes | None]:
    """The look-up of rules given as source lines, without a file: the first record under a key counts."""
    records: dict[bytes, bytes] = {}
    for key, data in compiled(text(lines)):
        records.setdefault(key, data)
    return records.get


def compile_rules(source: bytes, cdb: Path, *options: str) -> Run:
    """Run pytcprules; whether it managed is for the test to say."""
    command = [ours("pytcprules"), *options, str(cdb), f"{cdb}.tmp"]
    return subprocess.run(command, input=source, capture_output=True, check=False)


def compiled_by_ours(source: bytes, cdb: Path) -> Path:
    """A cdb of ours, made in this process: many of them in little time."""
    write(str(cdb), f"{cdb}.tmp", compiled(source))
    return cdb


def compiled_by_djb(source: bytes, cdb: Path) -> Path:
    """A cdb of tcprules."""
    command = [theirs("tcprules"), str(cdb), f"{cdb}.tmp"]
    done = subprocess.run(command, input=source, capture_output=True, check=False)
    assert done.returncode == 0, done
    return cdb


def asked_djb(cdb: Path, ip: str, host: str | None = None) -> bytes:
    """What tcprulescheck says of a client."""
    return _asked(theirs("tcprulescheck"), cdb, ip, host)


def asked_ours(cdb: Path, ip: str, host: str | None = None) -> bytes:
    """What pytcprulescheck says of a client."""
    return _asked(ours("pytcprulescheck"), cdb, ip, host)


def run(program: str, *words: str, stdin: bytes = b"", env: dict[str, str] | None = None) -> Run:
    """Run one of our programs."""
    environment = {**os.environ, **(env or {})}
    return subprocess.run([ours(program), *words], input=stdin, capture_output=True, check=False, env=environment)


def text(lines: Sequence[bytes]) -> bytes:
    """Lines as a source."""
    return b"".join(line + b"\n" for line in lines)


def _asked(program: str, cdb: Path, ip: str, host: str | None) -> bytes:
    environment = {"TCPREMOTEIP": ip, **({} if host is None else {"TCPREMOTEHOST": host})}
    done = subprocess.run([program, str(cdb)], capture_output=True, check=False, env=environment)
    assert done.returncode == 0, done
    return done.stdout
