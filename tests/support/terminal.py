"""A terminal of a test."""

import contextlib


def everything(terminal: int) -> bytes:
    """What was written to a terminal whose other end is closed: it comes in pieces, and then as an error.

    Closes the descriptor.
    """
    seen = b""
    with open(terminal, "rb", buffering=0) as stream, contextlib.suppress(OSError):
        while piece := stream.read(4096):
            seen += piece
    return seen
