"""What a client of Postfix's smtpd and one of our gate hear where a milter says whatever there is to say, anywhere."""

import re
import socket
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from tests.support.gate_room import Guest, Room
from tests.support.milter import CLOSES, CONTINUE, ScriptedMilter, optneg, scripted_milter
from tests.support.milters.scenes import play
from tests.support.smtp_client import Client
from tests.support.waiting import PATIENCE, until
from tests.system.test_gate_milters import room
from ucspi_py.core.milter.packet import packed

from . import postfix

MAIL, RCPT, DATA = b"MAIL FROM:<a@b.example>", b"RCPT TO:<r@example.org>", b"DATA"
MESSAGE = b"Subject: x\r\n\r\nbody\r\n.\r\n"
UNKNOWN = b"Foo x"
#: Messages stand behind DATA, where that was answered by 354.
DIALOGUES = {
    "a message": (b"HELO c.example", MAIL, RCPT, b"RCPT TO:<s@example.org>", DATA, MESSAGE, MAIL, b"QUIT"),
    "all commands": (
        *(b"VRFY x@example.org", b"STARTTLS", b"EHLO c.example", UNKNOWN, MAIL, RCPT, b"RSET", b"NOOP", UNKNOWN),
        *(b"VRFY x@example.org", MAIL, UNKNOWN, RCPT, b"EXPN x", b"HELO d.example", b"STARTTLS", DATA),
        *(MAIL, RCPT, DATA, MESSAGE, UNKNOWN, MAIL, RCPT, DATA, MESSAGE, b"HELO e.example", b"QUIT"),
    ),
}
EVENTS = b"CHMRTLNBEU"
SAID = {
    "reject": packed(b"r"),
    "tempfail": packed(b"t"),
    "discard": packed(b"d"),
    "accept": packed(b"a"),
    "skip": packed(b"s"),
    "shutdown": packed(b"4"),
    "progress": packed(b"p") + CONTINUE,
    "a reply": packed(b"y", b"550 5.7.1 100%% spam\0"),
    "two lines": packed(b"y", b"451-4.7.1 one\r\n451 4.7.1 two\0"),
    "421": packed(b"y", b"421 4.7.0 bye\0"),
    "no reply": packed(b"y", b"250 ok\0"),
    "quarantine": packed(b"q", b"why\0") + CONTINUE,
    "a header": packed(b"h", b"X\0y\0") + CONTINUE,
    "nonsense": packed(b"?"),
    "the end": CLOSES,
}
#: Replies in a milter's own words; most are none. Postfix passes on what smuggles a line in, which we never do.
REPLIES = {
    "text alone": b"550 no\0",
    "code alone": b"550\0",
    "code and blank": b"550 \0",
    "no blank": b"550x\0",
    "another class": b"550 4.7.1 no\0",
    "another class for now": b"450 5.7.1 no\0",
    "no class": b"550 9.7.1 no\0",
    "a positive class": b"550 2.7.1 no\0",
    "half a code": b"550 5.7 no\0",
    "two digits": b"55 5.7.1 no\0",
    "354": b"354 go on\0",
    "521": b"521 5.7.1 no\0",
    "percent": b"550 5.7.1 50% off %% %s\0",
    "nothing": b"",
}
SAID |= {name: packed(b"y", text) for name, text in REPLIES.items()}
STEPS = (b"EHLO c.example", UNKNOWN, MAIL, RCPT, DATA, MESSAGE, b"QUIT")
_NOTED, _WHOSE = (
    re.compile(rb": (milter-[a-z]+: .*)"),
    re.compile(rb"\[[0-9.]+\]|(?<=proto=)E(?=SMTP helo=<c.example>$)"),
)
_IN_CONTENT = b"LNBE"


def differs(event: bytes, said: str) -> bool:
    """Whether we answer otherwise, and mean to.

    A gate has no queue to hold mail in. Postfix takes a message at which a milter hangs up on the client. A milter that
    says nonsense within a message has failed for our next message in the same words, where Postfix has others. Its
    smtpd panics where a milter accepts or discards at a command that is none (milter8_mail_event, "bad state").
    """
    if event == b"U" and said in ("accept", "discard"):
        return True
    if said == "quarantine":
        return True
    return event in _IN_CONTENT and said in ("shutdown", "no reply")


CASES = [
    (event, said, dialogue)
    for event in (bytes([one]) for one in EVENTS)
    for said in SAID
    for dialogue in DIALOGUES
    if not differs(event, said) and (said not in REPLIES or (event == b"M" and dialogue == "a message"))
]


@pytest.fixture(scope="module")
def milter() -> Iterator[ScriptedMilter]:
    """One milter, which both ask."""
    with scripted_milter() as found:
        yield found


