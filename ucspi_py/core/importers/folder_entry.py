"""A file of a directory that is an access list. Whoever reads the directory fills it in."""

from typing import NamedTuple


class FolderEntry(NamedTuple):
    """A file. path: below the directory, with slashes. mode: its permission bits. content: all of it."""

    path: str
    mode: int
    content: bytes
