"""Content and its end: cases 45, 52, 53. Nothing is smuggled, and nothing is changed that need not be."""

import os
import random
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.support.backends.known import Demo, Keeper, Mailfront, Message, NotQmail, RealQmail
from tests.support.gate import LOCAL, MAIL, RCPT, RELAY, Gate, controls, gated
from tests.support.smtp_client import Content, Manner, every_manner, short, shorts
from tests.support.waiting import until

EHLO = b"EHLO client.example.net"
BEGIN = [EHLO, MAIL, RCPT, b"DATA"]
#: Backends, and those among them that could be smuggled to or take anything.
READERS: list[Callable[[Path, Path], Keeper]] = [NotQmail, Mailfront]
READERS += [RealQmail] if os.environ.get("QMAIL_SMTPD") else []
KINDS = [*READERS, Demo]
#: With these alone; the demonstration backend takes short lines only, and ends a session as qmail does.
for_readers = pytest.mark.parametrize("kept", READERS, indirect=True, ids=lambda made: made.__name__)
EVIL = b"MAIL FROM:<evil@example.net>\r\nRCPT TO:<r@example.org>\r\nDATA\r\nevil\r\n.\r\n"
#: What some servers take for the end of a message, and some do not (case 52).
FALSE_ENDS = [
    b"\n.\n",
    b"\n.\r\n",
    b"\r\n.\n",
    b"\r.\r",
    b"\r\n.\r",
    b"\n.\r",
    b"\r.\r\n",
    b"\r\n\0.\r\n",
    b"\r\n.\0\r\n",
    b"\r\r\n.\r\r\n",
    b"\r\n\r.\r\n",
    b"\r\n.\r\r\n",
    b"\n\n.\n\n",
    b"\r\n.\n\r\n",
    b"\n.\n.\n",
]


class Kept(NamedTuple):
    """A gate, and the backend behind it."""

    gate: Gate
    backend: Keeper

    def since(self, count: int) -> list[Message]:
        """Messages behind the first so many."""
        return self.backend.messages()[count:]


@pytest.fixture(scope="module", params=KINDS, ids=lambda made: made.__name__)
def kept(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kept]:
    """The gate before each backend that keeps its messages, with Postfix's strictest word about bare newlines."""
    folder = tmp_path_factory.mktemp("content")
    control = controls(folder / "control")
    backend: Keeper = request.param(folder / "backend", control)
    parameters = ("smtpd_error_sleep_time=0", "smtpd_hard_error_limit=1000", "smtpd_junk_command_limit=1000")
    with gated(backend.argv, folder, control=control, parameters=parameters, variables=backend.environment) as gate:
        yield Kept(gate, backend)


@pytest.mark.parametrize(
    ("wire", "text"),
    [
        (b"", b""),
        (b"\r\n", b"\n"),
        (b"no header\r\n", b"no header\n"),
        (b"Subject: x\r\n\r\n..\r\n...\r\n..x\r\n", b"Subject: x\n\n.\n..\n.x\n"),
        (b"..\r\n", b".\n"),
        (b"x\r\n..\r\n", b"x\n.\n"),
        (b"\r\n\r\n\r\n", b"\n\n\n"),
        (bytes(byte for byte in range(256) if byte not in b"\r\n") + b"\r\n", None),
        (b"a\rb\r\n\rc\r\n\r\r\n", b"a\rb\n\rc\n\r\n"),
        (b"\xe2\x82\xac\r\n" * 10_000, None),
    ],
    ids=lambda data: repr(data)[:30],
)
@pytest.mark.parametrize("manner", [Manner.STEPS, Manner.SEGMENT])
def test_case_45_content_arrives_as_it_was_sent(kept: Kept, manner: Manner, wire: bytes, text: bytes | None) -> None:
    """Dots, an empty message, none of a header, a line of 1 MB, any byte: identical, with LF for CRLF."""
    expected = text if text is not None else wire.replace(b"\r\n", b"\n")
    count = len(kept.backend.messages())
    replies = kept.gate.converse([*BEGIN, Content(wire + b".\r\n"), b"QUIT"], manner)
    assert [short(reply)[:3] for reply in replies[3:]] == ["354", "250", "221"]
    (message,) = kept.since(count)
    if isinstance(kept.backend, Mailfront):  # drops every CR before a LF
        message, expected = (
            message._replace(text=message.text.replace(b"\r\n", b"\n")),
            expected.replace(b"\r\n", b"\n"),
        )
    assert message.text == expected
    assert message[:2] == (b"s@example.net", (b"r@example.org",))


