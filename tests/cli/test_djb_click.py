"""What holds for every program: its version, and one line with exit 111 for what nobody foresaw."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.programs import ours
from ucspi_py import __version__
from ucspi_py.cli.start import PROGRAMS


@pytest.fixture
def cdb(tmp_path: Path) -> Path:
    """Compiled rules, more than a pipe holds."""
    rules = b"".join(b"10.0.%d.%d:deny\n" % (n >> 8, n & 255) for n in range(20_000))
    subprocess.run([ours("pytcprules"), "-q", "rules.cdb", "tmp"], cwd=tmp_path, input=rules, check=True)
    return tmp_path / "rules.cdb"


@pytest.mark.parametrize("program", [*PROGRAMS, "ucspi_py"])
def test_version(program: str) -> None:
    """Every program says which it is."""
    done = subprocess.run([ours(program), "--version"], capture_output=True, text=True, check=True)

    assert (done.stdout, done.stderr) == (f"{program} {__version__}\n", "")


@pytest.mark.parametrize("words", [["pyrules", "dump", "rules.cdb"], ["pyrules", "--help"], ["pytcpserver", "--help"]])
def test_no_room_for_the_output(words: list[str], cdb: Path) -> None:
    """What could not be written is told once, and is no success."""
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            [ours(words[0]), *words[1:]], cwd=cdb.parent, stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )

    assert done.returncode == 111
    assert re.fullmatch(r"(pyrules|tcpserver): fatal: unable to write output: out of disk space\n", done.stderr)


def test_a_reader_who_has_read_enough(cdb: Path) -> None:
    """pyrules dump | head: no word, and not exit 1, which would be a finding."""
    with subprocess.Popen(
        [ours("pyrules"), "dump", cdb], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        assert process.stderr
        assert process.stdout.readline() == "10.0.0.0:deny\n"
        process.stdout.close()
        said = process.stderr.read()

    assert (process.returncode, said) == (111, "")


def test_closed_output(cdb: Path) -> None:
    """Output that was closed before the start is output that nobody wants."""
    command = 'exec "$@" >&-'
    done = subprocess.run(
        ["sh", "-c", command, "sh", ours("pyrules"), "dump", cdb], capture_output=True, text=True, check=False
    )

    assert (done.returncode, done.stderr) == (0, "")


#: Meets an error that no program foresees.
UNFORESEEN = """
import sys
from ucspi_py.cli import djb_click
def fail(args):
    raise {}
djb_click.run("program", "program", fail)
"""


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        ("OSError(24, 'x')", 111, "program: fatal: unable to go on: process cannot open more files\n"),
        ("OSError(13, 'x', '/a b')", 111, "program: fatal: unable to go on with /a b: access denied\n"),
        ("TimeoutError('too slow')", 111, "program: fatal: unable to go on: too slow\n"),
        ("BrokenPipeError(32, 'x')", 111, ""),
        ("MemoryError", 111, "program: fatal: out of memory\n"),
        ("KeyboardInterrupt", 130, ""),
    ],
)
def test_what_nobody_foresaw(error: str, code: int, said: str) -> None:
    """Exit 111 is for what may go well another time; no traceback."""
    script = UNFORESEEN.format(error)

    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)

    assert (done.returncode, done.stderr) == (code, said)


@pytest.mark.parametrize(
    ("typed", "completed"),
    [("pyrules di", "plain,diff\n"), ("pyrules lint tcp.s", "file,tcp.s\n"), ("pyrules diff --js", "plain,--json\n")],
)
def test_completion(typed: str, completed: str) -> None:
    """The line of the page about pyrules completes commands and options, and leaves the names of files to the shell."""
    words = {"_PYRULES_COMPLETE": "bash_complete", "COMP_WORDS": typed, "COMP_CWORD": str(typed.count(" "))}
    done = subprocess.run([ours("pyrules")], env=words, capture_output=True, text=True, check=True)

    assert done.stdout == completed
