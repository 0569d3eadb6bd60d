"""Rules on disk, written by temporary file and rename. Never decides what stands in them."""

import os
import struct
from collections.abc import Iterable

from ...core.errors import Failure, unable
from .checked_cdb import CheckedWriter


def write(path: str, temporary: str, records: Iterable[tuple[bytes, bytes]]) -> None:
    """Compile records into ``temporary`` and move it to ``path``: a reader sees the old file or the new one.

    path: the compiled file. temporary: a file on the same file system, overwritten. records: keys and values, in the
    order in which they are to be stored. Raises Failure with tcprules' sentence, and whatever ``records`` raises; then
    the old file is untouched and the temporary one is left behind, as tcprules does (tcprules.c).
    """
    try:
        fd = os.open(temporary, os.O_WRONLY | os.O_NONBLOCK | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o644)
    except OSError as error:
        raise unable(f"create {temporary}", error) from None
    try:
        with open(fd, "wb") as file:
            writer = CheckedWriter(file)
            writer.put_all(records)
            writer.finalize()
            file.flush()
            os.fsync(fd)
    except OSError as error:
        raise unable(f"write to {temporary}", error) from None
    except (OverflowError, struct.error):
        # cdb_make.c says "out of memory" here.
        raise Failure(f"unable to write to {temporary}: file too big") from None
    try:
        os.rename(temporary, path)
    except OSError as error:
        raise unable(f"move {temporary} to {path}", error) from None
    _sync_folder(path)


def _sync_folder(path: str) -> None:
    """The rename itself must survive a crash; a folder that cannot be synced is no reason to fail."""
    try:
        fd = os.open(os.path.dirname(path) or ".", os.O_RDONLY | os.O_DIRECTORY)
    except OSError:
        return
    try:
        os.fsync(fd)
    except OSError:
        pass
    finally:
        os.close(fd)
