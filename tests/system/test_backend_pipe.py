"""The pipe to real backends: whole messages, every death, every limit, and nothing that is left open."""

import asyncio
import gc
import os
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing
from pathlib import Path as File

import pytest

from tests.support.waiting import until
from ucspi_py.core.gate.visitor import Visitor
from ucspi_py.core.smtp.backend.dialogue import BackendDialogue
from ucspi_py.core.smtp.backend.exchange import OUTCOME_UNKNOWN, UNAVAILABLE, Exchange
from ucspi_py.core.smtp.envelope import Envelope
from ucspi_py.core.smtp.path import Path
from ucspi_py.core.smtp.reply import reply
from ucspi_py.system.gate.backend import pipe, running
from ucspi_py.system.gate.backend.pipe import BackendPipe
from ucspi_py.system.gate.backend.running import RunningBackend
from ucspi_py.system.process.loop import new_loop

BOB, CAROL = Path(b"bob", b"example.org"), Path(b"carol", b"example.org")
ENVELOPE = Envelope(b"mx.example.net", True, Path(b"joe", b"example.net"))
PIECE = b"a line of content\r\n" * 3449
OK = reply(250, b"ok")
STRANGER = Visitor(b"unknown", b"192.0.2.1")

#: A backend whose message stands in $OUT when its end has come, and the commands in $OUT.commands.
WHOLE = r"""
import os, sys
said, told = sys.stdin.buffer, sys.stdout.buffer
out = os.environ["OUT"]
def say(words):
    told.write(words + b"\r\n")
    told.flush()
commands = open(out + ".commands", "ab", 0)
say(b"220 here")
while command := said.readline():
    commands.write(command)
    if command == b"DATA\r\n":
        say(b"354 go")
        while os.path.exists(out + ".wait"):
            pass
        content = []
        while (line := said.readline()) not in (b".\r\n", b""):
            content.append(line)
        if not line:
            break
        with open(out, "ab") as file:
            file.writelines(content)
        say(b"250 queued")
    elif command == b"QUIT\r\n":
        say(b"221 bye")
        break
    else:
        say(b"250 ok")
commands.write(b"(end)")
"""

#: What a backend of a few lines of shell says first, as far as to the recipient or to content.
HERE = "s() { printf '%s\\r\\n' \"$@\"; }; h() { read -r line; }; "
TO_RCPT = HERE + "s '220 here'; h; s '250 here'; h; s '250 ok'; h; "
TO_DATA = TO_RCPT + "s '250 ok'; h; "
TO_CONTENT = TO_DATA + "s '354 go'; "


class Backends:
    """Starts programs and reaps them. argv: of the next one; None = it cannot be started."""

    def __init__(self, argv: list[str] | None, environment: dict[bytes, bytes]) -> None:
        self.argv = argv
        self.environment = environment
        self.reports: list[str] = []
        self.statuses: list[int] = []
        self.started = 0
        self.pipe = BackendPipe(self._start, environment, STRANGER, self.reports.append)

    async def _start(self, environment: dict[bytes, bytes], fd: int, ended: Callable[[int], None]) -> int | None:
        self.started += 1
        if self.argv is None:
            return None
        on_both = [(os.POSIX_SPAWN_DUP2, fd, 0), (os.POSIX_SPAWN_DUP2, fd, 1)]
        pid = os.posix_spawn(self.argv[0], self.argv, environment, file_actions=on_both)
        pidfd = os.pidfd_open(pid)
        asyncio.get_running_loop().add_reader(pidfd, self._reap, pid, pidfd, ended)
        return pid

    def _reap(self, pid: int, pidfd: int, ended: Callable[[int], None]) -> None:
        asyncio.get_running_loop().remove_reader(pidfd)
        os.close(pidfd)
        self.statuses.append(os.waitpid(pid, 0)[1])
        ended(self.statuses[-1])

    async def all_ended(self) -> None:
        """Wait until every program has ended."""
        await eventually(lambda: len(self.statuses) == self.started)


Story = Callable[[Backends], Awaitable[None]]


async def eventually(condition: Callable[[], object]) -> None:
    """Let the loop run until a condition holds."""
    async with asyncio.timeout(20):
        while not condition():
            await asyncio.sleep(0.005)


def release(held: File) -> None:
    """Let a backend go on that waits there."""
    held.write_bytes(b"")


