"""A directory that is an access list -> the files in it. Never looks at what is in them."""

import os
import stat
from collections.abc import Iterator

from ...core.errors import unable
from ...core.importers.folder_entry import FolderEntry


def files(path: str) -> list[FolderEntry]:
    """Read every regular file below a directory. Raises Failure ``unable to read PATH: reason``."""
    try:
        return list(_files(path, ""))
    except OSError as error:
        raise unable(f"read {error.filename or path}", error) from None


def _files(path: str, below: str) -> Iterator[FolderEntry]:
    with os.scandir(path) as entries:
        for entry in entries:
            name = f"{below}{entry.name}"
            if entry.is_dir():
                yield from _files(entry.path, f"{name}/")
            elif entry.is_file():
                mode = stat.S_IMODE(entry.stat().st_mode)
                yield FolderEntry(name, mode, _content(entry.path, mode))


def _content(path: str, mode: int) -> bytes:
    """Read a file; one that its owner cannot read either is empty: there the mode is the message."""
    if not mode & stat.S_IRUSR:
        return b""
    with open(path, "rb") as file:
        return file.read()
