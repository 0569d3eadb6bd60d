"""tcpserver and pytcpserver side by side: what the program sees, what the log says, what options mean."""

import os
import re
import shutil
import signal
import stat
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.support.programs import ours, theirs
from tests.support.server import QUIET, Server
from tests.support.waiting import until

#: The lines of a process's status that it inherits.
STATUS = "^(Sig(Blk|Ign|Cgt)|Groups|Uid|Gid|NoNewPrivs|Seccomp):"

INHERITED = {
    "PATH": os.environ["PATH"],
    "TCPREMOTEHOST": "inherited",
    "TCPREMOTEINFO": "inherited",
    "TCPLOCALHOST": "inherited",
    "TCPREMOTEIP": "inherited",
    "PROTO": "inherited",
    "RBLSMTPD": "",
    "SSL_CIPHER": "kept",
    "EMPTY": "",
}


@pytest.fixture(params=["C", "ours"])
def tcpserver(request: pytest.FixtureRequest) -> str:
    """Both programs, one after the other: for tests that hold for either."""
    return theirs("tcpserver") if request.param == "C" else ours("pytcpserver")


def both(options: Sequence[str], backend: Sequence[str], folder: Path, data: bytes = b"") -> list[tuple[bytes, bytes]]:
    """What one client reads, and the log, with ports and process ids masked: from C, then from ours."""
    results = []
    for program in (theirs("tcpserver"), ours("pytcpserver")):
        with Server(program, options, backend, folder, env=INHERITED) as server:
            told = server.talk(data)
            wait_for_the_end(server, options)
        results.append((_masked(told, server.port), _masked(server.log(), server.port)))
    return results


def wait_for_the_end(server: Server, options: Sequence[str], number: int = 1) -> None:
    """Under -v, wait until the log tells of the end of so many clients, who came one after the other."""
    end = re.compile(rb"end \d+ status \d+\ntcpserver: status: 0/\d+\n")
    if any(re.match("-[DRHX]*v", option) for option in options):
        until(lambda: len(end.findall(server.log())) == number, "the end")


def _masked(text: bytes, port: int) -> bytes:
    # The only line of ours: TERM kills C, which says nothing of it.
    text = re.sub(rb"tcpserver: stop \d+: \d+/\d+ programs go on\n\Z", b"", text)
    text = text.replace(b"%d" % port, b"PORT")
    text = re.sub(rb"(TCPREMOTEPORT=)\d+", rb"\1REMOTE", text)
    text = re.sub(rb"(tcpserver: (?:pid|ok|deny|end)) \d+", rb"\1 PID", text)
    # glibc's posix_spawn ignores its own two signals, 32 and 33, in every process that it starts.
    text = re.sub(rb"(?<=SigIgn:\t)\w+", lambda ignored: b"%x" % (int(ignored[0], 16) & ~(3 << 31)), text)
    return re.sub(rb":\d+\n", rb":REMOTE\n", text)


@pytest.mark.parametrize(
    "program",
    [
        ("env",),
        ("cat", "/proc/self/limits"),
        ("sh", "-c", "ls /proc/self/fd | wc -l; readlink /proc/self/cwd; umask; nice"),
        ("grep", "-E", STATUS, "/proc/self/status"),
        ("sh", "-c", 'read line; echo "got $line"'),
    ],
    ids=["environment", "limits", "descriptors", "signals", "input"],
)
def test_the_program_sees_the_same(program: Sequence[str], tmp_path: Path) -> None:
    """Environment, limits, descriptors, working directory, signal dispositions and input are those of C."""
    theirs_, ours_ = both(("-v", *QUIET), program, tmp_path, b"hello\n")

    assert sorted(theirs_[0].splitlines()) == sorted(ours_[0].splitlines())
    assert theirs_[1] == ours_[1]


