"""A pytcpserver whose program is a pyrblsmtpd of ours, with zones at a name server that answers as told."""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from .programs import ours
from .rules_tools import compiled_by_ours
from .server import QUIET, Server

PASSED = b"passed\n"
GREETING = b"220 rblsmtpd.local\r\n"


def environment(dns: str, **variables: str) -> dict[str, str]:
    """What a server needs, and its name server."""
    return {"PATH": os.environ["PATH"], "DNSCACHEIP": dns} | variables


@contextmanager
def screened(
    words: Sequence[str],
    dns: str,
    folder: Path,
    *,
    options: Sequence[str] = (),
    rules: str | None = None,
    program: Sequence[str] = ("echo", "passed"),
    variables: Mapping[str, str] | None = None,
) -> Iterator[Server]:
    """A server with these words of pyrblsmtpd before its program. rules: source for -x."""
    if rules is not None:
        options = (*options, "-x", str(compiled_by_ours(rules.encode(), folder / "rules.cdb")))
    backend = (ours("pyrblsmtpd"), *words, *program)
    env = environment(dns, **(variables or {}))
    with Server(ours("pytcpserver"), (*options, *QUIET), backend, folder, env=env) as server:
        yield server


def refusal(server: Server, source: str, said: bytes = b"rcpt\r\nquit\r\n") -> bytes:
    """The line that a client hears for RCPT, or the first one of the program."""
    return server.talk(said, source).removeprefix(GREETING).partition(b"\n")[0].strip()
