"""Running a checkpassword program as its callers do."""

import os
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from tests.support.backends import password_checkers
from ucspi_py.core.auth.checkpassword import environment
from ucspi_py.core.auth.credentials import Peer

PEER = Peer(b"192.0.2.1", b"10.0.0.1", b"587", secured=True)


class Ended(NamedTuple):
    """How a program has ended: its exit code, below 0 = minus a signal's number, and what it said on 1."""

    code: int
    output: bytes


def end_of(command: Sequence[str], told: bytes | None, peer: Peer = PEER) -> Ended:
    """Run it with these bytes on descriptor 3; None: without descriptor 3."""
    reading, writing = os.pipe()
    if told is not None:
        os.write(writing, told)  # which a pipe holds until it is read
    os.close(writing)
    descriptor = (os.POSIX_SPAWN_CLOSE, 3) if told is None else (os.POSIX_SPAWN_DUP2, reading, 3)
    with tempfile.TemporaryFile() as output:
        actions = [descriptor, (os.POSIX_SPAWN_DUP2, output.fileno(), 1)]
        path = os.environb[b"PATH"]
        pid = os.posix_spawnp(command[0], [*command], environment(path, peer), file_actions=actions)
        os.close(reading)
        code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        output.seek(0)
        return Ended(code, output.read())


def stand_in(folder: Path, name: str, passwords: Mapping[str, str]) -> str:
    """A program that does as vchkpw or cmd5checkpw with these users; its path."""
    users, program = folder / f"{name}.users", folder / name
    users.write_text("".join(f"{login}:{password}\n" for login, password in passwords.items()))
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -I {password_checkers.__file__} {name} {users} "$@"\n')
    program.chmod(0o755)
    return str(program)
