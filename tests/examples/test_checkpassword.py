"""The example's checkpassword program."""

import subprocess
from pathlib import Path

import pytest

from tests.support.checkpassword import end_of
from tests.support.waiting import PATIENCE

PROGRAM = str(Path(__file__).parents[2] / "examples/checkpassword.py")


@pytest.fixture(scope="module")
def users(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A file with two users, made as its text says."""
    file = tmp_path_factory.mktemp("checkpassword") / "users"
    file.write_bytes(line("joe", b"s3cret\n") + line("ann:@example.org", b"two words"))
    return str(file)


def line(login: str, password: bytes) -> bytes:
    """What the program prints for a user."""
    command = [PROGRAM, "--line", login]
    return subprocess.run(command, input=password, capture_output=True, timeout=PATIENCE, check=True).stdout


@pytest.mark.parametrize(
    "told",
    [b"joe\0s3cret\0\0", b"joe\0s3cret\0<1.2@host>\0more", b"ann:@example.org\0two words\0"],
)
def test_a_right_password_runs_the_program(users: str, told: bytes) -> None:
    """With the user's name; a timestamp, and what comes behind it, is passed over."""
    ended = end_of([PROGRAM, users, "sh", "-c", 'echo "$USER"; exit 7'], told)

    assert ended == (7, told.split(b"\0")[0] + b"\n")


@pytest.mark.parametrize("told", [b"joe\0wrong\0\0", b"joe\0\0\0", b"nobody\0s3cret\0\0", b"\0\0\0"])
def test_a_wrong_password_or_an_unknown_login_is_refused(users: str, told: bytes) -> None:
    """Alike."""
    assert end_of([PROGRAM, users, "true"], told).code == 1


@pytest.mark.parametrize("told", [b"", b"joe", b"joe\0s3cret", b"j" * 255 + b"\0" + b"p" * 256 + b"\0"])
def test_what_is_not_two_fields_is_a_misuse(users: str, told: bytes) -> None:
    """Nor more than 512 bytes."""
    assert end_of([PROGRAM, users, "true"], told).code == 2


def test_without_a_program_it_is_a_misuse(users: str) -> None:
    """checkpassword never ends with 0 by itself."""
    assert end_of([PROGRAM, users], b"joe\0s3cret\0\0").code == 2
    assert end_of([PROGRAM], b"joe\0s3cret\0\0").code == 2


def test_without_descriptor_3_it_is_a_misuse(users: str) -> None:
    """It is for others to run."""
    assert end_of([PROGRAM, users, "true"], None).code == 2


@pytest.mark.parametrize("content", [None, "joe\n", "joe:xyz:00\n"])
def test_a_missing_or_a_damaged_file_lets_nobody_in_for_now(tmp_path: Path, content: str | None) -> None:
    """111."""
    if content:
        (tmp_path / "users").write_text(content)

    assert end_of([PROGRAM, f"{tmp_path}/users", "true"], b"joe\0s3cret\0\0").code == 111


def test_a_program_that_is_not_there_lets_nobody_in(users: str) -> None:
    """Though the password is right."""
    assert end_of([PROGRAM, users, "/no/such/program"], b"joe\0s3cret\0\0").code == 111


def test_no_password_can_be_read_from_the_file() -> None:
    """Nor that two users have the same one."""
    first, second = line("joe", b"s3cret\n"), line("joe", b"s3cret\n")

    assert b"s3cret" not in first
    assert first != second
