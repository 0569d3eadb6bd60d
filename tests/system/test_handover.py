"""To whom a handover is, found in the environment."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from ucspi_py.core.errors import Failure
from ucspi_py.core.service.handover import VARIABLE, Handover
from ucspi_py.system.supervisor import handover


@contextmanager
def given(monkeypatch: pytest.MonkeyPatch, handed: Handover) -> Iterator[None]:
    """Our environment names it."""
    fd = handover.written(handed)
    try:
        monkeypatch.setenv(VARIABLE, str(fd))
        yield
    finally:
        os.close(fd)


def to(pid: int, *, trial: bool) -> Handover:
    """A handover to a process, or to the trial of its program."""
    return Handover(pid, trial, (3,), 4, (), (), ())


@pytest.fixture
def ended() -> int:
    """The process id of nobody."""
    process = subprocess.Popen(["true"])
    process.wait()
    return process.pid


def test_what_is_ours_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    """By the process itself, and by a trial that its parent has begun."""
    for handed in (to(os.getpid(), trial=False), to(os.getppid(), trial=True)):
        with given(monkeypatch, handed):
            assert handover.taken() == handed


def test_what_is_another_ones_is_left(ended: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A child of a server finds it, too, and starts as ever."""
    with given(monkeypatch, to(ended, trial=False)):
        assert handover.taken() is None


def test_a_trial_whose_server_has_ended_does_not_start(ended: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """It would serve where the next start wants to, and no supervisor would know of it."""
    with given(monkeypatch, to(ended, trial=True)), pytest.raises(Failure, match="has ended"):
        handover.taken()
