"""What a worker that is taken over has of the guard, and what not."""

import ctypes
import os
import resource
import signal
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from tests.support.certificates import Authority
from tests.support.forked import in_child
from tests.support.guards import PEER, Checker, RunningGuard, guard, let_in
from tests.support.programs import need_root
from tests.support.waiting import until
from ucspi_py.core.auth.credentials import Credentials
from ucspi_py.core.guard import request
from ucspi_py.core.guard.request import CheckAsked, KeysAsked
from ucspi_py.core.guard.settings import GuardSettings
from ucspi_py.core.tls.settings import Pair
from ucspi_py.system.guard import channel
from ucspi_py.system.process import privileges, secrecy

WORKER = 54321
_PTRACE_ATTACH, _PTRACE_SEIZE = 16, 0x4206
_PR_GET_DUMPABLE, _PR_SET_DUMPABLE = 3, 4


@pytest.fixture
def pair(tmp_path: Path) -> Pair:
    return Authority(tmp_path).pair("mail.example.org")


@pytest.fixture
def checker(tmp_path: Path) -> Checker:
    return Checker(tmp_path)


@pytest.fixture
def settings(tmp_path: Path, pair: Pair, checker: Checker) -> GuardSettings:
    (tmp_path / "shadow").write_text("bob:secret")
    for secret in (tmp_path / "shadow", Path(pair.key)):
        secret.chmod(0o600)
    return GuardSettings(checker.argv, pairs=(pair,))


def taken_over(settings: GuardSettings, folder: Path, attack: Callable[[RunningGuard], object], root: bool) -> None:
    """Do something as a worker would. root: whether the service was started by root."""
    need_root()
    let_in(folder)

    def work() -> None:
        if not root:
            for file in folder.iterdir():
                os.chown(file, WORKER, WORKER)
            privileges.become(WORKER, WORKER)
            assert ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 1, 0, 0, 0) == 0  # as whatever that user has started
        with guard(settings) as running:
            answered(running, request.encode(KeysAsked(0)))
            if root:
                privileges.become(WORKER, WORKER)
            secrecy.hide_memory()
            attack(running)

    in_child(work)


def answered(running: RunningGuard, packet: bytes | None) -> bytes:
    """The answer of the guard."""
    with channel.ask(running.channel, packet or b"") as answer:
        answer.settimeout(30)
        return answer.recv(99)


def tried(running: RunningGuard, login: bytes, password: bytes) -> bytes:
    """The answer to a password."""
    return answered(running, request.encode(CheckAsked(Credentials(b"PLAIN", login, password), PEER)))


def is_forbidden(deed: Callable[[], object]) -> bool:
    """Whether the system refuses it."""
    try:
        deed()
    except PermissionError:
        return True
    return False


def trace(pid: int, request: int) -> None:
    """Attach to a process as a debugger does (ptrace(2))."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.ptrace.argtypes = (ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p)
    if libc.ptrace(request, pid, None, None):
        raise OSError(ctypes.get_errno(), "ptrace")


def looks(pid: int) -> list[Callable[[], object]]:
    """Ways to look into a process."""
    return [
        lambda: trace(pid, _PTRACE_ATTACH),
        lambda: trace(pid, _PTRACE_SEIZE),
        lambda: open(f"/proc/{pid}/mem", "rb").close(),
        lambda: Path(f"/proc/{pid}/environ").read_bytes(),
        lambda: os.listdir(f"/proc/{pid}/fd"),
        lambda: Path(f"/proc/{pid}/maps").read_bytes(),
    ]


@pytest.mark.parametrize("root", [True, False], ids=["started by root", "started by the worker's user"])
def test_nobody_looks_into_the_guard(settings: GuardSettings, tmp_path: Path, root: bool) -> None:
    """No debugger, no memory, no environment, no descriptors; nor into another worker or the master."""

    def attack(running: RunningGuard) -> None:
        master = os.getpid()
        pid = os.fork()
        if not pid:
            seen = [not is_forbidden(look) for target in (running.pid, master) for look in looks(target)]
            os._exit(sum(seen))
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0

    taken_over(settings, tmp_path, attack, root)


def test_nobody_signals_the_guard_of_root(settings: GuardSettings, tmp_path: Path) -> None:
    """It can be neither killed nor stopped; where nothing was started by root, its own user can."""
    numbers = (signal.SIGKILL, signal.SIGSTOP, signal.SIGTERM)

    def attack(running: RunningGuard) -> None:
        assert [is_forbidden(partial(os.kill, running.pid, number)) for number in numbers] == [True] * 3

    taken_over(settings, tmp_path, attack, root=True)


def test_root_and_its_files_are_gone(settings: GuardSettings, tmp_path: Path, pair: Pair) -> None:
    """No id of root's, no capability, none of the files that the guard reads."""

    def attack(_: RunningGuard) -> None:
        status = dict(line.split(":\t") for line in Path("/proc/self/status").read_text().splitlines() if ":\t" in line)
        assert (status["Uid"].split(), status["Gid"].split()) == ([str(WORKER)] * 4, [str(WORKER)] * 4)
        assert [int(status[name], 16) for name in ("CapEff", "CapPrm", "CapInh", "CapAmb")] == [0] * 4
        for deed in (lambda: os.setuid(0), Path(pair.key).read_bytes, (tmp_path / "shadow").read_bytes):
            assert is_forbidden(deed)

    taken_over(settings, tmp_path, attack, root=True)


