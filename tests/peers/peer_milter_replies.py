"""What a client of Postfix's smtpd and one of our gate hear where a milter says whatever there is to say, anywhere."""

import socket
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from tests.support.gate_room import Guest, Room, play
from tests.support.milter import CLOSES, CONTINUE, ScriptedMilter, optneg, scripted_milter
from tests.support.smtp_client import Client
from tests.support.waiting import PATIENCE
from tests.system.test_gate_milters import closing, room
from ucspi_py.core.milter.packet import packed

from . import postfix

MAIL, RCPT, DATA = b"MAIL FROM:<a@b.example>", b"RCPT TO:<r@example.org>", b"DATA"
MESSAGE = b"Subject: x\r\n\r\nbody\r\n.\r\n"
#: The message stands behind DATA, where that was answered by 354.
DIALOGUE = (b"HELO c.example", MAIL, RCPT, b"RCPT TO:<s@example.org>", DATA, MESSAGE, MAIL, b"QUIT")
EVENTS = b"CHMRTLNBE"
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
_IN_CONTENT = b"LNBE"


def differs(event: bytes, said: str) -> bool:
    """Whether we answer otherwise, and mean to.

    We refuse the commands of a client whom a milter has refused for good before its banner, HELO among them. A gate
    has no queue to hold mail in. Postfix takes a message at which a milter hangs up on the client. A milter that says
    nonsense within a message has failed for our next message in the same words, where Postfix has others.
    """
    if event == b"C":
        return said in ("reject", "a reply")
    if said == "quarantine":
        return event not in b"CH"
    return event in _IN_CONTENT and said in ("shutdown", "no reply")


CASES = [(event, said) for event in (bytes([one]) for one in EVENTS) for said in SAID if not differs(event, said)]


@pytest.fixture(scope="module")
def milter() -> Iterator[ScriptedMilter]:
    """One milter, which both ask."""
    with scripted_milter() as found:
        yield found


@pytest.fixture(scope="module")
def theirs(milter: ScriptedMilter) -> Iterator[int]:
    """Postfix's port."""
    with postfix.running({"milter": (f"smtpd_milters={milter.service}",)}) as running:
        yield running.ports["milter"]


def of_postfix(port: int) -> list[bytes]:
    """What Postfix's client hears."""
    with Client(socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)) as client:
        heard = [client.reply()]
        for step in DIALOGUE:
            if step == MESSAGE and not heard[-1].startswith(b"354"):
                continue
            client.say(step if step == MESSAGE else step + b"\r\n")
            heard.append(client.reply())
    return heard


def of_ours(folder: Path, milter: ScriptedMilter) -> list[bytes]:
    """What our client hears."""
    heard: list[bytes] = []

    async def scene(at: Room) -> None:
        guest = await at.silent()
        heard.append(await reply(guest))
        for step in DIALOGUE:
            if not heard[-1] or (step == MESSAGE and not heard[-1].startswith(b"354")):
                continue
            await guest.say(step if step == MESSAGE else step + b"\r\n")
            heard.append(await reply(guest))

    at = room(folder, milter)
    play(at, closing(scene))
    return heard


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


@pytest.mark.parametrize(("event", "said"), CASES)
def test_clients_hear_the_same(theirs: int, milter: ScriptedMilter, tmp_path: Path, event: bytes, said: str) -> None:
    """At each command, and at the next message."""
    milter.says = {b"O": optneg(), event: SAID[said]}

    assert refusals(of_ours(tmp_path, milter)) == refusals(of_postfix(theirs))
