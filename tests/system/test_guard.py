"""The guard checks passwords: every end of a checker has its answer, and none keeps it from the next."""

import asyncio
import os
import signal
import socket
from collections.abc import Awaitable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import pytest

from tests.support.guards import PEER, Checker, RunningGuard, guard, is_alive
from tests.support.waiting import until
from ucspi_py.core.auth.answer import Answer, Verdict
from ucspi_py.core.auth.credentials import Credentials
from ucspi_py.core.guard import request
from ucspi_py.core.guard.request import CheckAsked
from ucspi_py.core.guard.settings import GuardLimits, GuardSettings
from ucspi_py.system.guard import channel, client
from ucspi_py.system.guard.client import GuardChecker

T = TypeVar("T")

#: What a test that is not about limits never meets.
MANY = GuardLimits(failures_a_second=10_000, user_failures=10_000, client_failures=10_000)

#: Signals 32 and 33 in a mask (signal(7)): they are the C library's own.
GLIBCS = 0b11 << 31


@pytest.fixture
def checker(tmp_path: Path) -> Checker:
    return Checker(tmp_path)


@pytest.fixture
def settings(checker: Checker) -> GuardSettings:
    return GuardSettings(checker.argv, limits=MANY)


@pytest.fixture
def running(settings: GuardSettings) -> Iterator[RunningGuard]:
    with guard(settings) as running:
        yield running


def wait(work: Awaitable[T]) -> T:
    async def whole() -> T:
        return await work

    return asyncio.run(whole())


def asks(running: RunningGuard, login: bytes, password: bytes = b"right") -> socket.socket:
    """Ask, and wait for nothing; where the answer comes."""
    packet = request.encode(CheckAsked(Credentials(b"PLAIN", login, password), PEER))
    ours = channel.ask(running.channel, packet or b"")
    ours.settimeout(30)
    return ours


def test_every_end_has_its_answer(running: RunningGuard, settings: GuardSettings) -> None:
    """Right, wrong; vchkpw's number for wrong; try again later, misused, a crash."""
    checks = GuardChecker(running.channel, settings)
    tries = [
        (b"bob", b"right"),
        (b"bob", b"wrong"),
        *((login, b"x") for login in (b"exit3", b"exit111", b"exit2", b"crash")),
    ]

    async def all_of_them() -> list[Answer]:
        return [await checks.check(Credentials(b"PLAIN", *words), PEER) for words in tries]

    answers = wait(all_of_them())

    yes, no, later = Verdict.YES, Verdict.NO, Verdict.LATER
    assert [answer.verdict for answer in answers] == [yes, no, no, later, later, later]
    assert answers[0] == Answer(yes, b"bob")
    assert b"the checkpassword program exits 111 (client 192.0.2.1, user exit111)" in running.log
    assert b"killed by signal 11 (client 192.0.2.1, user crash)" in running.log


def test_what_no_checker_may_be_told_is_refused(
    running: RunningGuard, settings: GuardSettings, checker: Checker
) -> None:
    """513 bytes, a NUL within, nothing at all, a mechanism that is not its own: no checker runs."""
    long, nul = Credentials(b"PLAIN", b"a" * 255, b"b" * 255), Credentials(b"PLAIN", b"bob\0right\0", b"x")
    empty, other = Credentials(b"PLAIN", b"bob", b""), Credentials(b"CRAM-MD5", b"bob", b"0" * 32, b"<1@x>")
    longer = Credentials(b"LOGIN", b"a" * 256, b"right")
    checks = GuardChecker(running.channel, settings)

    for credentials in (long, nul, empty, other, longer):
        assert wait(checks.check(credentials, PEER)).verdict is Verdict.NO
    assert checker.asked == []


