"""The rows of a fleet: what it costs a worker, and a client, to be held against limits over several hosts."""

import time
from typing import NamedTuple

from effort import Effort
from findings import Bar, Finding
from workshop import Spoiled, Workshop

from rows.gate_greylist import redis
from ucspi_py.core.client.limits import ClientLimits
from ucspi_py.core.metrics.asked import Went
from ucspi_py.system.fleet.fleet import Fleet
from ucspi_py.system.process.loop import new_loop
from ucspi_py.system.report.log import QUIET, Log
from ucspi_py.system.report.tasks import Tasks

_TIME, _WORK = Bar("<=", 1.5, "ms"), Bar("<=", 150, "us")
_LOOKUPS, _WARM = 5_000, 200
_LIMITS = ClientLimits(per_client=20, per_network=100, arrivals=60)


class _Taken(NamedTuple):
    """What clients took, one after the other. seconds: of each. work: processor seconds of all."""

    seconds: list[float]
    work: float


def lookups(workshop: Workshop, _effort: Effort) -> list[Finding]:
    """Milliseconds until 99 of 100 clients are let in, with all limits, and microseconds of the worker for each."""
    with redis(workshop) as url:
        taken = _timed(url)
    took = sorted(1000 * seconds for seconds in taken.seconds)
    slow, work = took[len(took) * 99 // 100], 1e6 * taken.work / len(took)
    note = f"half of them within {took[len(took) // 2]:.2f} ms"
    return [
        Finding("fleet", "a client held against limits of a fleet, p99", "ms", slow, None, None, slow, _TIME, note),
        Finding("fleet-work", "what that takes a worker", "us", work, None, None, work, _WORK),
    ]


def _timed(url: str) -> _Taken:
    loop = new_loop()
    tasks = Tasks(loop, _fail, lambda: None)
    try:
        return loop.run_until_complete(_come(url, tasks))
    finally:
        loop.close()


async def _come(url: str, tasks: Tasks) -> _Taken:
    """Have clients come, one after the other. Raises Spoiled where the store is not asked about one."""
    fleet = Fleet(url, tasks, Log(QUIET), _heard)
    seconds, work = [], 0.0
    for number in range(_WARM + _LOOKUPS):
        if number == _WARM:
            work = time.process_time()
        begin = time.perf_counter()
        excess = await fleet.enter(_LIMITS, b"10.%d.%d.%d" % (number % 251, number // 251 % 256, number % 199), number)
        seconds.append(time.perf_counter() - begin)
        if excess:
            raise Spoiled(f"a client is turned away: {excess.reason!r}")
    work = time.process_time() - work
    await fleet.close()
    return _Taken(seconds[_WARM:], work)


def _heard(went: Went, _seconds: float) -> None:
    if went is not Went.ANSWERED:
        raise Spoiled(f"a question to the store: {went}")


def _fail(what: str) -> None:
    raise Spoiled(what)
