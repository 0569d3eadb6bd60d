"""Dovecot is asked: Debian's own, and what may go wrong with one."""

import asyncio
import os
from base64 import b64encode
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import TypeVar

import pytest

from tests.support.answering import run
from tests.support.dovecot import Dovecot
from tests.support.unix_daemon import Serve, listening
from ucspi_py.core.auth.answer import Answer, Verdict
from ucspi_py.core.auth.credentials import Credentials, Peer
from ucspi_py.core.auth.place import InetPlace, Place, UnixPlace
from ucspi_py.system.auth import dovecot as module
from ucspi_py.system.auth.dovecot import DovecotChecker

T = TypeVar("T")

PEER = Peer(b"192.0.2.1", b"10.0.0.1", b"587", secured=True)
PLAIN = Credentials(b"PLAIN", b"joe", b"s3cret")
GREETING = b"VERSION\t1\t2\nMECH\tPLAIN\tplaintext\nSPID\t1\nCUID\t1\nCOOKIE\t00\nDONE\n"


@pytest.fixture(scope="module")
def dovecot() -> Iterator[Dovecot]:
    """With users of its own."""
    with Dovecot({"joe": "s3cret", "ann@example.org": "two words"}) as daemon:
        yield daemon


LOGINS = {
    (b"joe", b"s3cret"): Answer(Verdict.YES, b"joe"),
    (b"JOE", b"s3cret"): Answer(Verdict.YES, b"joe"),
    (b"joe", b"wrong"): Answer(Verdict.NO),
    (b"nobody", b"s3cret"): Answer(Verdict.NO),
    (b"ann@example.org", b"two words"): Answer(Verdict.YES, b"ann@example.org"),
    (b"j\toe\n", b"s3cret"): Answer(Verdict.NO),
    (b"j" * 255, b"p" * 255): Answer(Verdict.NO),
}


@pytest.mark.parametrize("mechanism", [b"PLAIN", b"LOGIN"])
def test_dovecot_says_who_a_client_is(dovecot: Dovecot, mechanism: bytes) -> None:
    """By either mechanism, and by Dovecot's own spelling."""

    async def work(checker: DovecotChecker) -> list[Answer]:
        return await asyncio.gather(*(checker.check(Credentials(mechanism, *login), PEER) for login in LOGINS))

    assert with_checker(UnixPlace(dovecot.path), work) == list(LOGINS.values())


def test_dovecot_may_be_asked_by_tcp(dovecot: Dovecot) -> None:
    """In a container of its own."""
    assert asked(InetPlace(dovecot.ip, dovecot.auth_port)) == Answer(Verdict.YES, b"joe")


def test_dovecot_logs_whose_password_was_wrong_and_never_the_password(dovecot: Dovecot) -> None:
    """Our client's address is in its log."""
    asked(UnixPlace(dovecot.path), PLAIN._replace(login=b"mallory", secret=b"wr0ng"))

    assert "passwd-file(mallory,192.0.2.1): unknown user" in dovecot.log()
    assert "wr0ng" not in dovecot.log()


def test_many_are_asked_about_at_once(dovecot: Dovecot) -> None:
    """Over one connection; each gets the answer to its own question."""

    async def work(checker: DovecotChecker) -> list[Answer]:
        secrets = [b"s3cret", b"wrong"] * 100
        before = len(os.listdir("/proc/self/fd"))
        answers = await asyncio.gather(*(checker.check(PLAIN._replace(secret=secret), PEER) for secret in secrets))
        assert len(os.listdir("/proc/self/fd")) < before + 10
        return answers

    verdicts = [answer.verdict for answer in with_checker(UnixPlace(dovecot.path), work)]
    assert verdicts == [Verdict.YES, Verdict.NO] * 100


def test_its_mechanisms_are_known_once_it_has_greeted(dovecot: Dovecot) -> None:
    """Those with a password."""

    async def work(checker: DovecotChecker) -> tuple[bytes, ...]:
        assert checker.mechanisms == ()
        while not checker.mechanisms:
            await asyncio.sleep(0.001)
        return checker.mechanisms

    assert with_checker(UnixPlace(dovecot.path), work) == (b"PLAIN", b"LOGIN")


def test_a_dovecot_that_has_ended_is_left_and_the_new_one_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """It would go on for the clients that it has, with the configuration of old, for ever."""
    monkeypatch.setattr(module, "_LIFE", 0.05)
    monkeypatch.setattr(module, "_PAUSE", 0.05)

    async def work(checker: DovecotChecker) -> list[Verdict]:
        first = await checker.check(PLAIN, PEER)
        own.end()
        while checker.mechanisms:
            await asyncio.sleep(0.01)
        second = await checker.check(PLAIN, PEER)
        own.start()
        third = await checker.check(PLAIN, PEER)
        return [first.verdict, second.verdict, third.verdict]

    with Dovecot({"joe": "s3cret"}) as own:
        assert with_checker(UnixPlace(own.path), work) == [Verdict.YES, Verdict.LATER, Verdict.YES]


