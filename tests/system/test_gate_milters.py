"""Milters at the gate: what a client hears at each command, and what reaches the backend."""

import base64
import gc
import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.gate_room import BEGIN, MAIL, RCPT, Room
from tests.support.milter import CLOSES, CONTINUE, ScriptedMilter, optneg, scripted_milter
from tests.support.milters.dkim import Key, opendkim
from tests.support.milters.scenes import absent, message, play, sent, ways
from tests.support.restrictions import split
from ucspi_py.core.dns.message import Answer
from ucspi_py.core.gate.content.settings import ContentSettings
from ucspi_py.core.gate.language.words import Word
from ucspi_py.core.gate.maps.names import MapName
from ucspi_py.core.gate.milter.service import parse_milter
from ucspi_py.core.gate.milter.settings import GateMilters
from ucspi_py.core.gate.restrictions.parse import parse_list
from ucspi_py.core.gate.restrictions.settings import RestrictionSettings
from ucspi_py.core.milter.packet import number, packed
from ucspi_py.core.milter.words import Protocol
from ucspi_py.core.smtp.dialogue import Dialogue
from ucspi_py.system.gate.lists.lookups import Ways
from ucspi_py.system.gate.milter.client_milters import ClientMilters

SPAM = packed(b"y", b"554 5.7.1 Spam\0")


@pytest.fixture
def milter() -> Iterator[ScriptedMilter]:
    """A milter."""
    with scripted_milter() as found:
        yield found


def room(
    folder: Path, milter: ScriptedMilter, content: ContentSettings | None = None, own: str = "", **smtp: Any
) -> Room:
    """A gate with a milter."""
    word = f"{{ {milter.service}, {own} }}" if own else milter.service
    return Room(folder, milters=GateMilters((parse_milter(word),)), content=content, ways=ways, **smtp)


def test_a_message_past_a_milter(tmp_path: Path, milter: ScriptedMilter) -> None:
    """It is told all, changes what it wants, and the backend hears of that alone."""
    milter.says[b"E"] = packed(b"i", b"\0\0\0\0X-Seen\0yes\0") + packed(b"+", b"<two@example.org>\0") + CONTINUE
    at = room(tmp_path, milter)

    async def scene(at: Room) -> None:
        guest = await at.guest()
        assert (await guest.ask(*BEGIN)).startswith(b"250")
        assert await message(guest) == b"250 queued"
        await guest.ask(b"QUIT")
        await guest.gone()

    play(at, scene)
    assert milter.commands.replace(b"D", b"").rstrip(b"Q") == b"OCHMRTLNBE"
    assert sent(at) == [b"X-Seen: yes", b"Subject: x", b"", b"..dot", b"body"]
    assert b"RCPT TO:<two@example.org>" in at.heard


@pytest.mark.parametrize(
    ("command", "steps", "heard"),
    [
        (b"M", (b"HELO c", MAIL), b"554 5.7.1 Spam"),
        (b"R", (b"HELO c", MAIL, RCPT), b"554 5.7.1 Spam"),
        (b"T", (b"HELO c", MAIL, RCPT, b"DATA"), b"554 5.7.1 Spam"),
        (b"H", (b"HELO c",), b"250 mx.example.org"),
        (b"H", (b"HELO c", MAIL), b"554 5.7.1 Spam"),
    ],
)
def test_refusals(
    tmp_path: Path, milter: ScriptedMilter, command: bytes, steps: tuple[bytes, ...], heard: bytes
) -> None:
    """Each at its command."""
    milter.says[command] = SPAM
    at = room(tmp_path, milter)

    async def scene(at: Room) -> None:
        guest = await at.guest()
        assert await guest.ask(*steps) == heard
        await guest.ask(b"QUIT")
        await guest.gone()

    play(at, scene)
    assert b"DATA" not in at.heard


@pytest.mark.parametrize("wants", [Protocol(0), Protocol.RCPT_REJ])
def test_a_recipient_that_the_gate_refuses(tmp_path: Path, milter: ScriptedMilter, wants: Protocol) -> None:
    """A milter hears of it where it wants to; whatever it says, the recipient stays refused, and others may follow."""
    milter.says |= {b"O": optneg(protocol=wants), b"R": CONTINUE}
    at = room(tmp_path, milter)

    async def scene(at: Room) -> None:
        guest = await at.guest()
        assert await guest.ask(b"HELO c", MAIL, b"RCPT TO:<x@elsewhere.example>") == (
            b"554 5.7.1 <x@elsewhere.example>: Relay access denied"
        )
        assert (await guest.ask(RCPT)).startswith(b"250 ")
        assert await message(guest) == b"250 queued"
        await guest.ask(b"QUIT")
        await guest.gone()

    play(at, scene)
    heard = [one.data for one in milter.heard if one.command == b"R"]
    assert heard == [b"<x@elsewhere.example>\0"] * bool(wants) + [b"<r@example.org>\0"]
    assert not [line for line in at.heard if b"elsewhere" in line]