def test_a_checker_has_only_what_it_needs(running: RunningGuard, settings: GuardSettings, checker: Checker) -> None:
    """Its environment is made by us; of ours it has 0 to 2 alone, leaves no core, and has all signals as ever."""
    wait(GuardChecker(running.channel, settings).check(Credentials(b"PLAIN", b"show", b"x"), PEER))

    variables = {line.partition("=")[0] for line in checker.shown.splitlines() if "=" in line}
    assert variables - {"PWD", "OLDPWD"} == {"PATH", "PROTO", "TCPREMOTEIP", "TCPLOCALIP", "TCPLOCALPORT"}
    targets = dict(line.split(" -> ") for line in checker.shown.splitlines() if " -> " in line)
    fds = {int(name.split()[-1]): target for name, target in targets.items()}
    assert fds[0] == fds[1] == os.devnull
    assert fds[2].startswith("pipe:")
    assert {number for number, target in fds.items() if "socket" in target or "memfd" in target} == set()
    assert "Max core file size 0 0" in " ".join(checker.shown.split())
    assert "Max cpu time 5 5" in " ".join(checker.shown.split())
    masks = [int(line.split()[1], 16) for line in checker.shown.splitlines() if line.startswith("Sig")]
    assert [mask & ~GLIBCS for mask in masks] == [0, 0]


def test_a_hanging_checker_is_killed_with_its_group(checker: Checker) -> None:
    """Nobody can tell, after the time that it has; then there is room for the next."""
    limits = GuardLimits(at_once=1, check_seconds=0.3)
    with guard(GuardSettings(checker.argv, limits=limits)) as running:
        checks = GuardChecker(running.channel, GuardSettings(checker.argv, limits=limits))
        assert wait(checks.check(Credentials(b"PLAIN", b"hang", b"x"), PEER)).verdict is Verdict.LATER
        assert wait(checks.check(Credentials(b"PLAIN", b"bob", b"right"), PEER)).verdict is Verdict.YES
        until(lambda: not any(is_alive(pid) for pid in checker.hanging), "the group to be gone")
        assert b"the checkpassword program took too long (client 192.0.2.1, user hang)" in running.log


def test_the_ninth_waits_and_the_sixty_fifth_that_waits_is_sent_away(running: RunningGuard, checker: Checker) -> None:
    """8 run, 64 wait; when one ends the first of those that wait has its turn."""
    hanging = [asks(running, b"hang") for _ in range(8)]
    until(lambda: len(checker.hanging) == 16, "all to run")
    waiting = [asks(running, b"bob") for _ in range(64)]
    with asks(running, b"bob") as one_too_many:
        assert one_too_many.recv(9) == b"T"
    assert checker.asked == ["hang"] * 8

    os.kill(checker.hanging[0], signal.SIGKILL)
    assert [answer.recv(9) for answer in waiting] == [b"Y"] * 64
    for answer in (*hanging, *waiting):
        answer.close()


def test_who_waits_too_long_is_sent_away(checker: Checker) -> None:
    """Though the one before it may still run."""
    limits = GuardLimits(at_once=1, waiting_seconds=0.2)
    with guard(GuardSettings(checker.argv, limits=limits)) as running:
        with asks(running, b"hang"), asks(running, b"bob") as answer:
            assert answer.recv(9) == b"T"
        assert checker.asked == ["hang"]


def test_a_check_whose_worker_is_gone_is_not_made(running: RunningGuard, checker: Checker) -> None:
    """And one that runs harms nobody when it ends."""
    hanging = [asks(running, b"hang") for _ in range(8)]
    until(lambda: len(checker.hanging) == 16, "all to run")
    asks(running, b"alice").close()
    for answer in hanging:
        answer.close()

    with asks(running, b"bob") as last:
        os.kill(checker.hanging[0], signal.SIGKILL)
        assert last.recv(9) == b"Y"
    assert checker.asked == ["hang"] * 8 + ["bob"]


def test_wrong_passwords_are_limited_whoever_says_so(checker: Checker) -> None:
    """5 of one user in a minute; the sixth is not asked about, and the log says so; others are."""
    with guard(GuardSettings(checker.argv)) as running:
        answers = []
        for login in [b"bob"] * 7 + [b"alice"]:
            with asks(running, login, b"right" if login == b"alice" else b"wrong") as answer:
                answers.append(answer.recv(9))
        assert answers == [b"N"] * 5 + [b"T"] * 2 + [b"Y"]
        assert checker.asked == ["bob"] * 5 + ["alice"]
        assert running.log.count(b"too many wrong passwords of this user") == 1


