"""The socket on 0 and 1, environment, limits -> a running backend. Never waits for it and never reads its client."""

import os
import signal
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from ...core.errors import error_words
from ..process import rlimits as limits
from ..process.pathexec import find
from ..process.signals import INTERPRETERS, ignored

#: Behind standard input, output and error.
_FIRST = 3

#: Of descriptors of ours to the program's, as posix_spawn(3) wants them.
_Moves = tuple[tuple[int, int, int], ...]


@dataclass(frozen=True, slots=True)
class SpawnAttributes:
    """How every backend is started.

    soft_limits: what softlimit in front of us meant for the program. descriptors: its soft limit of open files, None =
    as ours. default_signals: the dispositions reset to default. signal_mask: the signals blocked. All as C's backends
    would have them.
    """

    soft_limits: limits.SoftLimits
    descriptors: int | None
    default_signals: tuple[int, ...]
    signal_mask: tuple[int, ...]


def spawn_attributes(
    soft_limits: limits.SoftLimits,
    descriptors: int | None,
    ours: Collection[signal.Signals] = (),
    mask: Collection[int] | None = None,
) -> SpawnAttributes:
    """Return the attributes that our own start dictates; to be called before any handler is installed.

    soft_limits: for the programs, pairs of letter and bytes. descriptors: the programs' soft limit on open files, None
    = as ours. mask: the signals to be blocked, None = those that are. ours: the signals that we shall ignore. Those
    that were ignored when we were started stay ignored, but for those that tcpserver.c resets: TERM, PIPE, CHLD. What
    is not ignored needs no reset (exec(3)).
    """
    reset = {signal.SIGTERM, signal.SIGPIPE, signal.SIGCHLD}
    blocked = set(signal.pthread_sigmask(signal.SIG_BLOCK, ()) if mask is None else mask) - {signal.SIGCHLD}
    return SpawnAttributes(
        soft_limits, descriptors, tuple(reset.union(ours, INTERPRETERS) - (ignored() - reset)), tuple(blocked)
    )


class Launcher:
    """Starts one program again and again. more: how many descriptors it may get beside the client's."""

    def __init__(self, argv: tuple[str, ...], how: SpawnAttributes, more: int = 0) -> None:
        self.name = argv[0]
        self._argv = argv
        self._how = how
        self._file: str | None = None
        self._null = os.open(os.devnull, os.O_RDWR)
        self._low = os.dup(self._null)
        # Each is above the one before, and so none is where another goes that is moved before it.
        self._more = [os.dup(self._null) for _ in range(more)]

    def start(self, client_fd: int, environment: dict[bytes, bytes], more: Sequence[int] = ()) -> int:
        """Start the program with the client on 0 and 1; its process id.

        client_fd: a blocking socket, close-on-exec. more: what it has as 3 and the numbers behind it. Raises OSError
        (or ValueError for an environment that no process can have). The program is searched for once, and again only
        when it is gone.
        """
        if not more:
            return self._start(client_fd, (), environment)
        places = self._more[: len(more)]
        for fd, place in zip(more, places, strict=True):
            os.dup2(fd, place, inheritable=False)
        try:
            moves = tuple((os.POSIX_SPAWN_DUP2, place, number) for number, place in enumerate(places, _FIRST))
            return self._start(client_fd, moves, environment)
        finally:
            for place in places:
                os.dup2(self._null, place, inheritable=False)

    def unable(self, error: OSError | ValueError) -> str:
        """Make the sentence ``unable to run PROGRAM: reason``. error: what start() has raised."""
        why = error_words(error.errno) if isinstance(error, OSError) else str(error)
        return f"unable to run {self.name}: {why}"

    def _start(self, client_fd: int, moves: _Moves, environment: dict[bytes, bytes]) -> int:
        if self._how.descriptors is None:
            return self._launch(client_fd, moves, environment)
        # glibc looks at a descriptor's number, too: under the program's limit only a low one will do.
        os.dup2(client_fd, self._low, inheritable=False)
        try:
            with limits.descriptors(self._how.descriptors):
                return self._launch(self._low, moves, environment)
        finally:
            os.dup2(self._null, self._low, inheritable=False)

    def _launch(self, client_fd: int, moves: _Moves, environment: dict[bytes, bytes]) -> int:
        moves = ((os.POSIX_SPAWN_DUP2, client_fd, 0), (os.POSIX_SPAWN_DUP2, client_fd, 1), *moves)
        if self._how.soft_limits:
            argv = limits.under(self._how.soft_limits, find(self.name), self._argv, environment)
            return self._attempt(argv[0], argv, moves, environment)
        try:
            return self._attempt(self._file or self._found(), self._argv, moves, environment)
        except FileNotFoundError:
            return self._attempt(self._found(), self._argv, moves, environment)

    def _found(self) -> str:
        self._file = find(self.name)
        return self._file

    def _attempt(self, file: str, argv: tuple[str, ...], moves: _Moves, environment: dict[bytes, bytes]) -> int:
        return os.posix_spawn(
            file,
            argv,
            environment,
            file_actions=moves,
            setsigdef=self._how.default_signals,
            setsigmask=self._how.signal_mask,
        )
