"""What systemd is told of a service."""

import pytest

from ucspi_py.core.service import notify
from ucspi_py.core.service.worker_slot import Worker, WorkerSlot, forked, stood, to_be_relieved

SERVES = WorkerSlot(serving=Worker(5, 0.0))


def test_all_is_complete_when_nobody_is_to_follow() -> None:
    """A worker that is forked does not serve yet; one that is to be relieved serves with what was."""
    coming = forked(WorkerSlot(), 5, 0.0)
    relieved = forked(to_be_relieved(SERVES), 6, 0.0)

    assert notify.is_complete([SERVES, stood(coming, 5)[0], stood(relieved, 6)[0]])
    for slot in (WorkerSlot(), coming, to_be_relieved(SERVES), relieved):
        assert not notify.is_complete([SERVES, slot])


def test_all_are_alive_when_each_that_serves_has_said_so() -> None:
    """One that leaves need not; a slot without any is no sign of life."""
    other = WorkerSlot(serving=Worker(6, 0.0), coming=Worker(7, 0.0))

    assert notify.are_alive([SERVES, other], {5, 6})
    assert not notify.are_alive([SERVES, other], {5, 7})
    assert not notify.are_alive([SERVES, WorkerSlot()], {5})


@pytest.mark.parametrize(
    ("environment", "seconds"),
    [
        ({}, None),
        ({"WATCHDOG_USEC": "20000000"}, 5.0),
        ({"WATCHDOG_USEC": "20000000", "WATCHDOG_PID": "7"}, 5.0),
        ({"WATCHDOG_USEC": "20000000", "WATCHDOG_PID": "8"}, None),
        ({"WATCHDOG_USEC": "0"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
    ],
)
def test_workers_give_signs_of_life_four_times_as_often_as_they_are_awaited(
    environment: dict[str, str], seconds: float | None
) -> None:
    """Without a watchdog they give none."""
    assert notify.beat_seconds(environment, 7) == seconds


def test_a_reload_says_when_it_began() -> None:
    """In microseconds of the monotonic clock (Type=notify-reload)."""
    assert notify.reloading(1_234_567_890) == b"RELOADING=1\nMONOTONIC_USEC=1234567\nSTATUS=new workers follow"
