"""A daemon of Debian that serves a socket within a with block."""

import os
import signal
import socket
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from ..waiting import PATIENCE, until

#: Where somebody listens: the path of a Unix socket, or an address with its port.
Place = Path | tuple[str, int]


@contextmanager
def daemon(command: Sequence[str], place: Place, folder: Path) -> Iterator[Path]:
    """Start a daemon and wait until it listens at a place -> the file with all that it says."""
    said = folder / f"{os.path.basename(command[0])}.said"
    with said.open("wb") as log:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, start_new_session=True
        )

    def has_started() -> bool:
        assert process.poll() is None, f"{command[0]} has ended: {said.read_text(errors='replace')[-2000:]}"
        return _listens(place)

    try:
        until(has_started, f"{command[0]} to listen")
        yield said
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)  # told to end in order, most of them take five seconds
        process.wait(PATIENCE)


def _listens(place: Place) -> bool:
    with socket.socket(socket.AF_UNIX if isinstance(place, Path) else socket.AF_INET) as client:
        return client.connect_ex(str(place) if isinstance(place, Path) else place) == 0
