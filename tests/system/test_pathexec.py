"""Where a program is found: pathexec_run.c's search, over real files."""

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from ucspi_py.system.process.pathexec import become, find, first_that_runs


@pytest.fixture
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Three folders that are searched, the second of which is not there."""
    first, second, third = (tmp_path / name for name in ("first", "second", "third"))
    first.mkdir()
    third.mkdir()
    monkeypatch.setenv("PATH", f"{first}:{second}:{third}")
    return [first, second, third]


def program(path: Path, mode: int = 0o755) -> str:
    """A file that may be one."""
    path.write_text("#!/bin/sh\n")
    path.chmod(mode)
    return str(path)


def test_the_first_of_the_path_that_is_there(folders: list[Path]) -> None:
    """A missing file is passed over."""
    found = program(folders[2] / "smtpd")
    assert find("smtpd") == found

    earlier = program(folders[0] / "smtpd")
    assert find("smtpd") == earlier


def test_what_cannot_be_run_is_passed_over(folders: list[Path]) -> None:
    """No permission, or a folder of that name."""
    program(folders[0] / "smtpd", 0o644)
    found = program(folders[2] / "smtpd")
    (folders[0] / "other").mkdir()
    other = program(folders[2] / "other")

    assert find("smtpd") == found
    assert find("other") == other


def test_what_was_forbidden_is_remembered(folders: list[Path]) -> None:
    """If nothing better is found; missing is what it is only where it is missing everywhere."""
    program(folders[0] / "smtpd", 0o644)

    with pytest.raises(PermissionError):
        find("smtpd")
    with pytest.raises(FileNotFoundError):
        find("no-such-program")


def test_any_other_failure_ends_the_search(folders: list[Path]) -> None:
    """Whoever has no memory does not try the next file."""
    tried = []

    def attempt(file: str) -> str:
        tried.append(file)
        raise OSError(errno.ENOMEM, "no memory")

    with pytest.raises(OSError, match="no memory"):
        first_that_runs("smtpd", attempt)
    assert tried == [f"{folders[0]}/smtpd"]


@pytest.mark.usefixtures("folders")
def test_a_name_with_a_slash_is_that_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And is searched nowhere else."""
    monkeypatch.chdir(tmp_path)
    program(tmp_path / "smtpd")

    assert find("./smtpd") == "./smtpd"
    with pytest.raises(FileNotFoundError):
        find("./other")


@pytest.mark.parametrize(
    ("path", "tried"),
    [(":/x", ["./smtpd", "/x/smtpd"]), ("/x:", ["/x/smtpd", "./smtpd"]), (None, ["/bin/smtpd", "/usr/bin/smtpd"])],
)
def test_which_folders_are_searched(path: str | None, tried: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty one is the folder that we are in; without $PATH there are two."""
    if path is None:
        monkeypatch.delenv("PATH")
    else:
        monkeypatch.setenv("PATH", path)
    files: list[str] = []

    def attempt(file: str) -> str:
        files.append(file)
        raise FileNotFoundError(errno.ENOENT, "missing")

    with pytest.raises(FileNotFoundError):
        first_that_runs("smtpd", attempt)
    assert files == tried


def test_becoming_a_program(folders: list[Path]) -> None:
    """With its words and its environment, and nothing of ours; what cannot be run is said by an error."""
    with pytest.raises(FileNotFoundError):
        become(("no-such-program",), {})
    said = folders[0] / "said"
    (folders[2] / "smtpd").write_text(f'#!/bin/sh\necho "$1 $WORD $HOME" > {said}\n')
    (folders[2] / "smtpd").chmod(0o755)

    child(lambda: become(("smtpd", "one"), {b"WORD": b"two"}))

    assert said.read_text() == "one two \n"


def child(deed: Callable[[], None]) -> None:
    """Have a deed done by a process of its own, which must end well."""
    pid = os.fork()
    if not pid:
        try:
            deed()
        finally:
            os._exit(1)
    assert os.waitpid(pid, 0)[1] == 0