def open_descriptors() -> set[str]:
    """Our descriptors."""
    return set(os.listdir("/proc/self/fd"))


@pytest.fixture
def out(tmp_path: File) -> File:
    """Where a whole backend leaves its message."""
    return tmp_path / "message"


@pytest.fixture
def held(tmp_path: File) -> File:
    """Where a backend waits that reads nothing from us."""
    os.mkfifo(tmp_path / "held")
    return tmp_path / "held"


@pytest.fixture(autouse=True)
def nothing_left() -> Iterator[None]:
    """No descriptor and no process is left by any test."""
    before = open_descriptors()
    yield
    assert open_descriptors() == before
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)


def play(argv: list[str] | None, story: Story, **environment: str) -> Backends:
    """Play a story with backends of one program, and wait until they have ended."""
    variables = {name.encode(): value.encode() for name, value in environment.items()}
    backends = Backends(argv, {b"PATH": b"/usr/bin:/bin", **variables})

    async def whole() -> None:
        async with asyncio.timeout(40):
            try:
                await story(backends)
            finally:
                backends.pipe.close()
            if backends.argv:
                await backends.all_ended()

    with closing(new_loop()) as loop:
        loop.run_until_complete(whole())
    return backends


def whole(story: Story, out: File) -> Backends:
    """Play a story with backends that do all that they should."""
    return play([sys.executable, "-I", "-S", "-c", WHOLE], story, OUT=str(out))


def shell(script: str, story: Story) -> Backends:
    """Play a story with backends that are some lines of shell."""
    return play(["/bin/sh", "-c", script], story)


def commands(out: File) -> list[bytes]:
    """The commands that a whole backend has got."""
    return out.with_name("message.commands").read_bytes().splitlines()


async def begin(backends: Backends) -> None:
    """Begin a message to bob, as far as to its content."""
    assert await backends.pipe.recipient(ENVELOPE, BOB) == OK
    assert await backends.pipe.data() == reply(354, b"go")


async def all_sent(pipe: BackendPipe, pieces: int) -> int:
    """Send content, waiting for room as a conversation does; how often there was none."""
    room, waits = asyncio.Event(), 0
    pipe.on_room = room.set
    for _ in range(pieces):
        pipe.send(PIECE)
        while pipe.is_full:
            waits += 1
            room.clear()
            await room.wait()
    return waits


# What goes well


def test_messages_reach_the_backend_as_they_are_told_and_its_words_come_back(out: File) -> None:
    """Two messages to one backend, the second of no bytes; QUIT ends it."""

    async def story(backends: Backends) -> None:
        await begin(backends)
        backends.pipe.send(b"Subject: x\r\n")
        backends.pipe.send(b"\r\n..\r\n")
        assert await backends.pipe.end_of_data(0) == reply(250, b"queued")
        await begin(backends)
        assert await backends.pipe.end_of_data(0) == reply(250, b"queued")
        backends.pipe.quit()
        await backends.all_ended()

    backends = whole(story, out)

    assert out.read_bytes() == b"Subject: x\r\n\r\n..\r\n"
    message = [b"MAIL FROM:<joe@example.net>", b"RCPT TO:<bob@example.org>", b"DATA"]
    assert commands(out) == [b"EHLO mx.example.net", *message, *message, b"QUIT", b"(end)"]
    assert backends.started == 1
    assert backends.statuses == [0]
    assert backends.reports == []


def test_a_small_message_and_its_end_come_in_one_piece(out: File) -> None:
    """A backend that is woken once does half the work; what is told to flush, and all but the last piece, is sent."""
    script = HERE + f"r() {{ dd bs=9999 count=1 2>/dev/null; }}; exec 3>{out}; "
    read = "s '220 here'; r >&3; s '250 here'; r >&3; s '250 ok'; r >&3; s '250 ok'; r >&3; s '354 go'; "

    async def story(backends: Backends) -> None:
        await begin(backends)
        backends.pipe.send(b"a\r\n")
        backends.pipe.flush()
        await eventually(lambda: out.read_bytes().endswith(b"a\r\n|"))
        backends.pipe.send(b"b\r\n")
        backends.pipe.send(b"c\r\n")
        await eventually(lambda: out.read_bytes().endswith(b"|b\r\n|"))
        assert await backends.pipe.end_of_data(0) == OK

    piece = "r >&3; printf '|' >&3; "
    shell(script + read + piece * 3 + "s '250 ok'; cat >&3", story)

    assert out.read_bytes().endswith(b"a\r\n|b\r\n|c\r\n.\r\n|")


