"""Rules that are written: all of them or none, under the name of nobody else, each failure said as tcprules does."""

import errno
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from ucspi_py.core.errors import CorruptRules, Failure
from ucspi_py.system.rules.table import Table
from ucspi_py.system.rules.write import write

RECORDS = [(b"#1", b""), (b"1.", b"D\0"), (b"", b"EA=b\0"), (b"1.", b"second")]


def test_what_is_written_can_be_read(tmp_path: Path) -> None:
    """In the order in which it came, in a file that the temporary one has become, also in the folder we are in."""
    before = Path.cwd()
    os.chdir(tmp_path)
    try:
        write("cdb", "tmp", iter(RECORDS))
        table = Table("cdb")
    finally:
        os.chdir(before)

    assert list(table.records()) == RECORDS
    assert table.get(b"1.") == b"D\0"
    assert [path.name for path in tmp_path.iterdir()] == ["cdb"]


def test_a_new_file_takes_the_place_of_the_old_one_at_once(tmp_path: Path) -> None:
    """Whoever has the old one open keeps it, whole."""
    cdb, temporary = str(tmp_path / "cdb"), str(tmp_path / "tmp")
    write(cdb, temporary, RECORDS)
    with open(cdb, "rb") as old:
        write(cdb, temporary, [(b"", b"")])
        size = os.fstat(old.fileno()).st_size
        assert len(old.read()) == size > os.stat(cdb).st_size

    assert list(Table(cdb).records()) == [(b"", b"")]


def test_records_that_fail_leave_the_old_file(tmp_path: Path) -> None:
    """Whatever the source of the records raises comes through."""
    cdb = tmp_path / "cdb"
    cdb.write_bytes(b"old")

    def records() -> Iterator[tuple[bytes, bytes]]:
        yield b"key", b"value"
        raise CorruptRules("no more")

    with pytest.raises(CorruptRules):
        write(str(cdb), str(tmp_path / "tmp"), records())
    assert cdb.read_bytes() == b"old"


def test_the_temporary_file_is_never_somebody_elses(tmp_path: Path) -> None:
    """A link in its place might lead anywhere."""
    (tmp_path / "victim").write_bytes(b"precious")
    (tmp_path / "tmp").symlink_to("victim")

    with pytest.raises(Failure, match=r"unable to create .*: symbolic link loop"):
        write(str(tmp_path / "cdb"), str(tmp_path / "tmp"), [])
    assert (tmp_path / "victim").read_bytes() == b"precious"


@pytest.mark.parametrize(
    ("cdb", "temporary", "sentence"),
    [
        ("cdb", "no/tmp", "unable to create {0}/no/tmp: file does not exist"),
        ("cdb", "folder", "unable to create {0}/folder: is a directory"),
        ("cdb", "/dev/full", "unable to write to /dev/full: out of disk space"),
        ("folder", "tmp", "unable to move {0}/tmp to {0}/folder: is a directory"),
    ],
)
def test_each_step_that_fails_is_named(tmp_path: Path, cdb: str, temporary: str, sentence: str) -> None:
    """And the old file, if there is one, stays as it was."""
    (tmp_path / "folder").mkdir()
    (tmp_path / "cdb").write_bytes(b"old")

    with pytest.raises(Failure) as failure:
        write(str(tmp_path / cdb), str(tmp_path / temporary), RECORDS)

    assert failure.value.sentence == sentence.format(tmp_path)
    assert (tmp_path / "cdb").read_bytes() == b"old"


@pytest.mark.parametrize("step", ["open", "fsync"])
def test_a_folder_that_cannot_be_synced_is_no_reason_to_fail(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    """The file is there, and will be after a crash or will not."""
    exact_open, exact_sync = os.open, os.fsync
    folders = []

    def fail(number: int) -> OSError:
        return OSError(number, os.strerror(number))

    def open_or_fail(path: str, flags: int, mode: int = 0o777) -> int:
        if flags & os.O_DIRECTORY:
            if step == "open":
                raise fail(errno.EACCES)
            folders.append(exact_open(path, flags, mode))
            return folders[-1]
        return exact_open(path, flags, mode)

    def sync_or_fail(fd: int) -> None:
        if fd in folders:
            raise fail(errno.EINVAL)
        exact_sync(fd)

    monkeypatch.setattr(os, "open", open_or_fail)
    monkeypatch.setattr(os, "fsync", sync_or_fail)
    write(str(tmp_path / "cdb"), str(tmp_path / "tmp"), RECORDS)

    assert list(Table(str(tmp_path / "cdb")).records()) == RECORDS
    for fd in folders:
        with pytest.raises(OSError, match="Bad file descriptor"):
            os.fstat(fd)


def test_a_file_that_is_too_big_for_a_cdb(tmp_path: Path) -> None:
    """It has 4 GiB at most, and C's sentence would be "out of memory"."""

    class Endless(bytes):
        def __len__(self) -> int:
            return 1 << 32

    with pytest.raises(Failure, match=r"unable to write to .*tmp: file too big"):
        write(str(tmp_path / "cdb"), str(tmp_path / "tmp"), [(b"key", Endless(b"x"))])