def test_whose_mail_it_is(tmp_path: Path, milter: ScriptedMilter) -> None:
    """Macros tell which addresses are ours: those in rcpthosts."""
    at = room(tmp_path, milter)

    async def scene(at: Room) -> None:
        guest = await at.guest()
        await guest.ask(b"HELO c", MAIL, b"RCPT TO:<r@EXAMPLE.org>", b"QUIT")
        await guest.gone()

    play(at, scene)
    macros = b"".join(one.data for one in milter.heard if one.command == b"D")
    assert b"{mail_host}\0example.net\0{mail_mailer}\0smtp\0" in macros
    assert b"{rcpt_mailer}\0local\0" in macros


_REJECT, _REFUSED = b"NOQUEUE: milter-reject: ", b"unknown[192.0.2.7]: 554 5.7.1 Spam; "
_DISCARD, _DISCARDED = b"NOQUEUE: milter-discard: ", b"unknown[192.0.2.7]: milter triggers DISCARD action; "


@pytest.mark.parametrize(
    ("command", "said", "line"),
    [
        (b"C", SPAM, _REJECT + b"CONNECT from " + _REFUSED + b"proto=SMTP"),
        (b"H", SPAM, _REJECT + b"HELO from " + _REFUSED + b"proto=SMTP helo=<c>"),
        (
            *(b"R", SPAM),
            _REJECT + b"RCPT from " + _REFUSED + b"from=<s@example.net> to=<r@example.org> proto=SMTP helo=<c>",
        ),
        (b"M", packed(b"d"), _DISCARD + b"MAIL from " + _DISCARDED + b"from=<s@example.net> proto=SMTP helo=<c>"),
    ],
)
def test_the_log(tmp_path: Path, milter: ScriptedMilter, command: bytes, said: bytes, line: bytes) -> None:
    """One line for each, in Postfix's words, and none of a refusal by the gate."""
    milter.says[command] = said
    at = room(tmp_path, milter)

    async def scene(at: Room) -> None:
        guest = await at.silent()
        await guest.line()
        await guest.ask(b"HELO c")
        await guest.ask(MAIL)
        await guest.ask(RCPT)
        await guest.ask(b"QUIT")
        await guest.gone()

    play(at, scene)
    told = [one for one in at.told if b"NOQUEUE" in one]
    assert told[0] == line
    assert not [one for one in told if b": reject:" in one]


def test_a_refused_client(tmp_path: Path, milter: ScriptedMilter) -> None:
    """Its banner says so, and the log says why, also of one that says no more then."""
    milter.says[b"C"] = SPAM
    at = room(tmp_path, milter)

    async def scene(at: Room) -> None:
        guest = await at.silent()
        assert await guest.line() == b"554 mx.example.org ESMTP not accepting connections"
        assert at.told == [b"NOQUEUE: milter-reject: CONNECT from unknown[192.0.2.7]: 554 5.7.1 Spam; proto=SMTP"]
        assert await guest.ask(MAIL) == b"554 5.7.1 Spam"
        await guest.ask(b"QUIT")
        await guest.gone()

    play(at, scene)


@pytest.mark.parametrize(
    ("own", "said", "heard"),
    [
        ("", SPAM, b"554 5.7.1 Spam"),
        ("", packed(b"d"), b"250 2.0.0 Ok: discarded"),
        ("", CLOSES, b"451 4.7.1 Service unavailable - try again later"),
        ("default_action=accept", CLOSES, b"250 queued"),
    ],
)
def test_the_end_of_a_message(tmp_path: Path, milter: ScriptedMilter, own: str, said: bytes, heard: bytes) -> None:
    """Where it does not pass, the backend has not heard DATA, and another message may follow."""
    milter.says[b"E"] = said
    at = room(tmp_path, milter, own=own)

    async def scene(at: Room) -> None:
        guest = await at.guest()
        await guest.ask(*BEGIN)
        assert await message(guest) == heard
        assert b"DATA" in at.heard or heard != b"250 queued"
        assert (await guest.ask(b"RSET")).startswith(b"250")
        await guest.ask(b"QUIT")
        await guest.gone()

    play(at, scene)
    assert (b"DATA" in at.heard) == (heard == b"250 queued")


