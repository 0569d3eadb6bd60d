"""A file of a directory that is an access list. Never reads the directory."""

from typing import NamedTuple


class FolderEntry(NamedTuple):
    """A file. path: below the directory, with slashes. mode: its permission bits (chmod(2)). content: all of it."""

    path: str
    mode: int
    content: bytes
