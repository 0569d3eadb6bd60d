"""Ids of questions: nobody can tell them in advance, and no two workers draw the same ones."""

import os
from itertools import pairwise

from ucspi_py.system.lookup import query_ids as chance


def test_numbers_cannot_be_told_in_advance() -> None:
    """They neither count nor come again, and use all sixteen bits."""
    numbers = [chance.random_number() for _ in range(4 * chance._AT_A_TIME)]

    assert len({later - earlier for earlier, later in pairwise(numbers)}) > chance._AT_A_TIME
    assert min(numbers) < 1000
    assert max(numbers) > 64000
    assert numbers[: chance._AT_A_TIME] != numbers[chance._AT_A_TIME : 2 * chance._AT_A_TIME]


def test_workers_draw_different_numbers() -> None:
    """What was drawn from the system before the fork is used by none of them."""
    chance.random_number()  # there is a store now

    drawn = [_in_a_child() for _ in range(2)]
    drawn.append(b"".join(chance.random_number().to_bytes(2, "big") for _ in range(100)))

    assert len(set(drawn)) == 3


def _in_a_child() -> bytes:
    """A hundred numbers of another process."""
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        os.write(writer, b"".join(chance.random_number().to_bytes(2, "big") for _ in range(100)))
        os._exit(0)
    os.close(writer)
    os.waitpid(child, 0)
    with open(reader, "rb") as pipe:
        return pipe.read()