def test_a_signal_ignored_by_our_parent_stays_ignored(tmp_path: Path) -> None:
    """nohup reaches the program, as under C; SIGTERM, SIGPIPE and SIGCHLD are reset."""
    status = {}
    for program in (theirs("tcpserver"), ours("pytcpserver")):
        ignoring = ("sh", "-c", 'trap "" HUP INT TERM PIPE USR1; exec "$@"', "sh")
        backend = ("grep", "-E", STATUS, "/proc/self/status")
        with Server(program, QUIET, backend, tmp_path, before=ignoring) as server:
            status[program] = _masked(server.talk(), server.port)
            server.stop(signal.SIGKILL if program == theirs("tcpserver") else signal.SIGTERM)

    first, second = status.values()
    assert first == second


RULES = """\
127.0.0.1:allow,RELAYCLIENT="",TCPREMOTEIP="9.9.9.9",A="1",A="2"
127.0.0.2:deny,A="1"
127.0.0.3:allow
"""


@pytest.fixture
def rules(tmp_path: Path) -> str:
    """Some rules, compiled by C."""
    cdb = tmp_path / "rules.cdb"
    subprocess.run([theirs("tcprules"), cdb, tmp_path / "tmp"], input=RULES.encode(), check=True)
    return str(cdb)


@pytest.mark.parametrize("verbosity", ["-v", "-Q", "-q"])
def test_rules(verbosity: str, rules: str, tmp_path: Path) -> None:
    """Allowed, denied and unmentioned clients: the same environment, the same log."""
    results = []
    for program in (theirs("tcpserver"), ours("pytcpserver")):
        options = (verbosity, "-B", "welcome\r\n", "-x", rules, *QUIET)
        told = []
        with Server(program, options, ("env",), tmp_path, env=INHERITED) as server:
            for number in range(1, 5):
                told.append(server.talk(source=f"127.0.0.{number}"))
                wait_for_the_end(server, options, number)
        seen = [sorted(_masked(one, server.port).splitlines()) for one in told]
        results.append((seen, _masked(server.log(), server.port)))

    assert results[0] == results[1]


def _not_executable(folder: Path) -> str:
    file = folder / "plain"
    file.write_text("#!/bin/sh\n")
    return str(file)


def _no_interpreter(folder: Path) -> str:
    file = folder / "no-interpreter"
    file.write_text("#!/nonexistent\n")
    file.chmod(0o755)
    return str(file)


def _no_format(folder: Path) -> str:
    file = folder / "no-format"
    file.write_text("echo no first line\n")
    file.chmod(0o755)
    return str(file)