def test_a_large_message_waits_for_its_backend_and_not_in_our_memory(out: File) -> None:
    """Case of backpressure: full when the kernel is, room again when the backend reads; every byte arrives."""
    holds = out.with_name("message.wait")
    holds.touch()

    async def story(backends: Backends) -> None:
        await begin(backends)
        pieces = 0
        while not backends.pipe.is_full:
            backends.pipe.send(PIECE)
            pieces += 1
        holds.unlink()
        waits = await all_sent(backends.pipe, 120 - pieces)
        assert await backends.pipe.end_of_data(0) == reply(250, b"queued")
        assert waits > 0
        assert pieces * len(PIECE) < 512 << 10

    whole(story, out)

    assert out.read_bytes() == PIECE * 120


def test_a_backend_has_its_environment_and_of_our_sockets_its_own_alone() -> None:
    """Case 51: one end of the socketpair on 0 and 1, blocking."""
    look = "import os; d = '/proc/self/fd/'; n = [int(n) for n in os.listdir(d)]"
    look += "; s = [i for i in n if os.path.islink(d + str(i)) and 'socket' in os.readlink(d + str(i))]"
    say = "print('553', os.environ['RELAYCLIENT'], s, os.get_blocking(0), os.get_blocking(1), end='\\r\\n')"

    async def story(backends: Backends) -> None:
        answer = await backends.pipe.recipient(ENVELOPE, BOB)
        assert answer == reply(553, b"@fixme [0, 1] True True")

    play([sys.executable, "-I", "-S", "-c", f"{look}; {say}"], story, RELAYCLIENT="@fixme")


def test_a_client_without_a_name_is_introduced_by_that_of_its_address() -> None:
    """As qmail-smtpd takes $TCPREMOTEHOST where it hears no HELO."""
    script = HERE + "s '220 here'; read -r verb name; s '250 here'; h; s \"550 $name\"; h"

    async def story(backends: Backends) -> None:
        answer = await backends.pipe.recipient(ENVELOPE._replace(helo=b"", esmtp=False), BOB)
        assert answer.texts[0].strip() == b"pc.example.net"

    play(["/bin/sh", "-c", script], story, TCPREMOTEHOST="pc.example.net")


def test_a_dropped_transaction_is_reset_and_the_backend_kept(out: File) -> None:
    """Case 7."""

    async def story(backends: Backends) -> None:
        await backends.pipe.recipient(ENVELOPE, BOB)
        backends.pipe.reset()
        assert await backends.pipe.recipient(ENVELOPE._replace(helo=b"x"), CAROL) == OK
        backends.pipe.quit()
        await backends.all_ended()

    assert whole(story, out).started == 1
    assert commands(out)[3:6] == [b"RSET", b"EHLO x", b"MAIL FROM:<joe@example.net>"]


def test_a_backend_that_rests_between_messages_gives_its_slot_back(out: File) -> None:
    """Not one with an accepted recipient; the next message has a backend again."""

    async def story(backends: Backends) -> None:
        now = asyncio.get_running_loop().time
        backends.pipe.rest(now())
        await begin(backends)
        backends.pipe.rest(now())
        assert await backends.pipe.end_of_data(0) == reply(250, b"queued")
        backends.pipe.rest(now() - 60)
        assert backends.statuses == []
        backends.pipe.rest(now())
        await eventually(lambda: backends.statuses)
        assert await backends.pipe.recipient(Envelope(*ENVELOPE), BOB) == OK

    assert whole(story, out).started == 2


# What ends without a message


@pytest.mark.parametrize("leave", [BackendPipe.close, BackendPipe.quit, BackendPipe.reset])
def test_content_that_is_left_never_has_its_end(leave: Callable[[BackendPipe], None], out: File) -> None:
    """Case 42: nothing is delivered, however it is left; what waits to be sent is dropped."""
    holds = out.with_name("message.wait")
    holds.touch()

    async def story(backends: Backends) -> None:
        await begin(backends)
        while not backends.pipe.is_full:
            backends.pipe.send(PIECE)
        leave(backends.pipe)
        holds.unlink()
        await backends.all_ended()

    whole(story, out)

    assert not out.exists()
    assert commands(out)[-2:] == [b"DATA", b"(end)"]