def test_checks_come_before_milters(tmp_path: Path, milter: ScriptedMilter) -> None:
    """A milter hears what header checks have left; what they refuse it does not hear."""
    (tmp_path / "checks").write_bytes(b"/^Subject: x/ REPLACE Subject: y\n/^Subject: bad/ REJECT no\n")
    content = ContentSettings(header_checks=(MapName("regexp", str(tmp_path / "checks")),))
    at = room(tmp_path, milter, content)

    async def scene(at: Room) -> None:
        guest = await at.guest()
        await guest.ask(*BEGIN)
        assert await message(guest) == b"250 queued"
        await guest.ask(MAIL, RCPT)
        assert await message(guest, b"Subject: bad\r\n\r\n.\r\n") == b"550 5.7.1 no"
        await guest.ask(b"QUIT")
        await guest.gone()

    play(at, scene)
    assert [one.data for one in milter.heard if one.command == b"L"] == [b"Subject\0y\0"]
    assert sent(at)[0] == b"Subject: y"


@pytest.fixture
def signer(tmp_path: Path) -> Iterator[str]:
    """Debian's opendkim, which signs for the address of the client."""
    own = ("Canonicalization simple/simple", "InternalHosts 192.0.2.7")
    with opendkim(tmp_path, Key(tmp_path), *own) as service:
        yield service


@pytest.mark.parametrize("lines", [1, 5000])
def test_opendkim_signs(tmp_path: Path, signer: str, lines: int) -> None:
    """Its header is above all others, and the message is as it was, to the byte; the hash of the body is right."""
    content = b"From: s@example.net\r\nSubject: x\r\n\r\n..dot\r\n" + b"body  \r\n" * lines
    milters = GateMilters((parse_milter(signer),))
    at = Room(tmp_path, milters=milters, ways=ways)

    async def scene(at: Room) -> None:
        guest = await at.guest()
        await guest.ask(*BEGIN)
        assert await message(guest, content + b".\r\n") == b"250 queued"
        await guest.ask(b"QUIT")
        await guest.gone()

    play(at, scene)
    found = b"\n".join(sent(at)) + b"\n"
    signature, rest = found[: -len(content.replace(b"\r", b""))], found[-len(content.replace(b"\r", b"")) :]
    assert rest == content.replace(b"\r", b"")
    assert signature.startswith(b"DKIM-Signature: v=1; a=rsa-sha256; c=simple/simple; d=example.net; s=sel;")
    body = content.partition(b"\r\n\r\n")[2].replace(b"\n..", b"\n.")[1:]
    assert base64.b64encode(hashlib.sha256(body).digest()) in signature.replace(b"\n\t", b"").replace(b"\n ", b"")


def test_a_header_on_which_libmilter_hangs_up(tmp_path: Path, signer: str) -> None:
    """It is refused before opendkim fails by it, whose default action would let the message pass."""
    milters = GateMilters((parse_milter(f"{{ {signer}, default_action=accept }}"),))
    at = Room(tmp_path, milters=milters, ways=ways)

    async def scene(at: Room) -> None:
        guest = await at.guest()
        await guest.ask(*BEGIN)
        content = b"From: s@example.net\r\nX: %b\r\n\r\nbody\r\n.\r\n" % (b"x" * 66000)
        assert await message(guest, content) == b"552 5.3.4 The headers of the message are too large"
        await guest.ask(b"QUIT")
        await guest.gone()

    play(at, scene)
    assert b"." not in at.heard


def test_an_address_that_is_not_ascii(tmp_path: Path, milter: ScriptedMilter) -> None:
    """It is told as it is, and SMTPUTF8 is not, as Postfix has it: only a client says that a message needs it."""
    address = "<\u00e9@example.org>".encode()
    milter.says[b"E"] = packed(b"+", address + b"\0") + packed(b"e", address + b"\0") + CONTINUE
    at = room(tmp_path, milter)

    async def scene(at: Room) -> None:
        guest = await at.guest()
        await guest.ask(*BEGIN)
        assert await message(guest) == b"250 queued"
        await guest.ask(b"QUIT")
        await guest.gone()

    play(at, scene)
    assert [line for line in at.heard if address in line] == [b"MAIL FROM:" + address, b"RCPT TO:" + address]


