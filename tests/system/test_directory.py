"""A directory of ipsvd's instructions, read as it is."""

from pathlib import Path

import pytest

from ucspi_py.core.errors import Failure
from ucspi_py.core.importers.folder_entry import FolderEntry
from ucspi_py.system.rules.directory import files


def test_every_file_below_it(tmp_path: Path) -> None:
    """With its name from there, its mode, and what is in it; nothing of one whose owner may not read it."""
    (tmp_path / "10").mkdir()
    for name, mode, content in (
        ("10/1", 0o644, b"+A=b\n"),
        ("0", 0o000, b"secret"),
        ("x", 0o500, b"run me"),
        ("y", 0o100, b"?"),
    ):
        (tmp_path / name).write_bytes(content)
        (tmp_path / name).chmod(mode)

    assert sorted(files(str(tmp_path))) == [
        FolderEntry("0", 0o000, b""),
        FolderEntry("10/1", 0o644, b"+A=b\n"),
        FolderEntry("x", 0o500, b"run me"),
        FolderEntry("y", 0o100, b""),
    ]


def test_what_is_no_file_is_passed_over(tmp_path: Path) -> None:
    """A link to nothing, and an empty folder."""
    (tmp_path / "empty").mkdir()
    (tmp_path / "link").symlink_to("nowhere")

    assert files(str(tmp_path)) == []


def test_a_directory_that_is_not_there(tmp_path: Path) -> None:
    """It is named."""
    with pytest.raises(Failure, match=f"unable to read {tmp_path}/none: file does not exist"):
        files(str(tmp_path / "none"))