def test_after_a_message_that_was_left_the_next_has_a_new_backend(out: File) -> None:
    """Case 53, the backend's side of it."""

    async def story(backends: Backends) -> None:
        await begin(backends)
        backends.pipe.send(b"x\r\n")
        backends.pipe.close()
        await begin(backends)
        backends.pipe.send(b"y\r\n")
        assert await backends.pipe.end_of_data(0) == reply(250, b"queued")

    assert whole(story, out).started == 2
    assert out.read_bytes() == b"y\r\n"


@pytest.mark.parametrize("script", ["", TO_RCPT, TO_DATA, TO_CONTENT + "h; h; "])
def test_whoever_is_cancelled_leaves_nothing_open(script: str, held: File) -> None:
    """At each wait for an answer; the backend reads the end, and no dot."""

    async def talk(backends: Backends) -> None:
        await begin(backends)
        backends.pipe.send(b"x\r\n")
        await backends.pipe.end_of_data(0)

    async def story(backends: Backends) -> None:
        talking = asyncio.ensure_future(talk(backends))
        await eventually(held.with_name("reached").exists)
        talking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await talking
        await backends.all_ended()
        assert await backends.pipe.data() == UNAVAILABLE

    shell(f"{script}: > {held.with_name('reached')}; exec cat >/dev/null", story)


def test_whoever_is_cancelled_while_content_waits_leaves_nothing_open(held: File) -> None:
    """What waits is dropped."""

    async def story(backends: Backends) -> None:
        await begin(backends)
        while not backends.pipe.is_full:
            backends.pipe.send(PIECE)
        ending = asyncio.ensure_future(backends.pipe.end_of_data(0))
        await asyncio.sleep(0)
        ending.cancel()
        with pytest.raises(asyncio.CancelledError):
            await ending
        release(held)
        await backends.all_ended()
        assert await backends.pipe.data() == UNAVAILABLE

    shell(f"{TO_CONTENT} read -r x < {held}; exec cat >/dev/null", story)


def test_goodbye_has_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """A backend that does not answer to QUIT is closed."""
    monkeypatch.setattr(running, "_GRACE", 0.05)

    async def story(backends: Backends) -> None:
        assert await backends.pipe.recipient(ENVELOPE, BOB) == reply(550, b"no")
        backends.pipe.quit()
        await backends.all_ended()

    shell(TO_RCPT + "s '550 no'; while h; do :; done; while sleep 0.01 && s x; do :; done", story)


# Deaths


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("exit 111", "ended when a reply to its start was due (exit code 111)"),
        ("kill -9 $$", "ended when a reply to its start was due (signal 9)"),
        (HERE + "s hello; cat", 'said "hello", which is no reply, when a reply to EHLO was due'),
        (HERE + "s '421 busy'; cat", 'greeted with "421 busy"'),
        (HERE + "s '220 a'; h; s '500 b'; h; s '500 c'; cat", 'took neither EHLO nor HELO: "500 c"'),
        (TO_RCPT + "exit 100", "ended when a reply to RCPT was due (exit code 100)"),
    ],
)
def test_a_backend_that_fails_is_451_and_one_line_with_its_end(script: str, words: str) -> None:
    """Case 38: the third one that fails in a session is 421."""

    async def story(backends: Backends) -> None:
        codes = [(await backends.pipe.recipient(ENVELOPE, BOB)).code for _ in range(3)]
        assert codes == [451, 451, 421]
        await eventually(lambda: len(backends.reports) == 3)

    assert shell(script, story).reports == [f"the backend {words.replace('to EHLO', 'to its start')}"] * 3


def test_a_process_that_outlives_its_words_is_told_without_its_end(held: File, monkeypatch: pytest.MonkeyPatch) -> None:
    """The log waits for its exit code, and not for ever."""
    monkeypatch.setattr(running, "_GRACE", 0.05)

    async def story(backends: Backends) -> None:
        assert await backends.pipe.recipient(ENVELOPE, BOB) == UNAVAILABLE
        await eventually(lambda: backends.reports)
        assert backends.statuses == []
        release(held)

    backends = shell(f"exec <&- >&-; read -r x < {held}", story)

    assert backends.reports == ["the backend ended when a reply to its start was due"]


