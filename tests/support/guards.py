"""Programs with the checkpassword interface, that do as the login says, and a guard that runs them."""

import contextlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.waiting import until
from ucspi_py.core.auth.credentials import Peer
from ucspi_py.core.guard.settings import GuardSettings
from ucspi_py.system.guard import start
from ucspi_py.system.guard.channel import Guarded
from ucspi_py.system.report.log import Log

PEER = Peer(b"192.0.2.1", b"192.0.2.25", b"587", secured=True)

#: Logins that end as their name says; one with ``hang`` in it says who it is and waits for ever; any other is known by
#: the password ``right``.
_CHECKER = """\
#!/bin/sh
IFS='|' read -r login password rest <<end
$(tr '\\000' '|' <&3)
end
cd {folder} || exit 111
echo "$login" >>asked
case $login in
    exit*) exit ${{login#exit}} ;;
    crash) kill -SEGV $$ ;;
    burn) while :; do :; done ;;
    hang*) echo $$ >>hanging; sleep 600 & echo $! >>hanging; wait ;;
    show) env >shown; ls -l /proc/$$/fd | cat >>shown; grep -E 'core|cpu' /proc/$$/limits >>shown
        grep -E '^Sig(Ign|Blk)' /proc/self/status >>shown; exit 1 ;;
esac
test "$password" = right || exit 1
exec "$@"
"""


class Checker:
    """A checker in a folder. argv: its command line. asked: the logins that it was run for, in their order."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        program = folder / "checkpassword"
        program.write_text(_CHECKER.format(folder=folder))
        program.chmod(0o755)
        self.argv = (str(program), "/bin/true")

    @property
    def asked(self) -> list[str]:
        """Without the probe of the start."""
        lines = self._lines("asked")
        return [login for login in lines if not login.startswith("nobody-")]

    @property
    def hanging(self) -> list[int]:
        """Process ids of all that hang, or did."""
        return [int(pid) for pid in self._lines("hanging")]

    @property
    def shown(self) -> str:
        """What a checker has seen of its surroundings."""
        return (self.folder / "shown").read_text()

    def _lines(self, name: str) -> list[str]:
        file = self.folder / name
        return file.read_text().split() if file.exists() else []


class RunningGuard:
    """A guard that was started here. pid, channel: its own."""

    def __init__(self, guarded: Guarded, stderr: int) -> None:
        self.guarded = guarded
        self.pid, self.channel, _ = guarded
        self._stderr = stderr
        self._said = b""
        self._status: int | None = None

    @property
    def log(self) -> bytes:
        """Its lines so far."""
        with contextlib.suppress(BlockingIOError):
            while piece := os.read(self._stderr, 65536):
                self._said += piece
        return self._said

    def end(self) -> int:
        """Leave it alone, and wait for its end; its exit code."""
        self.channel.close()
        return self.wait()

    def wait(self) -> int:
        """Wait for its end; its exit code."""
        return until(self._ended, "the guard's end")[0]

    def _ended(self) -> tuple[int] | None:
        if self._status is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            self._status = os.waitstatus_to_exitcode(status) if pid else None
        return None if self._status is None else (self._status,)


def let_in(folder: Path) -> None:
    """Let any user into a test's folder, and to what stands in it."""
    for way in (folder, *folder.parents[:2]):
        way.chmod(0o755)
    folder.chmod(0o777)


def is_alive(pid: int) -> bool:
    """Whether a process is there and is no zombie."""
    try:
        return ") Z " not in Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False


@contextmanager
def guard(settings: GuardSettings) -> Iterator[RunningGuard]:
    """Start a guard as a server does, here and as we are, its log a pipe; it is gone at the end of the with block."""
    reader, writer = os.pipe()
    os.set_blocking(reader, False)
    with _stderr(writer):
        guarded = start.start(settings, lambda: Log(1), {b"PATH": os.defpath.encode(), b"SECRET": b"of ours"}, b"587")
    running = RunningGuard(guarded, reader)
    try:
        yield running
    finally:
        running.end()
        for fd in (*guarded.keys, reader):
            os.close(fd)


@contextmanager
def _stderr(fd: int) -> Iterator[None]:
    """Have standard error go to a descriptor within, which is closed behind it."""
    before = os.dup(2)
    os.dup2(fd, 2)
    os.close(fd)
    try:
        yield
    finally:
        os.dup2(before, 2)
        os.close(before)
