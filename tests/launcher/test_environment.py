"""The program finds the environment, limits and input that the operator gave it, not what a shell makes of them."""

import os
import resource
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.support.programs import ours, theirs
from tests.support.server import QUIET, Server

#: Writes the environment that the kernel gave it, its limit of address space, its children and further descriptors.
SHOW = """
import os, resource
block = open("/proc/self/environ", "rb").read()
limit = resource.getrlimit(resource.RLIMIT_AS)[0]
children = open("/proc/self/task/%d/children" % os.getpid()).read()
descriptors = [int(fd) for fd in os.listdir("/proc/self/fd") if int(fd) > 2]
descriptors = sorted(fd for fd in descriptors if os.path.exists("/proc/self/fd/%d" % fd))
print(repr((block, limit, children, descriptors)))
"""

#: Names that a launcher may use itself, that a shell or Python acts upon, and that are none to a shell.
HOSTILE = {
    **dict.fromkeys(b"program environment python here note first second soft hard".split(), b"the operator's"),
    **dict.fromkeys(b"IFS OPTIND PPID OLDPWD RANDOM SHLVL HISTCMD PS1 _ ucspi_note ucspi_home".split(), b"7"),
    b"LC_CTYPE": b"a b",
    b"UCSPI_PY_LAUNCH": b"v=1",
    b"ENV": b"/nonexistent",
    b"BASH_FUNC_hello%%": b"() { :; }",
    b"two lines": b"one\nPWD=/nowhere\n",
    b"java.home": b"/usr",
    b"1digit": b"",
    b"\xff\xfe\n": bytes(range(1, 256)),
    b"large": b"x" * 100_000,
    b"PYTHONEXECUTABLE": b"/nonexistent/bin/python3",
    b"__PYVENV_LAUNCHER__": b"/nonexistent/bin/python3",
    b"PYTHONPATH": b"/nonexistent",
    b"PYTHONHOME": b"/nonexistent",
    b"PYTHONSTARTUP": b"/nonexistent",
}
PATH = {b"PATH": b"/usr/bin:/bin"}

SHELLS = [[], ["dash"], ["bash", "--posix"], ["busybox", "sh"]]


def seen(command: Sequence[str], environment: dict[bytes, bytes]) -> tuple[list[bytes], int, str, list[int]]:
    """What SHOW finds behind a program: environment, limit of address space, children, further descriptors."""
    done = subprocess.run(
        [*command, sys.executable, "-I", "-c", SHOW], env=environment, capture_output=True, timeout=30, check=True
    )
    block, limit, children, descriptors = eval(done.stdout)  # noqa: S307  what SHOW has written
    return sorted(block.split(b"\0")[:-1]), limit, children, descriptors


def entries(environment: dict[bytes, bytes]) -> list[bytes]:
    """An environment as the kernel has it, sorted."""
    return sorted(name + b"=" + value for name, value in environment.items())


@pytest.mark.parametrize("environment", [{}, PATH, {**PATH, b"OLDPWD": b"/"}, {**PATH, **HOSTILE}], ids=len)
@pytest.mark.parametrize("shell", SHELLS, ids=lambda words: " ".join(words) or "as installed")
def test_the_environment_is_the_operators(shell: list[str], environment: dict[bytes, bytes]) -> None:
    """To the byte, with each shell that may be /bin/sh, whatever names and values are in it; nothing else is left."""
    if shell and not shutil.which(shell[0]):
        pytest.skip(f"{shell[0]} is not installed")

    found, _, children, descriptors = seen([*shell, ours("pyrblsmtpd"), "-t", "0"], environment)

    assert found == entries(environment)
    assert children == ""
    assert descriptors == []


def test_soft_limits_leave_the_environment_alone() -> None:
    """Little memory is no reason to lose a variable, but for one that is larger than what /bin/sh may have."""
    environment = {name: value for name, value in {**PATH, **HOSTILE}.items() if name != b"large"}
    command = [theirs("softlimit"), "-m", "5000000", ours("pyrblsmtpd"), "-t", "0", theirs("env"), "-0"]

    done = subprocess.run(command, env=environment, capture_output=True, timeout=30, check=True)

    assert sorted(done.stdout.split(b"\0")[:-1]) == entries(environment)


@pytest.mark.parametrize("word", [b"v=1", b"-PWD", b"nonsense", b"note: v=1 environment=1,2"])
def test_no_variable_sets_limits(word: bytes) -> None:
    """The launcher's note is no variable: nothing in the environment can be taken for it."""
    environment = {**PATH, b"UCSPI_PY_LAUNCH": word, b"ucspi_note": word}

    found, limit, _, _ = seen([ours("pyrblsmtpd"), "-t", "0"], environment)

    assert found == entries(environment)
    assert limit == resource.getrlimit(resource.RLIMIT_AS)[0]


def test_behind_the_server(tmp_path: Path) -> None:
    """A program behind pytcpserver finds the operator's variables beside the connection's."""
    environment = {"PATH": os.environ["PATH"], "program": "shop", "java.home": "/usr", "IFS": "x"}
    with Server(ours("pytcpserver"), QUIET, (theirs("env"), "-0"), tmp_path, env=environment) as server:
        found = dict(entry.split(b"=", 1) for entry in server.talk().split(b"\0")[:-1])

    connection = {name: value for name, value in found.items() if not name.startswith((b"TCP", b"PROTO"))}
    assert connection == {os.fsencode(name): os.fsencode(value) for name, value in environment.items()}


@pytest.mark.parametrize("taken", [(), (9,), (9, 8, 7, 6, 5, 4)], ids=len)
def test_descriptors_of_the_operator_stay(taken: tuple[int, ...], tmp_path: Path) -> None:
    """pyrblsmtpd passes on what it was given, as C does: the launcher uses none that is open."""
    file = tmp_path / "file"
    file.touch()
    opened = "; ".join(f"exec {number}<{file}" for number in taken)

    _, _, _, descriptors = seen(["sh", "-c", f'{opened or ":"}; exec "$@"', "sh", ours("pyrblsmtpd"), "-t", "0"], PATH)

    assert descriptors == sorted(taken)


def test_a_folder_as_input(tmp_path: Path) -> None:
    """CPython cannot start with one; the programs say what C says, and the program behind a screen has it."""
    folder = os.open(tmp_path, os.O_RDONLY)
    try:
        compiled = subprocess.run(
            [ours("pytcprules"), "cdb", "tmp"], cwd=tmp_path, stdin=folder, capture_output=True, check=False
        )
        behind = subprocess.run(
            [ours("pyrblsmtpd"), "-t", "0", theirs("readlink"), "/proc/self/fd/0"],
            stdin=folder,
            capture_output=True,
            check=True,
        )
    finally:
        os.close(folder)

    assert (compiled.returncode, compiled.stderr) == (111, b"tcprules: fatal: unable to read input: is a directory\n")
    assert behind.stdout == os.fsencode(tmp_path) + b"\n"