def test_nobody_notices_that_the_connection_is_changed(dovecot: Dovecot, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever is asked about just then gets an answer, and AUTH is offered all the time."""
    monkeypatch.setattr(module, "_LIFE", 0.001)

    async def work(checker: DovecotChecker) -> set[Answer]:
        answers = {await checker.check(PLAIN, PEER)}
        for _ in range(20):
            assert checker.mechanisms == (b"PLAIN", b"LOGIN")
            answers |= set(await asyncio.gather(*(checker.check(PLAIN, PEER) for _ in range(10))))
        return answers

    assert with_checker(UnixPlace(dovecot.path), work) == {Answer(Verdict.YES, b"joe")}


def test_where_there_is_no_socket_it_is_no_refusal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The log says which one is missing."""
    monkeypatch.setattr(module, "_PAUSE", 0.01)
    path = f"{tmp_path}/auth"

    assert asked(UnixPlace(path)) == Answer(Verdict.LATER, b"", f"unable to ask {path}: file does not exist")


def test_where_nobody_listens_by_tcp_it_is_no_refusal(monkeypatch: pytest.MonkeyPatch) -> None:
    """The connection fails later."""
    monkeypatch.setattr(module, "_PAUSE", 0.01)

    assert asked(InetPlace("127.0.0.1", 1)) == Answer(
        Verdict.LATER, b"", "unable to ask inet:127.0.0.1:1: connection refused"
    )


def test_a_question_whose_connection_ends_is_asked_once_more(monkeypatch: pytest.MonkeyPatch) -> None:
    """Dovecot reloads; nobody notices."""
    monkeypatch.setattr(module, "_PAUSE", 0.01)
    connections = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.append(writer)
        writer.write(GREETING)
        await until_asked(reader)
        if len(connections) == 2:
            writer.write(b"OK\t1\tuser=joe\n")
            await reader.read()

    assert run(asked_of(serve)) == Answer(Verdict.YES, b"joe")
    assert len(connections) == 2


def test_but_not_forever(monkeypatch: pytest.MonkeyPatch) -> None:
    """Twice the same end is one."""
    monkeypatch.setattr(module, "_PAUSE", 0.01)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(GREETING)
        await until_asked(reader)

    answer = run(asked_of(serve))

    assert answer.verdict is Verdict.LATER
    assert answer.reason.endswith(" has closed the connection")


def test_what_speaks_another_protocol_is_no_refusal(monkeypatch: pytest.MonkeyPatch) -> None:
    """A path to the wrong socket."""
    monkeypatch.setattr(module, "_PAUSE", 0.01)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"* OK IMAP ready\r\n")
        await reader.read()

    answer = run(asked_of(serve))

    assert answer.verdict is Verdict.LATER
    assert answer.reason.endswith(": what listens there does not speak Dovecot's authentication protocol")


def test_a_silent_dovecot_is_waited_for_so_long_and_the_question_taken_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its database may hang; others are asked about meanwhile."""
    monkeypatch.setattr(module, "_PATIENCE", 0.2)
    heard = bytearray()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(GREETING)
        while line := await reader.readline():
            heard.extend(line)
            if line.startswith(b"AUTH\t2\t"):
                writer.write(b"OK\t2\tuser=ann\n")

    async def work() -> list[Answer]:
        async with listening(serve) as path:
            checker = DovecotChecker(asyncio.get_running_loop(), UnixPlace(path))
            answers = await asyncio.gather(checker.check(PLAIN, PEER), checker.check(PLAIN, PEER))
            while b"CANCEL" not in heard:
                await asyncio.sleep(0.001)
            checker.close()
            return list(answers)

    answers = run(work())

    assert [answer.verdict for answer in answers] == [Verdict.LATER, Verdict.YES]
    assert heard.endswith(b"CANCEL\t1\n")


def test_a_mechanism_that_dovecot_has_not_is_not_asked_with() -> None:
    """It may have been taken away since the client was told."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(GREETING)
        assert b"AUTH" not in await reader.read()

    answer = run(asked_of(serve, PLAIN._replace(mechanism=b"LOGIN")))

    assert answer.verdict is Verdict.LATER
    assert answer.reason.endswith(" has no mechanism LOGIN")


def test_a_dovecot_that_reads_nothing_is_not_written_to_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stopped, with all buffers full: what waits to be sent has a limit."""
    monkeypatch.setattr(module, "_PAUSE", 0.01)
    never = asyncio.Event()

    async def serve(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.transport.pause_reading()  # type: ignore[attr-defined]
        writer.write(GREETING)
        await never.wait()

    long = PLAIN._replace(secret=b"x" * 255)

    async def work() -> set[str]:
        async with listening(serve) as path:
            checker = DovecotChecker(asyncio.get_running_loop(), UnixPlace(path))
            answers = await asyncio.gather(*(checker.check(long, PEER) for _ in range(3000)))
            checker.close()
            never.set()
            return {answer.reason.removeprefix(path) for answer in answers}

    assert " takes no more questions" in run(work())


async def until_asked(reader: asyncio.StreamReader) -> None:
    """Until the question has come."""
    question = b64encode(b"\0joe\0s3cret")
    assert await reader.readuntil(b"resp=" + question + b"\n")


async def asked_of(serve: Serve, credentials: Credentials = PLAIN) -> Answer:
    """The answer of one of our own."""
    async with listening(serve) as path:
        checker = DovecotChecker(asyncio.get_running_loop(), UnixPlace(path))
        answer = await checker.check(credentials, PEER)
        checker.close()
        return answer


def asked(place: Place, credentials: Credentials = PLAIN) -> Answer:
    """The answer of the Dovecot there; nothing stays open."""
    before = len(os.listdir("/proc/self/fd"))
    answer = with_checker(place, lambda checker: checker.check(credentials, PEER))
    assert len(os.listdir("/proc/self/fd")) == before
    return answer


def with_checker(place: Place, work: Callable[[DovecotChecker], Awaitable[T]]) -> T:
    """What comes of the work with one."""

    async def whole() -> T:
        checker = DovecotChecker(asyncio.get_running_loop(), place)
        try:
            return await work(checker)
        finally:
            checker.close()

    return run(whole())
