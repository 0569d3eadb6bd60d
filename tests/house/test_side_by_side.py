"""Three processes of tests are told of as one run: the same numbers, the same last line, the same exit code."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
#: Waits for two others, which do the same. With the last test of a file, a process takes the next file.
MEETS = """
import pathlib, time

def test_meets():
    here = pathlib.Path(__file__)
    here.with_suffix(".here").touch()
    end = time.monotonic() + 60
    while len(list(here.parent.glob("*.here"))) < 3:
        assert time.monotonic() < end
        time.sleep(0.01)

def test_is_not_the_last_one(): pass
"""
NOTES = """
import pathlib

def test_note():
    with pathlib.Path(__file__).with_name("notes").open("a") as notes:
        notes.write({name!r} + " ")
"""
ALONE = "import pytest\npytestmark = pytest.mark.alone\n"


def run(folder: Path, files: dict[str, str], *options: str) -> "subprocess.CompletedProcess[str]":
    """Run files of tests."""
    for name, text in files.items():
        (folder / f"test_{name}.py").write_text(text)
    (folder / "pytest.ini").write_text("[pytest]\nmarkers =\n    alone: when all others are done\naddopts = -ra\n")
    plugins = ("-p", "tests.support.side_by_side", "-p", "no:cacheprovider")
    command = [sys.executable, "-m", "pytest", *plugins, *options, str(folder)]
    env = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    return subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=100, check=False)


def test_three_files_run_at_the_same_time(tmp_path: Path) -> None:
    done = run(tmp_path, dict.fromkeys("abc", MEETS))

    assert (done.returncode, done.stderr) == (0, "")
    assert " 6 passed in " in done.stdout.splitlines()[-1]


def test_who_is_alone_comes_last(tmp_path: Path) -> None:
    files = {name: NOTES.format(name=name) for name in "bcd"}

    assert run(tmp_path, {"a": ALONE + NOTES.format(name="a"), **files}).returncode == 0

    noted = (tmp_path / "notes").read_text().split()
    assert sorted(noted) == ["a", "b", "c", "d"]
    assert noted[-1] == "a"


def test_what_becomes_of_all_is_counted_and_shown(tmp_path: Path) -> None:
    """A failure with what the test has printed, an error of a fixture, a reason for a skip."""
    passes = "def test_passes(): pass\ndef test_passes_too(): pass\n"
    fails = "def test_fails():\n    print('said by it')\n    assert {1: 2} == {1: 3}\n"
    skips = "import pytest\ndef test_skips(): pytest.skip('no such thing')\n"
    errs = "import pytest\n@pytest.fixture\ndef broken(): raise OSError('no more')\ndef test_errs(broken): pass\n"

    done = run(tmp_path, {"a": passes, "b": fails, "c": skips, "d": errs, "e": ALONE + passes})

    assert done.returncode == pytest.ExitCode.TESTS_FAILED
    assert " 1 failed, 4 passed, 1 skipped, 1 error in " in done.stdout.splitlines()[-1]
    for words in ("said by it", "assert {1: 2} == {1: 3}", "test_c.py:2: no such thing", "OSError: no more"):
        assert words in done.stdout


def test_the_first_failure_ends_all_where_that_is_wanted(tmp_path: Path) -> None:
    fails = "def test_fails(): assert False\n"

    done = run(tmp_path, {**dict.fromkeys("abcdefgh", fails), "z": ALONE + NOTES.format(name="z")}, "-x")

    assert done.returncode == pytest.ExitCode.TESTS_FAILED
    assert "stopping after 1 failures" in done.stdout
    assert not (tmp_path / "notes").exists()


def test_a_process_that_is_gone_is_no_success(tmp_path: Path) -> None:
    killed = "import os, signal\ndef test_kills(): os.kill(os.getpid(), signal.SIGKILL)\n"

    done = run(tmp_path, {"a": "def test_passes(): pass\n", "b": killed})

    assert done.returncode == pytest.ExitCode.INTERNAL_ERROR
    assert "a process of tests has ended without its last word" in done.stdout


def test_a_process_that_ends_badly_is_no_success(tmp_path: Path) -> None:
    """As where a warning that is an error comes after the last test."""
    ends = "import atexit, os\ndef test_passes(): atexit.register(os._exit, 3)\n"

    done = run(tmp_path, {"a": ends})

    assert done.returncode == pytest.ExitCode.INTERNAL_ERROR
    assert "processes of tests have ended with [3], though nothing has failed" in done.stdout