@for_readers
def test_case_45_a_line_of_1_mb(kept: Kept) -> None:
    """Is one line still."""
    count = len(kept.backend.messages())
    replies = kept.gate.converse([*BEGIN, Content(b"x" * 1_000_000 + b"\r\n.\r\n")])
    assert short(replies[4])[:3] == "250"
    assert kept.since(count)[0].text == b"x" * 1_000_000 + b"\n"


@pytest.mark.parametrize("wire", [b"..\r\n..x\r\n", b"a\rb\r\n", b"\0\xff\r\n\r\n"], ids=repr)
def test_case_45_byte_by_byte(kept: Kept, wire: bytes) -> None:
    """The same, however it is cut."""
    count = len(kept.backend.messages())
    replies = kept.gate.converse([*BEGIN, Content(wire + b".\r\n")], Manner.BYTES)
    assert short(replies[4])[:3] == "250"
    text = wire.replace(b"\r\n", b"\n").replace(b"..", b".")
    assert kept.since(count)[0].text == text


@for_readers
@pytest.mark.parametrize("end", FALSE_ENDS, ids=repr)
@every_manner
def test_case_52_nothing_is_smuggled(kept: Kept, manner: Manner, end: bytes) -> None:
    """One message or none, one reply, and evil is no command."""
    count, mark = len(kept.backend.messages()), kept.gate.mark()
    body = Content(b"Subject: x\r\n\r\nbody" + end + EVIL)
    replies = kept.gate.converse([*BEGIN, body, b"NOOP", b"QUIT"], manner)
    assert [short(reply)[:3] for reply in replies[3:]] in (["354", "250", "250", "221"], ["354", "550", "250", "221"])
    assert [message.sender for message in kept.since(count)] in ([], [b"s@example.net"])
    bare = b"\n" in (b"body" + end + b"MAIL").replace(b"\r\n", b"")
    assert (short(replies[4])[:3] == "550") == bare
    assert b"evil@example.net>; " not in kept.gate.since(mark)
    assert b"from=<evil" not in kept.gate.since(mark)


@for_readers
@pytest.mark.parametrize("end", FALSE_ENDS[:12], ids=repr)
def test_case_52_in_two_segments_cut_anywhere(kept: Kept, end: bytes) -> None:
    """At each byte of it, and around it; by as many clients at once."""
    before, count = b"x\r\n\r\nbody", len(kept.backend.messages())
    data = before + end + EVIL
    with ExitStack() as stack:
        cuts = range(len(before) - 1, len(before) + len(end) + 2)
        clients = {cut: stack.enter_context(kept.gate.client()) for cut in cuts}
        for cut, client in clients.items():
            client.converse([EHLO, b"MAIL FROM:<s%d@example.net>" % cut])
            client.say(RCPT + b"\r\nDATA\r\n")
        for cut, client in clients.items():
            assert [short(reply)[:3] for reply in client.replies(2)] == ["250", "354"]
            client.say(data[:cut])
            client.wait_read()
        for cut, client in clients.items():
            client.say(data[cut:])
        told = {b"s%d@example.net" % cut: short(client.reply())[:3] for cut, client in clients.items()}
        assert [shorts(client.converse([b"QUIT"])) for client in clients.values()] == [["221 2.0.0"]] * len(cuts)
    assert set(told.values()) <= {"250", "550"}
    senders = [message.sender for message in kept.since(count)]
    assert sorted(senders) == sorted(sender for sender, code in told.items() if code == "250")


@pytest.mark.parametrize("word", ["normalize", "no"])
@pytest.mark.parametrize("made", [Mailfront, NotQmail])
def test_case_52_where_bare_newlines_are_taken(made: Callable[[Path, Path], Keeper], tmp_path: Path, word: str) -> None:
    """The true end is the only one then, too: each message holds the evil one, which nobody has sent."""
    backend = made(tmp_path / "backend", controls(tmp_path / "control"))
    parameters = (f"smtpd_forbid_bare_newline={word}",)
    with gated(backend.argv, tmp_path, parameters=parameters, variables=backend.environment) as gate:
        for end in FALSE_ENDS:
            body = Content(b"Subject: x\r\n\r\nbody" + end + EVIL)
            replies = gate.converse([*BEGIN, body, b"QUIT"], Manner.SEGMENT)
            assert [short(reply)[:3] for reply in replies[5:]] == ["221"]
    messages = backend.messages()
    assert {message.sender for message in messages} <= {b"s@example.net"}
    assert all(message.text.endswith(b"\nevil\n") for message in messages)
    assert made is NotQmail or len(messages) == len(FALSE_ENDS)


