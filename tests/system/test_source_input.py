"""Text that is read whole: standard input and its name, and files."""

import io
import os
import sys
from pathlib import Path

import pytest

from ucspi_py.core.errors import Failure
from ucspi_py.system.rules.source_input import file, name_of_standard_input, standard_input


class Input(io.TextIOWrapper):
    """Standard input in memory."""

    def __init__(self, data: bytes) -> None:
        super().__init__(io.BytesIO(data))


def test_a_file_or_standard_input(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every byte of it, as it is."""
    (tmp_path / "rules").write_bytes(b"a\r\n\xff\0")
    monkeypatch.setattr(sys, "stdin", Input(b"b\r\n\xfe"))

    assert file(str(tmp_path / "rules")) == b"a\r\n\xff\0"
    assert file("-") == b"b\r\n\xfe"


def test_what_cannot_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the name of it; an input that was closed when we were started has none."""
    monkeypatch.setattr(sys, "stdin", None)

    with pytest.raises(Failure, match=f"unable to read {tmp_path}: is a directory"):
        file(str(tmp_path))
    with pytest.raises(Failure, match=r"unable to read .*/none: file does not exist"):
        file(str(tmp_path / "none"))
    with pytest.raises(Failure, match="unable to read input: "):
        standard_input()


def test_the_name_of_standard_input(tmp_path: Path) -> None:
    """The last part of that of a file; a pipe, or nothing at all, has none."""
    (tmp_path / "tcp.smtp").write_bytes(b"")
    before = os.dup(0)
    reader, writer = os.pipe()
    names = []
    try:
        for fd in (os.open(tmp_path / "tcp.smtp", os.O_RDONLY), reader):
            os.dup2(fd, 0)
            os.close(fd)
            names.append(name_of_standard_input())
        os.close(0)
        names.append(name_of_standard_input())
    finally:
        os.dup2(before, 0)
        os.close(before)
        os.close(writer)

    assert names == [b"tcp.smtp", b"-", b"-"]
