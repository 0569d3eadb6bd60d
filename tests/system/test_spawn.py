"""Programs as they are started: real ones, without a server. They find what C's would."""

import os
import resource
import signal
import socket
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.support.forked import in_child
from ucspi_py.system.backend.spawn import Launcher, SpawnAttributes, spawn_attributes
from ucspi_py.system.process import rlimits
from ucspi_py.system.process.descriptors import keep_to_ourselves
from ucspi_py.system.process.rlimits import SoftLimits, descriptors
from ucspi_py.system.process.signals import all_blocked

AS_WE_ARE = SpawnAttributes((), None, (), ())
LIMITS: SoftLimits = (("v", 100_000_000), ("d", 50_000_000))


def said(
    argv: tuple[str, ...], how: SpawnAttributes = AS_WE_ARE, environment: Mapping[bytes, bytes] | None = None
) -> bytes:
    """What a program says to its client, to the end."""
    return Said(argv, how).again(environment)


@pytest.fixture(params=["plain", "prlimit", "shell"])
def limits(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> SoftLimits:
    """None, or some, laid on the program by either way there is."""
    if request.param == "shell":
        monkeypatch.setattr(rlimits, "_PRLIMIT", "/no/such/program")
    return () if request.param == "plain" else LIMITS


class Said:
    """A launcher, and what each start of its program says."""

    def __init__(self, argv: tuple[str, ...], how: SpawnAttributes = AS_WE_ARE) -> None:
        self._launcher = Launcher(argv, how)

    def again(self, environment: Mapping[bytes, bytes] | None = None) -> bytes:
        """Start it once more."""
        client, ours = socket.socketpair()
        with client, ours:
            pid = self._launcher.start(ours.fileno(), dict(environment or {}))
            ours.close()
            try:
                with client.makefile("rb") as reader:
                    return reader.read()
            finally:
                os.waitpid(pid, 0)


def script(file: Path, text: str) -> Path:
    """A program of the shell's."""
    file.write_text(f"#!/bin/sh\n{text}\n")
    file.chmod(0o755)
    return file


def test_the_client_is_on_0_and_1() -> None:
    """And nothing of ours on any other number."""

    def check() -> None:
        keep_to_ourselves()
        ends = said(("/bin/ls", "-l", "/proc/self/fd")).splitlines()
        assert [line.split()[8] for line in ends if b"socket:" in line] == [b"0", b"1"], ends
        assert said(("/bin/ls", "/proc/self/fd")).split() == [b"0", b"1", b"2", b"3"]

    os.set_inheritable(client := os.dup(0), True)
    in_child(check)
    os.close(client)


def test_the_environment_is_what_was_given(limits: SoftLimits) -> None:
    """Neither less nor more."""
    environment = {b"TCPREMOTEIP": b"127.0.0.1", b"EMPTY": b"", b"PATH": b"/nowhere"}
    told = said(("/usr/bin/env",), SpawnAttributes(limits, None, (), ()), environment)
    assert sorted(told.splitlines()) == sorted(b"%s=%s" % pair for pair in environment.items())


def test_softlimits_are_the_programs(limits: SoftLimits) -> None:
    """In kilobytes, from its first instruction on; ours stay."""
    ours = [resource.getrlimit(kind)[0] for kind in (resource.RLIMIT_AS, resource.RLIMIT_DATA)]
    told = said(("/bin/sh", "-c", "ulimit -S -v; ulimit -S -d"), SpawnAttributes(limits, None, (), ()))
    if limits:
        assert told.split() == [b"%d" % (size // 1024) for _, size in limits]
    assert [resource.getrlimit(kind)[0] for kind in (resource.RLIMIT_AS, resource.RLIMIT_DATA)] == ours


def test_a_rule_that_sets_path_changes_no_program(
    limits: SoftLimits, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is searched for in the server's own $PATH, as in C."""
    for folder in ("ours", "theirs"):
        (tmp_path / folder).mkdir()
        script(tmp_path / folder / "smtpd", f'echo {folder} "$PATH" "$1"')
    monkeypatch.setenv("PATH", f"{tmp_path}/ours:/usr/bin:/bin")

    told = said(("smtpd", "-x"), SpawnAttributes(limits, None, (), ()), {b"PATH": b"%s/theirs" % bytes(tmp_path)})

    assert told == b"ours %s/theirs -x\n" % bytes(tmp_path)


def test_a_program_that_is_gone_is_looked_for_again(
    limits: SoftLimits, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next in $PATH is it, until that is gone too; what stands in its place later is found."""
    for folder in ("first", "second"):
        (tmp_path / folder).mkdir()
        script(tmp_path / folder / "smtpd", f"echo {folder}")
    monkeypatch.setenv("PATH", f"{tmp_path}/first:{tmp_path}/second")
    program = Said(("smtpd",), SpawnAttributes(limits, None, (), ()))
    assert program.again() == b"first\n"
    (tmp_path / "first" / "smtpd").unlink()
    assert program.again() == b"second\n"
    (tmp_path / "second" / "smtpd").unlink()
    with pytest.raises(FileNotFoundError):
        program.again()
    script(tmp_path / "second" / "smtpd", "echo third")
    assert program.again() == b"third\n"


def test_what_cannot_be_run(limits: SoftLimits, tmp_path: Path) -> None:
    """An error with its number, and nobody started; the next start is as good as ever."""
    file = tmp_path / "smtpd"
    program = Said((str(file),), SpawnAttributes(limits, None, (), ()))
    with pytest.raises(FileNotFoundError):
        program.again()
    file.write_text("")
    with pytest.raises(PermissionError):
        program.again()
    script(file, "echo hello")
    assert program.again() == b"hello\n"
    with pytest.raises(ValueError, match="illegal environment variable name"):
        program.again({b"": b"x"})


def test_few_descriptors_for_the_program() -> None:
    """Its soft limit is the one we were started with, also where the client has a higher number; ours stays."""

    def check() -> None:
        os.closerange(3, 100)
        program = Said(("/bin/sh", "-c", "ulimit -S -n"), SpawnAttributes((), 12, (), ()))
        for _ in range(20):
            os.dup(0)
        with descriptors(256):
            assert [program.again() for _ in range(2)] == [b"12\n"] * 2
            assert subprocess.run(("sh", "-c", "ulimit -S -n"), capture_output=True, check=True).stdout == b"256\n"

    in_child(check)


@pytest.mark.parametrize(("soft", "hard", "told", "now"), [(100, 400, 100, 400), (400, 400, None, 400)])
def test_a_limit_that_nobody_can_raise_is_left_as_it_is(soft: int, hard: int, told: int | None, now: int) -> None:
    """So no program that is started has to be given another one."""

    def check() -> None:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        assert rlimits.make_room(1000) == told
        assert resource.getrlimit(resource.RLIMIT_NOFILE) == (now, hard)

    in_child(check)


@pytest.mark.parametrize("few", [None, 12])
def test_more_descriptors_have_the_numbers_behind_standard_error(few: int | None, limits: SoftLimits) -> None:
    """In their order; and none of them stays with us, so that whoever has the other end sees the program's."""

    def check() -> None:
        os.closerange(3, 100)
        launcher = Launcher(("sh", "-c", "echo one >&3; echo two >&4"), SpawnAttributes(limits, few, (), ()), 2)
        for _ in range(20):
            os.dup(0)
        for _ in range(2):
            pairs = [socket.socketpair() for _ in range(3)]
            client, *more = (theirs for _, theirs in pairs)
            pid = launcher.start(client.fileno(), {b"PATH": os.environb[b"PATH"]}, [one.fileno() for one in more])
            for _, theirs in pairs:
                theirs.close()
            assert [ours.makefile("rb").read() for ours, _ in pairs] == [b"", b"one\n", b"two\n"]
            assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0

    in_child(check)


#: The signals that a worker ignores, as they are for its master.
OURS = (signal.SIGINT, signal.SIGHUP, signal.SIGUSR1)

#: Says which signals its process ignores and blocks, as masks of proc(5).
_MASKS = ("/bin/grep", "-E", "^Sig(Ign|Blk)", "/proc/self/status")


def masks(how: SpawnAttributes) -> dict[str, set[int]]:
    """The signals that a program finds ignored and blocked."""
    lines = said(_MASKS, how).decode().splitlines()
    table = {name: int(mask, 16) for name, _, mask in (line.partition(":\t") for line in lines)}
    return {name: {n for n in signal.valid_signals() if mask >> (n - 1) & 1} for name, mask in table.items()}


def test_signals_are_as_whoever_started_us_left_them() -> None:
    """What nohup had ignored stays ignored, but for those that tcpserver.c resets; what was blocked stays blocked."""

    def check() -> None:
        for number in (signal.SIGHUP, signal.SIGTERM, signal.SIGPIPE, signal.SIGCHLD, signal.SIGXFSZ):
            signal.signal(number, signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_SETMASK, (signal.SIGUSR2, signal.SIGCHLD))
        how = spawn_attributes((), None, OURS)
        # Now we are a worker: it hears two, ignores what is for the master, and may block anything.
        for number in (signal.SIGTERM, signal.SIGCHLD):
            signal.signal(number, lambda *_: None)
        for number in OURS:
            signal.signal(number, signal.SIG_IGN)
        with all_blocked():
            found = masks(how)
        # 32 and 33 are glibc's own.
        assert found["SigIgn"] - {32, 33} == {signal.SIGHUP}, found
        assert found["SigBlk"] - {32, 33} == {signal.SIGUSR2}, found

    in_child(check)


def test_signals_of_a_plain_start() -> None:
    """Nothing is ignored, nothing is blocked, though the interpreter ignores SIGPIPE and SIGXFSZ for itself."""

    def check() -> None:
        assert signal.getsignal(signal.SIGPIPE) == signal.SIG_IGN
        found = masks(spawn_attributes((), None, OURS))
        assert found["SigIgn"] - {32, 33} == set(), found
        assert found["SigBlk"] == set(), found

    in_child(check)