@for_readers
@pytest.mark.parametrize("seed", range(40))
def test_case_52_content_by_chance(kept: Kept, seed: int) -> None:
    """Whatever it is, and however it is cut: refused where a newline is bare, else it arrives; it ends at CRLF.CRLF."""
    chance = random.Random(seed)
    pieces = [b"\r\n", b"\r\n", b"\r", b".", b".", b"a", b"\0", b"\xff", b"MAIL FROM:<evil@example.net>\r\n"]
    pieces += [b"\n"] * (seed % 2)
    drawn = b"".join(chance.choices(pieces, k=chance.randrange(1, 60)))
    whole, mark, _ = (b"\r\n" + drawn + b"\r\n.\r\n").partition(b"\r\n.\r\n")
    wire = (whole + mark)[2:]
    count = len(kept.backend.messages())
    with kept.gate.client() as client:
        client.converse(BEGIN)
        while wire:
            size = chance.randrange(1, len(wire) + 1)
            client.say(wire[:size])
            client.wait_read()
            wire = wire[size:]
        told = short(client.reply())[:3]
        assert shorts(client.converse([b"NOOP", b"QUIT"])) == ["250 2.0.0", "221 2.0.0"]
    lines = (whole + b"\r\n").split(b"\r\n")[1:-1]
    assert (told == "550") == any(b"\n" in line for line in lines)
    text = b"".join(line.removeprefix(b".") + b"\n" for line in lines)
    found = [message.text for message in kept.since(count)]
    if isinstance(kept.backend, Mailfront):  # it drops every CR before a LF, and a dot behind a CR that begins a line
        text = re.sub(rb"(?m)^\r\.", b"\r", text).replace(b"\r\n", b"\n")
        found = [message.replace(b"\r\n", b"\n") for message in found]
    assert found == ([] if told == "550" else [text])


@every_manner
def test_case_53_one_bare_newline(kept: Kept, manner: Manner) -> None:
    """550 5.5.2 behind the true end, nothing delivered, and the session goes on with another message."""
    count, mark = len(kept.backend.messages()), kept.gate.mark()
    bare, good = Content(b"Subject: x\r\n\r\na\nb\r\n.\r\n"), Content(b"Subject: y\r\n\r\ngood\r\n.\r\n")
    replies = kept.gate.converse([*BEGIN, bare, MAIL, RCPT, b"DATA", good, b"QUIT"], manner)
    assert [short(reply)[:9] for reply in replies[3:5]] == ["354", "550 5.5.2"]
    assert [short(reply)[:3] for reply in replies[5:]] == ["250", "250", "354", "250", "221"]
    assert [message.text for message in kept.since(count)] == [b"Subject: y\n\ngood\n"]
    until(lambda: b"550 5.5.2" in kept.gate.since(mark), "the refusal in the log")


@pytest.mark.parametrize("source", [RELAY, LOCAL])
@every_manner
def test_case_53_whoever_relays_is_normalized(kept: Kept, manner: Manner, source: str) -> None:
    """Bare newlines are line ends for them; a lone dot between such is dropped."""
    count = len(kept.backend.messages())
    body = Content(b"Subject: x\n\na\n.\nb\n.\r\nc\r\n.\nd\n..e\n\r\n.\r\n")
    replies = kept.gate.converse([*BEGIN, body, b"QUIT"], manner, source)
    assert short(replies[4])[:3] == "250"
    assert [message.text for message in kept.since(count)] == [b"Subject: x\n\na\nb\nc\nd\n.e\n\n"]


@for_readers
def test_a_large_message_goes_through_in_pieces(kept: Kept) -> None:
    """8 MB, while the queue is slower than the client."""
    count = len(kept.backend.messages())
    lines = b"".join(b"%07d %b\r\n" % (number, b"." * (number % 90)) for number in range(160_000))
    wire = b"Subject: x\r\n\r\n" + lines.replace(b"\r\n.", b"\r\n..")
    assert short(kept.gate.converse([*BEGIN, Content(wire + b".\r\n"), b"QUIT"])[4])[:3] == "250"
    assert kept.since(count)[0].text == (b"Subject: x\r\n\r\n" + lines).replace(b"\r\n", b"\n")
