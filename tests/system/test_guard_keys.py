"""Keys come from the guard, sealed, whenever their files have changed; a worker may not read these."""

import asyncio
import contextlib
import fcntl
import os
import signal
import ssl
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from tests.support.certificates import Authority
from tests.support.guards import PEER, RunningGuard, guard
from tests.support.waiting import until
from ucspi_py.core.auth.credentials import Credentials
from ucspi_py.core.errors import AskedWrongly, Failure
from ucspi_py.core.guard import request
from ucspi_py.core.guard.request import CheckAsked
from ucspi_py.core.guard.settings import GuardSettings
from ucspi_py.core.tls.settings import Pair
from ucspi_py.system.guard import channel
from ucspi_py.system.guard.key_client import GuardKeys


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


@pytest.fixture
def pairs(authority: Authority) -> tuple[Pair, ...]:
    return authority.pair("mail.example.org", file="ec"), authority.pair("mail.example.org", kind="RSA", file="rsa")


@pytest.fixture
def running(pairs: tuple[Pair, ...]) -> Iterator[RunningGuard]:
    with guard(GuardSettings(pairs=pairs)) as running:
        yield running


def fetched(keys: GuardKeys) -> list[bytes] | None:
    """What the descriptors that a worker gets hold; they are closed again. None: nothing is new."""
    fds = asyncio.run(_fetch(keys))
    if fds is None:
        return None
    try:
        assert not any(os.get_inheritable(fd) for fd in fds)
        for fd in fds:
            ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(f"/proc/self/fd/{fd}")
        return [os.pread(fd, 1_000_000, 0) for fd in fds]
    finally:
        for fd in fds:
            os.close(fd)


def renewed(keys: GuardKeys) -> list[bytes] | None:
    """What is new; None while nothing is, or while a new certificate stands beside an old key."""
    with contextlib.suppress(ssl.SSLError):
        return fetched(keys)
    return None


async def _fetch(keys: GuardKeys) -> Sequence[int] | None:
    return await keys.fetch()


def test_keys_come_in_their_order_and_once(running: RunningGuard, pairs: tuple[Pair, ...]) -> None:
    """Whoever has them is told that nothing is new; another worker gets them all the same."""
    keys = GuardKeys(running.guarded)

    contents = fetched(keys)

    assert contents is not None
    assert [Path(pair.key).read_bytes().strip() in content for pair, content in zip(pairs, contents, strict=True)] == [
        True,
        True,
    ]
    assert fetched(keys) is None
    assert fetched(GuardKeys(running.guarded)) == contents


def test_what_a_worker_gets_is_sealed(running: RunningGuard) -> None:
    """Nothing that it does to it changes what others get."""
    fds = asyncio.run(_fetch(GuardKeys(running.guarded))) or []
    seals = fcntl.F_SEAL_SEAL | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE

    assert len(fds) == 2
    assert [fcntl.fcntl(fd, fcntl.F_GET_SEALS) & seals for fd in fds] == [seals] * 2
    for fd in fds:
        os.close(fd)


def test_a_guard_that_has_only_keys_checks_no_password(running: RunningGuard) -> None:
    """Whoever asks all the same is refused."""
    packet = request.encode(CheckAsked(Credentials(b"PLAIN", b"bob", b"right"), PEER))
    with channel.ask(running.channel, packet or b"") as answer:
        answer.settimeout(30)
        assert answer.recv(9) == b"N"
    assert running.log == b""


def test_a_renewed_key_is_used_without_a_signal(running: RunningGuard, authority: Authority) -> None:
    """Once the guard has looked again, within a second."""
    keys = GuardKeys(running.guarded)
    before = fetched(keys)
    authority.pair("mail.example.org", file="ec")

    after = until(lambda: renewed(keys), "the new one")

    assert before is not None
    assert (after[0] != before[0], after[1] == before[1]) == (True, True)


def test_a_key_that_cannot_be_read_leaves_the_old_one_in_use(
    running: RunningGuard, pairs: tuple[Pair, ...], authority: Authority
) -> None:
    """Said once in the log; the new one is used when it is there."""
    keys = GuardKeys(running.guarded)
    before = fetched(keys)
    os.unlink(pairs[0].key)
    sentence = f"guard: warning: unable to read {pairs[0].key}: file does not exist, the keys read before stay in use\n"

    until(lambda: fetched(keys) is None and running.log == sentence.encode(), "the line")
    assert fetched(GuardKeys(running.guarded)) == before
    authority.pair("mail.example.org", file="ec")
    assert until(lambda: renewed(keys), "the new one") != before


def test_without_a_guard_there_are_the_keys_of_the_start(running: RunningGuard) -> None:
    """A worker that comes later serves with them; nothing is new from then on."""
    contents = fetched(GuardKeys(running.guarded))
    old, new = GuardKeys(running.guarded), GuardKeys(running.guarded)
    assert fetched(old) == contents
    os.kill(running.pid, signal.SIGKILL)
    assert running.wait() == -signal.SIGKILL

    assert fetched(old) is None
    assert fetched(new) == contents
    assert fetched(new) is None


def test_a_key_that_cannot_be_read_at_the_start(pairs: tuple[Pair, ...]) -> None:
    """The server does not start, and says which file it is."""
    os.unlink(pairs[1].key)

    sentence = rf"^unable to read {pairs[1].key}: file does not exist$"
    with pytest.raises(Failure, match=sentence), guard(GuardSettings(pairs=pairs)):
        pass


def test_more_keys_than_can_be_passed() -> None:
    """251 pairs are refused at the start."""
    settings = GuardSettings(pairs=(Pair("a", "b"),) * 251)
    with pytest.raises(AskedWrongly, match=r"^251 certificates, 250 at most$"), guard(settings):
        pass