def test_a_program_that_cannot_be_started_is_451_and_then_421() -> None:
    """Whoever starts it says why."""

    async def story(backends: Backends) -> None:
        codes = [(await backends.pipe.recipient(ENVELOPE, BOB)).code for _ in range(3)]
        assert codes == [451, 451, 421]

    assert play(None, story).reports == []


def test_a_refusal_at_the_banner_holds_for_the_session() -> None:
    """Case 38: no second process is started for it, and it is no failure."""

    async def story(backends: Backends) -> None:
        for envelope in (ENVELOPE, ENVELOPE, Envelope(*ENVELOPE)):
            assert await backends.pipe.recipient(envelope, BOB) == reply(553, b"no")

    backends = shell(HERE + "s '553 no'", story)

    assert backends.started == 1
    assert backends.reports == []


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("h; s '552 too big'; cat", reply(552, b"too big")),
        ("h; s '451 smtplf'; exit 1", reply(451, b"smtplf")),
        ("h; s '250 queued'; cat", UNAVAILABLE),
        ("h; exit 1", UNAVAILABLE),
        ("exit 0", UNAVAILABLE),
    ],
)
def test_a_backend_that_has_enough_of_the_content_gets_no_more_and_the_client_its_words(
    script: str, expected: object
) -> None:
    """Case 40: the client is never kept waiting, whether the backend leaves or not; 2 MB are thrown away."""

    async def story(backends: Backends) -> None:
        await begin(backends)
        await all_sent(backends.pipe, 32)
        assert await backends.pipe.end_of_data(0) == expected
        assert await backends.pipe.recipient(Envelope(*ENVELOPE), BOB) == OK

    backends = shell(TO_CONTENT + script, story)

    assert backends.started == 2
    assert len(backends.reports) == (expected == UNAVAILABLE)


def test_a_success_before_the_dot_is_none_though_nobody_has_read_it_yet(tmp_path: File) -> None:
    """A backend that sees an end where there is none must not be believed."""
    seen = tmp_path / "seen"

    async def story(backends: Backends) -> None:
        await begin(backends)
        backends.pipe.send(b"x\r\n")
        backends.pipe.flush()
        until(seen.exists, "the early reply")
        assert await backends.pipe.end_of_data(0) == UNAVAILABLE

    shell(TO_CONTENT + f"h; s '250 queued'; : > {seen}; cat", story)


@pytest.mark.parametrize(
    ("script", "expected", "reports"),
    [
        ("s '554 spam'; cat", reply(554, b"spam"), 0),
        ("s '451 timeout'", reply(451, b"timeout"), 0),
        ("s '421 memory'", reply(421, b"memory"), 0),
        ("exit 3", OUTCOME_UNKNOWN, 1),
    ],
)
def test_the_answer_to_the_dot_is_the_backends(script: str, expected: object, reports: int) -> None:
    """Case 41; case 40: where it dies with the dot, the log says that nobody knows."""

    async def story(backends: Backends) -> None:
        await begin(backends)
        backends.pipe.send(b"x\r\n")
        assert await backends.pipe.end_of_data(0) == expected
        await eventually(lambda: len(backends.reports) == reports)

    told = shell(TO_CONTENT + "h; h; " + script, story).reports

    assert (
        told
        == ["the backend ended when a reply to the end of the message was due: outcome unknown (exit code 3)"] * reports
    )


def test_a_death_behind_an_accepted_recipient_is_451_until_the_transaction_ends() -> None:
    """Case 40: no other backend takes the rest of a message."""

    async def story(backends: Backends) -> None:
        assert await backends.pipe.recipient(ENVELOPE, BOB) == OK
        await backends.all_ended()
        for _ in range(4):  # one start is behind them all
            assert await backends.pipe.recipient(ENVELOPE._replace(recipients=(BOB,)), CAROL) == UNAVAILABLE
        assert await backends.pipe.data() == UNAVAILABLE
        backends.pipe.reset()
        assert await backends.pipe.recipient(Envelope(*ENVELOPE), BOB) == OK

    assert shell(TO_RCPT + "s '250 ok'", story).started == 2


