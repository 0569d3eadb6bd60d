"""saslauthd is asked: Debian's own, and what may go wrong with one."""

import asyncio
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.answering import run
from tests.support.saslauthd import Saslauthd
from tests.support.unix_daemon import Serve, listening
from tests.support.waiting import until
from ucspi_py.core.auth.answer import Answer, Verdict
from ucspi_py.core.auth.credentials import Credentials, Peer
from ucspi_py.core.auth.place import UnixPlace
from ucspi_py.system.auth import saslauthd as module
from ucspi_py.system.auth.saslauthd import SaslauthdChecker

PEER = Peer(b"192.0.2.1", b"10.0.0.1", b"25", secured=True)
PLAIN = Credentials(b"PLAIN", b"joe", b"s3cret")


@pytest.fixture(scope="module")
def saslauthd() -> Iterator[Saslauthd]:
    """With -r it asks about login@realm as one."""
    with Saslauthd({"joe": "s3cret", "ann@example.org": "two words", "é": '"\\'}, "-r") as daemon:
        yield daemon


@pytest.mark.parametrize(
    ("login", "secret", "verdict"),
    [
        ("joe", "s3cret", Verdict.YES),
        ("joe", "wrong", Verdict.NO),
        ("nobody", "s3cret", Verdict.NO),
        ("ann@example.org", "two words", Verdict.YES),
        ("ann@example.net", "two words", Verdict.NO),
        ("é", '"\\', Verdict.YES),
        ("j" * 255, "p" * 255, Verdict.NO),
    ],
)
def test_saslauthd_says_who_a_client_is(saslauthd: Saslauthd, login: str, secret: str, verdict: Verdict) -> None:
    """By login, realm and password."""
    assert asked(saslauthd.path, Credentials(b"PLAIN", login.encode(), secret.encode())).verdict is verdict


def test_a_login_without_a_realm_has_the_servers(saslauthd: Saslauthd) -> None:
    """And is known by both from then on."""
    checker = SaslauthdChecker(UnixPlace(saslauthd.path), realm=b"example.org")

    answer = run(checker.check(PLAIN._replace(login=b"ann", secret=b"two words"), PEER))

    assert answer == Answer(Verdict.YES, b"ann@example.org")


def test_many_are_asked_about_at_once(saslauthd: Saslauthd) -> None:
    """More than it has processes, and than wait in its queue; each gets the answer to its own question."""

    async def work() -> list[Answer]:
        checker = SaslauthdChecker(UnixPlace(saslauthd.path))
        secrets = [b"s3cret", b"wrong"] * 50
        return await asyncio.gather(*(checker.check(PLAIN._replace(secret=secret), PEER) for secret in secrets))

    assert [answer.verdict for answer in run(work())] == [Verdict.YES, Verdict.NO] * 50


def test_a_saslauthd_that_is_started_anew_is_asked_again() -> None:
    """Nothing is kept of the one before."""
    with Saslauthd({"joe": "s3cret"}) as saslauthd:
        saslauthd.end()
        away = asked(saslauthd.path)
        saslauthd.start()
        assert (away.verdict, asked(saslauthd.path).verdict) == (Verdict.LATER, Verdict.YES)


def test_where_there_is_no_socket_it_is_no_refusal(tmp_path: Path) -> None:
    """The log says which one is missing."""
    path = f"{tmp_path}/mux"

    assert asked(path) == Answer(Verdict.LATER, b"", f"unable to ask {path}: file does not exist")


def test_what_has_no_form_in_its_protocol_is_refused_unasked(tmp_path: Path) -> None:
    """A password with a NUL."""
    answer = asked(f"{tmp_path}/mux", PLAIN._replace(secret=b"\0"))

    assert answer == Answer(Verdict.NO, b"", "saslauthd takes no such login or password")


@pytest.mark.parametrize("said", [b"", b"\0", b"\0\5NO", b"\0\0", b"\0\3BAD"])
def test_half_an_answer_is_none(said: bytes) -> None:
    """saslauthd was killed over it."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(21)
        writer.write(said)

    assert run(asked_of(serve)).verdict is Verdict.LATER


def test_a_silent_saslauthd_is_waited_for_so_long_and_left_with_nothing_open(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """PAM may hang for hours."""
    monkeypatch.setattr(module, "_PATIENCE", 0.05)
    ended = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        await reader.read()
        ended.set()

    async def work() -> Answer:
        async with listening(serve) as path:
            answer = await SaslauthdChecker(UnixPlace(path)).check(PLAIN, PEER)
            await ended.wait()
            return answer._replace(reason=answer.reason.removeprefix(path))

    assert run(work()) == Answer(Verdict.LATER, b"", " took too long")


def test_a_saslauthd_with_a_full_queue_is_tried_again(full_queue: socket.socket) -> None:
    """unix(7): EAGAIN, at once; a client is not sent away for that."""

    async def work() -> Answer:
        loop = asyncio.get_running_loop()
        check = loop.create_task(SaslauthdChecker(UnixPlace(full_queue.getsockname())).check(PLAIN, PEER))
        await asyncio.sleep(0)  # it has been told so
        full_queue.accept()[0].close()
        daemon, _address = await loop.sock_accept(full_queue)
        with daemon:
            await loop.sock_sendall(daemon, b"\0\2OK")
            return await check

    assert run(work()).verdict is Verdict.YES


def test_but_not_forever(full_queue: socket.socket, monkeypatch: pytest.MonkeyPatch) -> None:
    """It may hang."""
    monkeypatch.setattr(module, "_PATIENCE", 0.2)
    path = full_queue.getsockname()

    assert asked(path) == Answer(Verdict.LATER, b"", f"{path} took too long")


@pytest.fixture
def full_queue(tmp_path: Path) -> Iterator[socket.socket]:
    """A socket whose queue of clients is full."""
    with socket.socket(socket.AF_UNIX) as listener, socket.socket(socket.AF_UNIX) as client:
        listener.bind(f"{tmp_path}/mux")
        listener.listen(0)
        listener.setblocking(False)
        client.connect(f"{tmp_path}/mux")
        yield listener


def asked(path: str, credentials: Credentials = PLAIN) -> Answer:
    """The answer of the saslauthd there; nothing stays open, once its IMAP server here has closed what it has."""
    before = len(os.listdir("/proc/self/fd"))
    answer = run(SaslauthdChecker(UnixPlace(path)).check(credentials, PEER))
    until(lambda: len(os.listdir("/proc/self/fd")) <= before, "all to be closed")
    return answer


async def asked_of(serve: Serve) -> Answer:
    """The answer of one of our own."""
    async with listening(serve) as path:
        return await SaslauthdChecker(UnixPlace(path)).check(PLAIN, PEER)
