"""What is odd in the environment of a server: every program inherits it. Never reads it."""

from collections.abc import Iterator, Mapping

from ..lint.variable import odd_numbers


def oddities(environment: Mapping[bytes, bytes]) -> Iterator[str]:
    """Yield a sentence about each variable that does other than its author most likely thinks."""
    if b"RELAYCLIENT" in environment:
        yield "RELAYCLIENT is set in the environment of the server: every client may relay"
    for sentence in odd_numbers(environment.items()):
        yield f"{sentence}, in the environment of the server"