def test_it_has_the_keys_and_cannot_change_them(settings: GuardSettings, tmp_path: Path) -> None:
    """It may read them, as TLS is spoken by it: that is what it has. Nobody writes into them."""

    def attack(running: RunningGuard) -> None:
        (fd,) = running.guarded.keys
        assert b"PRIVATE KEY" in os.pread(fd, 99, 0)
        again = os.open(f"/proc/self/fd/{fd}", os.O_RDWR)
        for deed in (lambda: os.pwrite(again, b"x", 0), lambda: os.ftruncate(again, 0), lambda: os.write(fd, b"x")):
            assert is_forbidden(deed)

    taken_over(settings, tmp_path, attack, root=True)


def test_it_guesses_passwords_at_the_rate_of_the_guard(settings: GuardSettings, tmp_path: Path) -> None:
    """Yes, no, later, and not a byte more; after five wrong ones of a user there is no more answer."""

    def attack(running: RunningGuard) -> None:
        assert tried(running, b"bob", b"right") == b"Y"
        assert [tried(running, b"alice", b"guess%d" % number) for number in range(7)] == [b"N"] * 5 + [b"T"] * 2

    taken_over(settings, tmp_path, attack, root=True)


def test_it_reads_no_answer_of_another_worker(settings: GuardSettings, tmp_path: Path) -> None:
    """The channel is the same for all, and answers do not come by it."""

    def attack(running: RunningGuard) -> None:
        assert tried(running, b"bob", b"right") == b"Y"
        with pytest.raises(BlockingIOError):
            running.channel.recv(99)

    taken_over(settings, tmp_path, attack, root=True)


def test_it_is_not_dumpable_and_a_program_that_it_starts_is(settings: GuardSettings, tmp_path: Path) -> None:
    """A backend is nobody's secret: it runs as it always did."""

    def attack(_: RunningGuard) -> None:
        assert ctypes.CDLL(None).prctl(_PR_GET_DUMPABLE, 0, 0, 0, 0) == 0
        pid = os.posix_spawn("/bin/sleep", ("sleep", "60"), {})
        try:
            until(lambda: not is_forbidden(lambda: os.readlink(f"/proc/{pid}/exe")), "the program to run")
            assert resource.prlimit(pid, resource.RLIMIT_CORE) == resource.getrlimit(resource.RLIMIT_CORE)
        finally:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)

    taken_over(settings, tmp_path, attack, root=True)


@pytest.mark.parametrize("hides", [True, False])
def test_it_leaves_no_core(tmp_path: Path, hides: bool) -> None:
    """Wherever the system puts core files: one that hides nothing leaves one, which shows that this tells something."""
    _, hard = resource.getrlimit(resource.RLIMIT_CORE)
    if hard == 0:
        pytest.skip("no process leaves a core file here")
    pid = os.fork()
    if not pid:
        os.chdir(tmp_path)
        resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))
        # A test that was somebody else for a moment has left us without (prctl(2)).
        ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 1, 0, 0, 0)
        if hides:
            secrecy.hide_memory()
        signal.signal(signal.SIGABRT, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGABRT)
    _, status = os.waitpid(pid, 0)

    assert os.WTERMSIG(status) == signal.SIGABRT
    assert os.WCOREDUMP(status) is not hides


def test_the_guard_leaves_no_core(settings: GuardSettings) -> None:
    """It has passwords and keys; nor does a checker, which has passwords."""
    with guard(settings) as running:
        answered(running, request.encode(KeysAsked(0)))
        assert resource.prlimit(running.pid, resource.RLIMIT_CORE) == (0, 0)
        os.kill(running.pid, signal.SIGABRT)
        assert running.wait() == -signal.SIGABRT
    assert not [name for name in os.listdir() if name.startswith("core")]


def test_no_password_stays_in_sight(settings: GuardSettings, checker: Checker) -> None:
    """While a checker runs its password is in no command line and no environment, of the guard or of its own."""
    need_root()
    with guard(settings) as running:
        packet = request.encode(CheckAsked(Credentials(b"PLAIN", b"hang", b"pa55word"), PEER))
        with channel.ask(running.channel, packet or b""):
            until(lambda: len(checker.hanging) == 2, "it to run")
            for pid in (running.pid, *checker.hanging):
                for file in ("cmdline", "environ"):
                    assert b"pa55word" not in Path(f"/proc/{pid}/{file}").read_bytes()
            assert b"pa55word" not in running.log
