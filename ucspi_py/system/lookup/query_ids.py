"""Unpredictable numbers for query ids (RFC 5452, 9.2), drawn from the system some thousands at a time. Never seeded."""

import os
import struct
from collections.abc import Iterator

#: Numbers of one system call, 4 KB, so that a query costs none of its own.
_AT_A_TIME = 2048


def _numbers() -> Iterator[int]:
    while True:
        yield from struct.unpack(f"={_AT_A_TIME}H", os.urandom(2 * _AT_A_TIME))


_source = _numbers()


def random_number() -> int:
    """Draw a number from 0 to 65535."""
    return next(_source)


def _begin_anew() -> None:
    global _source  # noqa: PLW0603
    _source = _numbers()


# What is left in store after a fork must not be drawn by two processes.
os.register_at_fork(after_in_child=_begin_anew)
