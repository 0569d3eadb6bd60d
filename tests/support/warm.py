"""Programs of ours as forks of a process that has imported them (warm_start.py): many of them in little time."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryFile
from types import TracebackType
from typing import Self

import pytest

from ucspi_py.cli.start import module_of

from .programs import ours
from .waiting import PATIENCE
from .warm_start import STATUS

_START = Path(__file__).with_name("warm_start.py")


class Warm:
    """Runs programs within the with block, one at a time. modules: what they import later, to be imported once."""

    def __init__(self, *programs: str, modules: Sequence[str] = ()) -> None:
        self._modules = (*(f"ucspi_py.cli.{module_of(program)}" for program in programs), *modules)

    def __enter__(self) -> Self:
        self._channel, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._channel.settimeout(PATIENCE)
        with theirs:
            command = [sys.executable, "-I", "-X", "utf8", str(_START), str(theirs.fileno()), *self._modules]
            self._process = subprocess.Popen(command, pass_fds=[theirs.fileno()])
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._channel.close()
        self._process.kill()
        self._process.wait(PATIENCE)

    def run(
        self, program: str, *words: str, stdin: bytes = b"", env: Mapping[str, str] | None = None, cwd: str = ""
    ) -> "subprocess.CompletedProcess[bytes]":
        """Run one to its end, as subprocess.run() does."""
        asked = [[ours(program), *words], dict(os.environ if env is None else env), cwd or os.getcwd()]
        with TemporaryFile() as given, TemporaryFile() as out, TemporaryFile() as error:
            given.write(stdin)
            given.seek(0)
            fds = [file.fileno() for file in (given, out, error)]
            socket.send_fds(self._channel, [json.dumps(asked).encode()], fds)
            status = int.from_bytes(self._channel.recv(STATUS))
            for file in (out, error):
                file.seek(0)
            code = os.waitstatus_to_exitcode(status)
            return subprocess.CompletedProcess([program, *words], code, out.read(), error.read())


def standing(warm: Warm) -> Callable[[], Iterator[None]]:
    """Make the fixture that has it stand for all tests of a file."""

    @pytest.fixture(scope="module", autouse=True)
    def stands() -> Iterator[None]:
        with warm:
            yield

    return stands
