"""A backend behind header and body checks: what reaches it, who waits for whom, and nothing that is left."""

import asyncio
import os
from functools import partial
from pathlib import Path as File

import pytest

from tests.system.test_backend_pipe import (
    PIECE,
    TO_CONTENT,
    Backends,
    Story,
    all_sent,
    begin,
    eventually,
    open_descriptors,
    shell,
    whole,
)
from ucspi_py.core.gate.content.checked import Note
from ucspi_py.core.gate.content.message import CheckedMessage
from ucspi_py.core.gate.content.settings import ContentSettings
from ucspi_py.core.gate.maps.names import Broken, MapName
from ucspi_py.core.smtp.reply import reply
from ucspi_py.system.expressions.budget import Budget
from ucspi_py.system.gate.content.checked_backend import CheckedBackend, SessionChecks
from ucspi_py.system.gate.content.checking import Checking
from ucspi_py.system.gate.content.turns import Turns
from ucspi_py.system.gate.tables import Tables

QUEUED = reply(250, b"queued")


@pytest.fixture
def out(tmp_path: File) -> File:
    """Where a whole backend leaves its message."""
    return tmp_path / "message"


class Checks:
    """The checks of one session, with one table for every line of a body. notes: of the log."""

    def __init__(self, folder: File, rules: bytes) -> None:
        self.notes: list[Note] = []
        self.complaints: list[str] = []
        self.tables = Tables(self.complaints.append)
        self.turns = Turns()
        (folder / "body").write_bytes(rules)
        os.utime(folder / "body", (1, 1))
        self._settings = ContentSettings(body_checks=(MapName("pcre", str(folder / "body")),), body_checks_size_limit=0)

    def put_before(self, backends: Backends) -> None:
        """Have all content of a pipe looked at."""
        backends.pipe.make = partial(CheckedBackend, SessionChecks(self._begin, self.turns, self.notes.append))

    def _begin(self) -> Checking:
        return Checking(CheckedMessage(self._settings), self.tables, Budget(0.02), self.complaints.append)


def checked(checks: Checks, story: Story) -> Story:
    """A story with checks before its backends."""

    async def told(backends: Backends) -> None:
        checks.put_before(backends)
        await story(backends)

    return told


def test_what_passes_arrives_changed_as_it_is_asked(out: File, tmp_path: File) -> None:
    """Two messages to one backend, the second of no bytes."""
    checks = Checks(tmp_path, b"/^a$/ REPLACE .\n/^b$/ IGNORE\n")

    async def story(backends: Backends) -> None:
        await begin(backends)
        for piece in (b"x\r\n\r", b"\na\r\nb\r\n", b"c\r\n"):
            backends.pipe.send(piece)
            backends.pipe.flush()
        assert await backends.pipe.end_of_data(0) == QUEUED
        await begin(backends)
        assert await backends.pipe.end_of_data(0) == QUEUED

    assert whole(checked(checks, story), out).started == 1
    assert out.read_bytes() == b"x\r\n\r\n..\r\nc\r\n"
    assert [note.action for note in checks.notes] == [b"replace"]


def test_a_refused_message_leaves_its_backend_at_once(out: File, tmp_path: File) -> None:
    """What still comes is thrown away, and is never too much; the next message has another backend."""
    checks = Checks(tmp_path, b"/^bad$/ REJECT no\n")

    async def story(backends: Backends) -> None:
        await begin(backends)
        backends.pipe.send(b"\r\nbad\r\n" + PIECE)
        await eventually(lambda: checks.notes)
        await backends.all_ended()
        for _ in range(40):
            backends.pipe.send(PIECE)
            assert not backends.pipe.is_full
        assert await backends.pipe.end_of_data(0) == reply(550, b"5.7.1 no")
        await begin(backends)
        backends.pipe.send(b"\r\ngood\r\n")
        assert await backends.pipe.end_of_data(0) == QUEUED

    assert whole(checked(checks, story), out).started == 2
    assert out.read_bytes() == b"\r\ngood\r\n"


def test_whoever_sends_faster_than_is_looked_at_waits(out: File, tmp_path: File) -> None:
    """Full at 64 KB, room again when they are looked at; every byte arrives."""
    checks = Checks(tmp_path, b"".join(b"/no %d$/ REJECT\n" % number for number in range(50)))

    async def story(backends: Backends) -> None:
        await begin(backends)
        backends.pipe.send(b"\r\n")
        assert await all_sent(backends.pipe, 20) > 0
        assert await backends.pipe.end_of_data(0) == QUEUED

    whole(checked(checks, story), out)
    assert out.read_bytes() == b"\r\n" + PIECE * 20


def test_what_a_slow_backend_does_not_read_is_not_looked_at(out: File, tmp_path: File) -> None:
    """Neither waits in our memory; it goes on when the backend does."""
    checks = Checks(tmp_path, b"/^no$/ REJECT\n")
    holds = out.with_name("message.wait")
    holds.touch()

    async def story(backends: Backends) -> None:
        await begin(backends)
        backends.pipe.send(b"\r\n")
        for _ in range(60):
            await asyncio.sleep(0)
            if not backends.pipe.is_full:
                backends.pipe.send(PIECE)
        assert backends.pipe.is_full
        holds.unlink()
        room = asyncio.Event()
        backends.pipe.on_room = room.set
        await room.wait()
        assert await backends.pipe.end_of_data(0) == QUEUED

    whole(checked(checks, story), out)
    assert set(out.read_bytes().split(b"\r\n")) == {b"", b"a line of content"}


def test_a_backend_that_ends_within_content(tmp_path: File) -> None:
    """What it has said is the answer, and whoever waited for room has it."""
    checks = Checks(tmp_path, b"".join(b"/no %d$/ REJECT\n" % number for number in range(50)))

    async def story(backends: Backends) -> None:
        await begin(backends)
        backends.pipe.send(b"\r\n")
        await all_sent(backends.pipe, 20)
        assert (await backends.pipe.end_of_data(0)).line == b"451 4.3.0 gone"

    shell(TO_CONTENT + "s '451 4.3.0 gone'", checked(checks, story))


def test_a_client_that_goes_while_its_message_is_looked_at(out: File, tmp_path: File) -> None:
    """Nothing is delivered, and nothing is left."""
    checks = Checks(tmp_path, b"".join(b"/no %d$/ REJECT\n" % number for number in range(50)))
    before = open_descriptors()

    async def story(backends: Backends) -> None:
        await begin(backends)
        backends.pipe.send(b"\r\n" + PIECE)
        ending = asyncio.create_task(backends.pipe.end_of_data(0))
        await asyncio.sleep(0)
        ending.cancel()
        with pytest.raises(asyncio.CancelledError):
            await ending

    whole(checked(checks, story), out)
    assert not out.exists()
    assert open_descriptors() == before


def test_an_error_of_ours_ends_its_own_session(out: File, tmp_path: File, monkeypatch: pytest.MonkeyPatch) -> None:
    """The message is not delivered."""
    checks = Checks(tmp_path, b"/^no$/ REJECT\n")

    def broken(*_args: object) -> Broken:
        raise ValueError("of ours")

    monkeypatch.setattr(checks.tables, "walk", broken)

    async def story(backends: Backends) -> None:
        await begin(backends)
        backends.pipe.send(b"\r\nx\r\n")
        with pytest.raises(ValueError, match="of ours"):
            await backends.pipe.end_of_data(0)

    whole(checked(checks, story), out)
    assert not out.exists()