@pytest.mark.parametrize(
    ("check", "above"),
    [
        ("", [b"X-One: 1", b"X-Two: 2", b"(Received)"]),
        ("/^X-One:/ IGNORE", [b"X-Two: 2", b"(Received)"]),
        ("/^X-(One|Two):/ STRIP", [b"(Received)"]),
        ("/^X-Two:/ PREPEND X-More: 0", [b"X-One: 1", b"X-More: 0", b"X-Two: 2", b"(Received)"]),
        ("/^X-One:/ REPLACE X-More: 0", [b"X-More: 0", b"X-Two: 2", b"(Received)"]),
        ("/^X-One:/ PASS", [b"X-One: 1", b"X-Two: 2", b"(Received)"]),
        ("/^X-Three:/ PREPEND X-More: 0", [b"X-One: 1", b"X-Two: 2", b"(Received)", b"X-More: 0"]),
    ],
)
@pytest.mark.parametrize("place", range(5))
def test_headers_of_lists_are_counted(
    tmp_path: Path, milter: ScriptedMilter, place: int, check: str, above: list[bytes]
) -> None:
    """A header stands where Postfix has it: behind those of lists comes its own Received, of which there is none.

    They count as checks have left them.
    """
    (tmp_path / "checks").write_text(f"{check}\n")
    content = ContentSettings(header_checks=(MapName("regexp", str(tmp_path / "checks")),)) if check else None
    milter.says[b"E"] = packed(b"i", number(place) + b"X-Milter\0here\0") + CONTINUE
    words = ("check_sender_access", "static:{PREPEND X-One: 1}", "check_recipient_access", "static:{PREPEND X-Two: 2}")
    lists = RestrictionSettings(smtpd_recipient_restrictions=parse_list([Word(word, "") for word in words]))
    milters = GateMilters((parse_milter(milter.service),))
    at = Room(tmp_path, milters=milters, restrictions=lists, ways=ways, content=content)

    async def scene(at: Room) -> None:
        guest = await at.guest()
        await guest.ask(*BEGIN)
        assert await message(guest, b"X-Three: 3\r\nX-Four: 4\r\n\r\nbody\r\n.\r\n") == b"250 queued"
        await guest.ask(b"QUIT")
        await guest.gone()

    play(at, scene)
    headers = [*above, b"X-Three: 3", b"X-Four: 4"]
    headers.insert(place, b"X-Milter: here")
    headers.remove(b"(Received)")
    assert sent(at) == [*headers, b"", b"body"]


def test_a_client_that_leaves(tmp_path: Path, milter: ScriptedMilter) -> None:
    """The milter is left with it, also in the midst of a message."""
    at = room(tmp_path, milter)

    async def scene(at: Room) -> None:
        guest = await at.guest()
        await guest.ask(*BEGIN, b"DATA")
        await guest.say(b"Subject: x\r\n")
        guest.socket.close()
        await guest.gone()

    play(at, scene)
    assert b"E" not in milter.commands
    assert b"DATA" not in at.heard


def test_the_name_is_found_out_once(tmp_path: Path, milter: ScriptedMilter) -> None:
    """Lists and milters hear of the same one."""
    asked: list[bytes] = []

    def ask(name: bytes, kind: int, deadline: float, callback: Callable[[Answer], None]) -> None:
        asked.append(name)
        absent(name, kind, deadline, callback)

    lists = RestrictionSettings(smtpd_recipient_restrictions=parse_list(split("permit")))
    milters = GateMilters((parse_milter(milter.service),))
    at = Room(tmp_path, milters=milters, restrictions=lists, ways=lambda: Ways(ask, absent))  # type: ignore[arg-type]

    async def scene(at: Room) -> None:
        guest = await at.guest()
        await guest.ask(*BEGIN)
        await guest.ask(b"QUIT")
        await guest.gone()

    play(at, scene)
    assert asked == [b"7.2.0.192.in-addr.arpa"]


def _clients() -> list[object]:
    """What of clients there is, of other tests as well, as one that has failed."""
    return [one for one in gc.get_objects() if isinstance(one, ClientMilters | Dialogue)]


def test_a_client_that_has_left_is_gone_without_the_garbage_collector(tmp_path: Path, milter: ScriptedMilter) -> None:
    """Lists that find its name, its dialogue and its milters do not hold each other."""
    lists = RestrictionSettings(smtpd_recipient_restrictions=parse_list(split("permit")))
    at = Room(tmp_path, milters=GateMilters((parse_milter(milter.service),)), restrictions=lists, ways=ways)

    async def scene(at: Room) -> None:
        guest = await at.guest()
        assert (await guest.ask(*BEGIN)).startswith(b"250")
        assert await message(guest) == b"250 queued"
        await guest.ask(b"QUIT")
        await guest.gone()

    gc.collect()
    before = {id(one) for one in _clients()}
    gc.disable()
    try:
        play(at, scene)
        left = [one for one in _clients() if id(one) not in before]
    finally:
        gc.enable()

    assert left == []