def test_no_password_is_in_the_log(running: RunningGuard, settings: GuardSettings) -> None:
    """Nor in what a traceback would show of credentials."""
    for login in (b"exit111", b"crash", b"bob"):
        credentials = Credentials(b"PLAIN", login, b"pa55word")
        wait(GuardChecker(running.channel, settings).check(credentials, PEER))
        assert "pa55word" not in repr(credentials)
    assert b"pa55word" not in running.log


def test_a_checker_that_is_gone_lets_nobody_in(
    running: RunningGuard, settings: GuardSettings, checker: Checker
) -> None:
    """Nobody can tell, and the log says why."""
    os.unlink(checker.argv[0])

    answer = wait(GuardChecker(running.channel, settings).check(Credentials(b"PLAIN", b"bob", b"right"), PEER))

    assert answer.verdict is Verdict.LATER
    assert b"unable to run %s: file does not exist" % checker.argv[0].encode() in running.log


def test_without_a_guard_nobody_is_let_in(running: RunningGuard, settings: GuardSettings) -> None:
    """It offers no mechanism any more, and whoever asks all the same is told to come later."""
    checks = GuardChecker(running.channel, settings)
    assert checks.mechanisms == (b"PLAIN", b"LOGIN")
    os.kill(running.pid, signal.SIGKILL)

    until(lambda: checks.mechanisms == (), "the end to be seen")
    answer = wait(checks.check(Credentials(b"PLAIN", b"bob", b"right"), PEER))
    assert answer == Answer(Verdict.LATER, reason="unable to ask the guard: broken pipe")


def test_a_guard_killed_during_a_check_answers_nobody(
    running: RunningGuard, settings: GuardSettings, checker: Checker
) -> None:
    """Who waits is told at once."""

    async def killed_meanwhile() -> Answer:
        checks = GuardChecker(running.channel, settings)
        check = asyncio.ensure_future(checks.check(Credentials(b"PLAIN", b"hang", b"x"), PEER))
        await asyncio.to_thread(until, lambda: len(checker.hanging) == 2)
        os.kill(running.pid, signal.SIGKILL)
        return await check

    try:
        assert wait(killed_meanwhile()).verdict is Verdict.LATER
    finally:
        os.killpg(checker.hanging[0], signal.SIGKILL)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGALRM, signal.SIGUSR1])
def test_no_signal_but_kill_ends_it(running: RunningGuard, settings: GuardSettings, number: int) -> None:
    """Those that have its end of the channel end it: when the last is gone, so is it."""
    os.kill(running.pid, number)

    assert (
        wait(GuardChecker(running.channel, settings).check(Credentials(b"PLAIN", b"bob", b"right"), PEER))[1] == b"bob"
    )
    assert running.end() == 0


def test_what_hangs_ends_with_the_guard(running: RunningGuard, checker: Checker) -> None:
    """Nobody would kill it in time any more."""
    with asks(running, b"hang"):
        until(lambda: len(checker.hanging) == 2, "it to run")

    assert running.end() == 0
    until(lambda: not any(is_alive(pid) for pid in checker.hanging), "the group to be gone")


def test_a_guard_that_is_stopped_is_not_waited_for(
    running: RunningGuard, settings: GuardSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody can tell, after the time in which it should have answered."""
    monkeypatch.setattr(client, "_MARGIN", 0.1)
    hasty = replace(settings, limits=GuardLimits(waiting_seconds=0.0, check_seconds=0.0))
    os.kill(running.pid, signal.SIGSTOP)
    try:
        answer = wait(GuardChecker(running.channel, hasty).check(Credentials(b"PLAIN", b"bob", b"right"), PEER))
    finally:
        os.kill(running.pid, signal.SIGCONT)

    assert answer == Answer(Verdict.LATER, reason="the guard takes too long")
