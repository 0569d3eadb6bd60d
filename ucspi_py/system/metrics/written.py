"""The numbers in a file, for node_exporter's textfile collector. Never gathers them."""

import contextlib
import os

from ...core.errors import unable


def write(path: str, text: bytes) -> None:
    """Write a file whole: whoever reads it finds all of the old text, or all of the new. Raises Failure."""
    fresh = f"{path}.new"  # not .prom, which the collector would read
    try:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(fresh)
        fd = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)
        with os.fdopen(fd, "wb") as file:
            file.write(text)
        os.rename(fresh, path)
    except OSError as error:
        raise unable(f"write {path}", error) from None