@pytest.mark.parametrize(
    "make",
    [
        lambda folder: str(folder / "missing"),
        lambda _folder: "no-such-program",
        _not_executable,
        str,
        _no_interpreter,
        _no_format,
    ],
    ids=["missing", "not in PATH", "not executable", "a directory", "no interpreter", "no format"],
)
def test_a_program_that_cannot_be_run(make, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    """The client is dropped with C's sentence and C's status; the server lives. We warn at start as well."""
    theirs_, ours_ = both(("-v", *QUIET), (make(tmp_path),), tmp_path)

    warned = b"".join(
        line
        for line in ours_[1].splitlines(keepends=True)
        if not line.startswith(b"tcpserver: warning: unable to find")
    )
    assert theirs_[0] == ours_[0]
    assert theirs_[1] == warned
    assert b"status 28416" in warned


@pytest.mark.parametrize("program", [("sh", "-c", "exit 7"), ("sh", "-c", "kill -9 $$"), ("sh", "-c", "kill -15 $$")])
def test_wait_statuses(program: Sequence[str], tmp_path: Path) -> None:
    """The end line has the raw wait status."""
    theirs_, ours_ = both(("-v", *QUIET), program, tmp_path)

    assert theirs_ == ours_


@pytest.mark.parametrize("options", [("-v",), ("-Q",), ("-q",), ("-vX",), ("-X",)])
def test_rules_that_do_not_exist(options: Sequence[str], tmp_path: Path) -> None:
    """-x without a file drops everybody unless -X forgives it."""
    missing = str(tmp_path / "missing.cdb")
    theirs_, ours_ = both((*options, "-x", missing, *QUIET), ("echo", "hello"), tmp_path)

    assert theirs_ == ours_


def test_x_forgives_only_a_missing_file(tcpserver: str, tmp_path: Path) -> None:
    """An empty file is no missing file."""
    (tmp_path / "empty.cdb").touch()
    with Server(tcpserver, ("-X", "-x", str(tmp_path / "empty.cdb"), *QUIET), ("echo", "in"), tmp_path) as server:
        assert server.talk() == b""


@pytest.mark.parametrize(
    "options",
    [
        ("-HRl0",),
        ("-vDRHl0", "-c40"),
        ("-h", "-H", "-r", "-R", "-l", "a", "-l", "0", "-q", "-v"),
        ("-HRl0", "--"),
        ("-HRl", "name", "-o", "-D", "-P", "-t", "5", "-b5"),
        ("-c3", "-c", "5", *QUIET, "-v"),
    ],
    ids=" ".join,
)
def test_ways_to_write_options(options: Sequence[str], tmp_path: Path) -> None:
    """Bundles, attached values, last wins, and -- all mean what they mean in C."""
    theirs_, ours_ = both(options, ("sh", "-c", "env | grep -E '^(PROTO|TCP)' | sort"), tmp_path)

    assert theirs_ == ours_


def test_options_after_the_host_are_the_programs(tmp_path: Path) -> None:
    """Parsing stops at the first word that is no option."""
    theirs_, ours_ = both(QUIET, ("echo", "-v", "-x", "-c", "--help"), tmp_path)

    assert theirs_ == ours_
    assert ours_[0] == b"-v -x -c --help\n"


def test_the_banner_is_raw_and_first(tmp_path: Path) -> None:
    """No line end is added, and bytes that are no text pass."""
    banner = os.fsdecode(b"\xff\xfe hello %s")
    theirs_, ours_ = both(("-B", banner, *QUIET), ("echo",), tmp_path)

    assert theirs_ == ours_
    assert ours_[0] == b"\xff\xfe hello %s\n"


@pytest.mark.parametrize(
    "words",
    [
        ("-Q",),
        ("0",),
        ("0", "25"),
        ("-z", "0", "0", "true"),
        ("-c",),
        ("0", "no-such-port", "true"),
        ("192.0.2.1", "0", "true"),
    ],
    ids=" ".join,
)
def test_refusing_to_start(words: Sequence[str]) -> None:
    """The same sentence and exit code; our usage line may have more options."""
    results = []
    for program in (theirs("tcpserver"), ours("pytcpserver")):
        done = subprocess.run([program, *words], capture_output=True, check=False)
        lines = [line for line in done.stderr.splitlines() if b": usage: " not in line]
        usage = any(b": usage: tcpserver [ -1UXpPhHrRoOdDqQv ]" in line for line in done.stderr.splitlines())
        sentences = [line.removeprefix(b"py") for line in lines]
        results.append((done.returncode, done.stdout, sentences, usage))

    assert results[0] == results[1]


def test_a_port_in_use(tmp_path: Path, tcpserver: str) -> None:
    """The second server says so and leaves with 111."""
    with Server(tcpserver, QUIET, ("true",), tmp_path) as server:
        done = subprocess.run(
            [tcpserver, *QUIET, "127.0.0.1", str(server.port), "true"], capture_output=True, check=False
        )

    assert (done.returncode, done.stderr) == (111, b"tcpserver: fatal: unable to bind: address already used\n")


def test_the_program_may_be_a_file_mode_we_may_not_read(tmp_path: Path) -> None:
    """--x--x--x is enough to be run."""
    file = tmp_path / "true"
    shutil.copy("/bin/true", file)
    file.chmod(stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH)
    theirs_, ours_ = both(("-v", *QUIET), (str(file),), tmp_path)

    assert theirs_ == ours_