def test_who_was_accepted_is_not_told_that_the_start_has_failed() -> None:
    """Also where the backend has said too much in the same breath, and for the third time."""

    async def story(backends: Backends) -> None:
        for _ in range(4):
            assert await backends.pipe.recipient(Envelope(*ENVELOPE), BOB) == OK
            backends.pipe.reset()

    assert shell(TO_RCPT + "s '250 ok' '250 ok'; h", story).started == 4


# Limits


@pytest.mark.parametrize("script", ["exec cat >/dev/null", "while printf 2; do sleep 0.01; done"])
def test_a_backend_that_is_silent_or_drips_is_given_up(script: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only a whole reply begins its time anew."""
    monkeypatch.setattr(Exchange, "patience", 0.2)

    async def story(backends: Backends) -> None:
        assert await backends.pipe.recipient(ENVELOPE, BOB) == UNAVAILABLE

    assert shell(script, story).reports == [
        "the backend was given up after 0 seconds when a reply to its start was due"
    ]


@pytest.mark.parametrize("waits_for", ["room", "end"])
def test_a_backend_that_reads_no_content_is_given_up(
    waits_for: str, held: File, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether the client is still sending or waits for its answer."""

    async def story(backends: Backends) -> None:
        await begin(backends)
        monkeypatch.setattr(Exchange, "patience", 0.2)
        await all_sent(backends.pipe, 32 if waits_for == "room" else 5)
        assert await backends.pipe.end_of_data(0) == UNAVAILABLE
        release(held)

    reports = shell(f"{TO_CONTENT} read -r x < {held}", story).reports

    assert reports == ["the backend was given up after 0 seconds within the content"]


def test_a_slot_is_waited_for_and_not_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    """Case 48: 451 4.3.2 as often as it is asked; that is no failed start."""
    monkeypatch.setattr(pipe, "_SLOT_PATIENCE", 0.02)

    async def never(_environment: dict[bytes, bytes], _fd: int, _ended: Callable[[int], None]) -> int | None:
        await asyncio.get_running_loop().create_future()
        return None

    async def story(_backends: Backends) -> None:
        pipe = BackendPipe(never, {}, STRANGER, pytest.fail)
        for _ in range(4):
            answer = await pipe.recipient(ENVELOPE, BOB)
            assert answer.line.startswith(b"451 4.3.2 ")

    play(None, story)


def test_whoever_is_cancelled_while_it_waits_for_a_slot_leaves_nothing_open() -> None:
    """And so does a start that fails in a way that nobody expected."""

    async def broken(_environment: dict[bytes, bytes], _fd: int, _ended: Callable[[int], None]) -> int | None:
        raise RuntimeError("broken")

    async def never(_environment: dict[bytes, bytes], _fd: int, _ended: Callable[[int], None]) -> int | None:
        await asyncio.get_running_loop().create_future()
        return None

    async def story(_backends: Backends) -> None:
        waiting = asyncio.ensure_future(BackendPipe(never, {}, STRANGER, pytest.fail).recipient(ENVELOPE, BOB))
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        with pytest.raises(RuntimeError):
            await BackendPipe(broken, {}, STRANGER, pytest.fail).recipient(ENVELOPE, BOB)

    play(None, story)


def test_a_backend_that_was_left_is_gone_without_the_garbage_collector(out: File) -> None:
    """Its parts do not hold each other, whether it had all that it was asked or not."""

    async def story(backends: Backends) -> None:
        await begin(backends)
        backends.pipe.send(b"a\r\n")
        assert (await backends.pipe.end_of_data(0)).is_positive
        backends.pipe.quit()
        assert await backends.pipe.recipient(ENVELOPE, BOB) == OK

    gc.collect()
    gc.disable()
    try:
        assert whole(story, out).started == 2
        left = [one for one in gc.get_objects() if isinstance(one, RunningBackend | BackendDialogue)]
    finally:
        gc.enable()

    assert left == []


def test_without_a_backend_there_is_nothing_to_say() -> None:
    """Whatever is asked is 451, and whatever is told is lost."""

    async def story(backends: Backends) -> None:
        pipe = backends.pipe
        pipe.send(b"x\r\n")
        pipe.reset()
        pipe.quit()
        assert not pipe.is_full
        assert await pipe.data() == await pipe.end_of_data(0) == UNAVAILABLE
        assert await pipe.recipient(ENVELOPE._replace(recipients=(CAROL,)), BOB) == UNAVAILABLE

    assert play(None, story).started == 0
