"""A pytest plugin that runs the files of tests in three processes side by side, and tells of them as of one run.

    pytest -p tests.support.side_by_side

Each process takes the next file when it has done one. Those that are marked ``alone``, because they measure or need
much, come when all others are done. The processes are forks of one that runs no test: none of them has a thread or a
child that a test does not expect, as those of pytest-xdist have.
"""

import contextlib
import multiprocessing
import os
import random
from collections.abc import Iterator, Sequence
from itertools import groupby
from multiprocessing.connection import Connection, wait
from typing import NamedTuple

import pytest

#: Tests wait for longer than they work, for clocks and for other processes: three keep two CPUs busy.
_PROCESSES = 3
#: Bytes of the number of a file.
_TICKET = 2

File = Sequence[pytest.Item]


class Worker(NamedTuple):
    """A process that runs tests. end: readable once it has ended. told: the reports of a file at a time, then None."""

    pid: int
    end: int
    told: Connection


class Reports:
    """What becomes of the tests of a file, as values that can be told to another process."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self.all: list[object] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep it."""
        self.all.append(self._config.hook.pytest_report_to_serializable(config=self._config, report=report))


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> bool | None:
    """Run all that was collected; None: pytest shall do it itself, in one process."""
    options = session.config.option
    if session.testsfailed or options.collectonly or options.usepdb or options.capture == "no":
        return None
    files = [list(file) for _, file in groupby(session.items, lambda item: item.path)]
    if _run(session, [file for file in files if not _is_alone(file)], _PROCESSES):
        _run(session, [file for file in files if _is_alone(file)], 1)
    return True


def _is_alone(file: File) -> bool:
    return any(item.get_closest_marker("alone") for item in file)


def _run(session: pytest.Session, files: Sequence[File], count: int) -> bool:
    """Run files in so many processes. False in those, which have nothing else to do."""
    tickets, dealer = os.pipe()
    os.write(dealer, b"".join(number.to_bytes(_TICKET, "big") for number in range(len(files))))
    os.close(dealer)
    workers = []
    for _ in range(min(count, len(files))):
        told, teller = multiprocessing.Pipe(duplex=False)
        session.config.get_terminal_writer().flush()
        pid = os.fork()
        if not pid:
            _work(session, _taken(files, tickets), teller)
            return False
        teller.close()
        workers.append(Worker(pid, os.pidfd_open(pid), told))
    try:
        _listen(session, workers)
    finally:
        codes = _end(workers, tickets)
    if any(codes) and not session.testsfailed:
        raise RuntimeError(f"processes of tests have ended with {codes}, though nothing has failed")
    return True


def _taken(files: Sequence[File], tickets: int) -> Iterator[File]:
    """One file after the other that nobody else has taken: what is read from a pipe is read once."""
    while ticket := os.read(tickets, _TICKET):
        yield files[int.from_bytes(ticket, "big")]


def _work(session: pytest.Session, files: Iterator[File], teller: Connection) -> None:
    """Run the tests of files, and tell of each file when it is done; what is printed is for nobody."""
    random.seed()
    _capture_anew(session.config)
    reports = Reports(session.config)
    session.config.pluginmanager.register(reports)
    items = (item for file in files for item in file)
    item = next(items, None)
    with contextlib.closing(teller):
        try:
            while item:
                following = next(items, None)
                item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
                if not following or following.path != item.path:
                    teller.send(reports.all)
                    reports.all = []
                _stop_where_told(session)
                item = following
        finally:
            teller.send(reports.all)
            teller.send(None)


def _capture_anew(config: pytest.Config) -> None:
    """A fork shares the files of its parent into which pytest has tests print."""
    capture = config.pluginmanager.get_plugin("capturemanager")
    assert capture is not None
    capture.stop_global_capturing()
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.close(nowhere)
    capture.start_global_capturing()
    capture.suspend_global_capture()


def _listen(session: pytest.Session, workers: Sequence[Worker]) -> None:
    """Pass on what processes tell, until each has said its last word."""
    going = list(workers)
    while going:
        wait([end for worker in going for end in (worker.told, worker.end)])
        going = [worker for worker in going if _is_heard(session, worker)]


def _end(workers: Sequence[Worker], tickets: int) -> list[int]:
    """Wait for the end of processes, and give their exit codes; told to stop early, each ends with the file it has."""
    while os.read(tickets, _TICKET):
        pass
    os.close(tickets)
    codes = []
    for worker in workers:
        worker.told.close()
        codes.append(os.waitstatus_to_exitcode(os.waitpid(worker.pid, 0)[1]))
        os.close(worker.end)
    return codes


def _is_heard(session: pytest.Session, worker: Worker) -> bool:
    """Pass on what it tells, if it does. False after its last word."""
    has_ended = bool(wait([worker.end], 0))
    if not worker.told.poll() and not has_ended:
        return True
    told = _word(worker)
    if told is None:
        return False
    _pass_on(session, told)
    _stop_where_told(session)
    return True


def _word(worker: Worker) -> list[object] | None:
    """What it tells next. Its own programs may hold its pipe open when it is gone."""
    if worker.told.poll():
        with contextlib.suppress(EOFError):
            told: list[object] | None = worker.told.recv()
            return told
    raise RuntimeError("a process of tests has ended without its last word")


def _pass_on(session: pytest.Session, told: Sequence[object]) -> None:
    """Tell pytest of tests as if they had run here."""
    hook = session.config.hook
    for one in told:
        report = hook.pytest_report_from_serializable(config=session.config, data=one)
        if report.when == "setup":
            hook.pytest_runtest_logstart(nodeid=report.nodeid, location=report.location)
        hook.pytest_runtest_logreport(report=report)
        if report.when == "teardown":
            hook.pytest_runtest_logfinish(nodeid=report.nodeid, location=report.location)


def _stop_where_told(session: pytest.Session) -> None:
    """Stop as pytest's own loop does (-x, pytest.exit)."""
    if session.shouldfail:
        raise session.Failed(session.shouldfail)
    if session.shouldstop:
        raise session.Interrupted(session.shouldstop)
