"""The event that workers share: those that wait are woken, and only those."""

import asyncio
import os
from functools import partial

import pytest

from ucspi_py.system.accept.vacancies import Vacancies
from ucspi_py.system.process.loop import new_loop

pytestmark = pytest.mark.skipif(not hasattr(os, "eventfd"), reason="the system has no events")


def test_who_waits_is_woken_once_by_whoever_makes_room() -> None:
    """In another process, too; each tell() is one call in every worker, and without wait() there is none."""
    vacancies = Vacancies()
    loops = [new_loop(), new_loop()]
    calls = [0, 0]

    def note(number: int) -> None:
        calls[number] += 1

    for number, loop in enumerate(loops):
        assert vacancies.watch(loop, partial(note, number))

    def turn() -> list[int]:
        for loop in loops:
            loop.run_until_complete(asyncio.sleep(0.001))
        told, calls[:] = calls.copy(), [0, 0]
        return told

    vacancies.tell()
    assert turn() == [0, 0]

    vacancies.wait()
    pid = os.fork()
    if not pid:
        vacancies.tell()
        vacancies.tell()
        os._exit(0)
    os.waitpid(pid, 0)
    assert turn() == [1, 1]

    vacancies.tell()
    assert turn() == [0, 0]
    vacancies.tell(always=True)
    assert turn() == [1, 1]
    for loop in loops:
        loop.close()


def test_a_loop_without_edges_says_so() -> None:
    """Whoever waits then has to look again and again."""
    loop = asyncio.SelectorEventLoop()
    assert not Vacancies().watch(loop, lambda: None)
    loop.close()