@pytest.fixture(scope="module")
def running(milter: ScriptedMilter) -> Iterator[postfix.Running]:
    """Postfix."""
    with postfix.running({"milter": (f"smtpd_milters={milter.service}",)}) as found:
        until(lambda: b" disconnect from " in found.log.read_bytes())  # of whoever has looked whether it listens
        yield found


@pytest.fixture(scope="module")
def theirs(running: postfix.Running) -> int:
    """Postfix's port."""
    return running.ports["milter"]


def of_postfix(port: int, dialogue: Sequence[bytes]) -> list[bytes]:
    """What Postfix's client hears."""
    with Client(socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)) as client:
        heard = [client.reply()]
        for step in dialogue:
            if step == MESSAGE and not heard[-1].startswith(b"354"):
                continue
            client.say(step if step == MESSAGE else step + b"\r\n")
            heard.append(client.reply())
    return heard


def of_ours(folder: Path, milter: ScriptedMilter, dialogue: Sequence[bytes]) -> list[bytes]:
    """What our client hears."""
    return both_of_ours(folder, milter, dialogue)[0]


def both_of_ours(folder: Path, milter: ScriptedMilter, dialogue: Sequence[bytes]) -> tuple[list[bytes], bytes]:
    """What our client hears, and our log."""
    heard: list[bytes] = []

    async def scene(at: Room) -> None:
        guest = await at.silent()
        heard.append(await reply(guest))
        for step in dialogue:
            if heard[-1][:3] in (b"", b"421"):
                break
            if step == MESSAGE and not heard[-1].startswith(b"354"):
                continue
            await guest.say(step if step == MESSAGE else step + b"\r\n")
            heard.append(await reply(guest))

    at = room(folder, milter, error_sleep_time=0)
    play(at, scene)
    return heard, b"\n".join(at.told)


async def reply(guest: Guest) -> bytes:
    """The next reply; b"" = there is none."""
    lines = []
    while line := await guest.line():
        lines.append(line)
        if line[3:4] != b"-":
            break
    return b"\r\n".join(lines)


def refusals(replies: Sequence[bytes]) -> list[bytes]:
    """Replies, of those that refuse nothing the code alone; up to the end of the connection."""
    until_end = [one for one in replies if one]
    return [one if one[:1] in b"45" else one[:3] for one in until_end]


@pytest.mark.parametrize("case", CASES)
def test_clients_hear_the_same(
    theirs: int, milter: ScriptedMilter, tmp_path: Path, case: tuple[bytes, str, str]
) -> None:
    """At each command, and at the next message."""
    event, said, dialogue = case
    milter.says = {b"O": optneg(), event: SAID[said]}
    steps = DIALOGUES[dialogue]

    assert refusals(of_ours(tmp_path, milter, steps)) == refusals(of_postfix(theirs, steps))


@pytest.mark.parametrize(
    "case",
    [
        (bytes([event]), said)
        for event in EVENTS
        for said in ("reject", "tempfail", "discard", "shutdown", "a reply")
        if not differs(bytes([event]), said)
    ],
)
def test_the_log_tells_the_same(
    running: postfix.Running, milter: ScriptedMilter, tmp_path: Path, case: tuple[bytes, str]
) -> None:
    """In the words of Postfix's smtpd, and at the end of a message of its cleanup."""
    event, said = case
    milter.says = {b"O": optneg(), event: SAID[said]}
    mark = running.log.stat().st_size
    of_postfix(running.ports["milter"], STEPS)
    until(lambda: b" disconnect from " in running.log.read_bytes()[mark:])

    _, ours = both_of_ours(tmp_path, milter, STEPS)
    assert noted(ours) == noted(running.log.read_bytes()[mark:])


def noted(log: bytes) -> list[bytes]:
    """What it tells of milters, without whose they are. Between two messages Postfix remembers EHLO."""
    return [_WHOSE.sub(b"", line) for line in _NOTED.findall(log)]


@pytest.mark.parametrize("case", [case for case in CASES if case[0] in _IN_CONTENT and case[1] != "a header"])
def test_clients_hear_the_same_of_what_is_streamed(
    theirs: int, milter: ScriptedMilter, tmp_path: Path, case: tuple[bytes, str, str]
) -> None:
    """Of a milter that may change nothing. Postfix adds a header of such a one; for us it has failed."""
    event, said, dialogue = case
    milter.says = {b"O": optneg(actions=0), event: SAID[said]}
    steps = DIALOGUES[dialogue]

    assert refusals(of_ours(tmp_path, milter, steps)) == refusals(of_postfix(theirs, steps))
