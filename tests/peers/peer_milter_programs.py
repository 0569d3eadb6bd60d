"""Debian's milters before Postfix's smtpd and before our gate: the same replies, and the same messages come out."""

import re
import smtplib
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.support.backends.known import Message, NotQmail
from tests.support.gate import Gate, controls, gated
from tests.support.milters.clamav import EICAR, clamav_milter, clamd
from tests.support.milters.dkim import Key, opendkim
from tests.support.milters.dmarc import opendmarc
from tests.support.milters.rspamd import GTUBE, rspamd
from tests.support.redisserver import RedisServer
from tests.support.waiting import PATIENCE, until

from . import postfix

#: Other than 127.0.0.1, which opendkim and opendmarc trust.
CLIENT = "127.0.0.2"
SENDER, RECIPIENTS = "s@example.net", ("r@example.org", "q@example.org")
#: Takes what Postfix delivers: the envelope in the first line, the message behind it.
_KEEP = """\
#!/bin/sh
cat >{folder}/$$.part && {{ echo "$@"; cat {folder}/$$.part; }} >{folder}/$$.tmp && mv {folder}/$$.tmp {folder}/$$.kept
"""
_MASTER = "keep unix - n n - - pipe user=nobody argv={program} ${{sender}} ${{recipient}}\n"
_MAIN = "local_transport = keep\nkeep_destination_recipient_limit = 100\n"
#: Another one each time.
_ITS_OWN = re.compile(rb"(?<=\tt=)\d+|(?<=\tb=)[^\n]*(?:\n[ \t][^\n]*)*")
_RECEIVED = re.compile(rb"Received: [^\n]*\n(?:[ \t][^\n]*\n)*")
HEAD = b"From: s@example.net\nTo: r@example.org\nDate: Thu, 26 Nov 2026 21:26:28 +0000\nMessage-Id: <1@example.net>\n"
VIRUS = (
    b'MIME-Version: 1.0\nContent-Type: application/octet-stream; name="x.com"\n'
    b'Content-Disposition: attachment; filename="x.com"\n\n' + EICAR
)
#: No header has a blank before its colon: Postfix takes that out.
MESSAGES = {
    "a body": HEAD + b"Subject: hello\n\n.dot\n..\nbody  \n\n\n",
    "no body": HEAD + b"Subject: hello\n\n",
    "an empty line": b"\n",
    "no headers": b"\nbody\n",
    "no header at once": b"no header\nSubject: x\n\nbody\n",
    "no header later": HEAD + b"no header\nSubject: x\n\nbody\n",
    "headers alone": HEAD + b"Subject: hello\n",
    "odd headers": HEAD
    + b"Subject:hello\nX-One:  two  \n\tfolded\n  and more \nX-Two:\tx\nX-Empty:\nX-Blank: \n\nbody\n",
    "8 bits": HEAD + "Subject: h€llo\nMIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\n\nb€dy\n".encode(),
    "long": HEAD + b"Subject: hello\nX-Long: %b\n\n%b\n%b" % (b"word " * 300, b"0123456789 " * 80, b"line\n" * 40_000),
    "results": HEAD + b"Authentication-Results: mx.example.org; dkim=pass\nSubject: hello\n"
    b"Authentication-Results: a.example; dkim=pass\nAuthentication-Results: mx.example.org; dmarc=pass\n\nbody\n",
    "marks": HEAD + b"X-Spam: Yes\nSubject: hello\nX-Spam: No\nX-Virus-Status: Infected\nX-Virus-Status: x\n\nbody\n",
    "a virus": HEAD + VIRUS + b"\n",
    "gtube": HEAD + b"Subject: gtube\n\n" + GTUBE + b"\n",
    **{
        subject: HEAD + f"Subject: {subject}\nX-Spam: No\n\nbody\n".encode()
        for subject in ("five points", "seven points", "nine points", "throw away", "go elsewhere")
    },
    "no policy": HEAD.replace(b"example.net", b"example.com") + b"Subject: hello\n\nbody\n",
}
NAMES = ("opendkim signs", "opendkim verifies", "opendmarc", "clamav-milter", "rspamd", "all")
THROWN_AWAY = (("rspamd", "throw away"), ("all", "throw away"))


class Peers(NamedTuple):
    """Both servers behind the same milters. theirs: Postfix's port. backend: has what ours takes."""

    theirs: int
    ours: Gate
    backend: NotQmail


class World(NamedTuple):
    """What asks milters, by the names of these. kept: where Postfix's messages come out. redis: of rspamd."""

    peers: dict[str, Peers]
    kept: Path
    redis: RedisServer


def _milters(stack: ExitStack, folder: Path, redis: RedisServer) -> dict[str, Sequence[str]]:
    """Start each; their services, by the names of those that stand in one list."""
    key = Key(folder)
    places = {name: folder / name for name in ("signs", "verifies", "clamav")}
    for place in places.values():
        place.mkdir()
    own = ("Canonicalization simple/simple", f"InternalHosts {CLIENT}")
    signs = stack.enter_context(opendkim(places["signs"], key, *own))
    verifies = stack.enter_context(opendkim(places["verifies"], key, "AlwaysAddARHeader yes"))
    judges = stack.enter_context(opendmarc(folder, "mx.example.org", {"example.net": "reject"}))
    scanner = stack.enter_context(clamd(places["clamav"]))
    scans = stack.enter_context(clamav_milter(places["clamav"], scanner, "OnInfected Reject"))
    filters = stack.enter_context(rspamd(folder, redis, key)).service
    return {
        "opendkim signs": (signs,),
        "opendkim verifies": (verifies,),
        "opendmarc": (verifies, judges),
        "clamav-milter": (scans,),
        "rspamd": (filters,),
        "all": (verifies, scans, filters, signs),
    }


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    """Postfix, a gate for each list of milters, and all milters."""
    with tempfile.TemporaryDirectory() as place, ExitStack() as stack:
        yield _world(stack, Path(place))


def _world(stack: ExitStack, folder: Path) -> World:
    kept = folder / "kept"
    kept.mkdir()
    kept.chmod(0o777)  # nobody delivers
    folder.chmod(0o755)  # and Postfix's user speaks to milters
    program = folder / "keep"
    program.write_text(_KEEP.format(folder=kept))
    program.chmod(0o755)
    redis = stack.enter_context(RedisServer(folder))
    profiles = {
        name: (f"smtpd_milters={', '.join(services)}",) for name, services in _milters(stack, folder, redis).items()
    }
    master = _MASTER.format(program=program)
    theirs = stack.enter_context(postfix.running(profiles, main=postfix.PLAIN + _MAIN, master=master))
    peers = {}
    for name, own in profiles.items():
        place = folder / f"gate of {name}"
        backend = NotQmail(place / "backend", controls(place / "control"))
        parameters = (*own, "compatibility_level=3.6", "myhostname=mx.example.org")
        variables = {**backend.environment, "DNSCACHEIP": "127.0.0.1@9"}
        gate = gated(
            backend.argv, place, parameters=parameters, control=place / "control", rules=":allow\n", variables=variables
        )
        peers[name] = Peers(theirs.ports[name], stack.enter_context(gate), backend)
    return World(peers, kept, redis)


def said(port: int, message: bytes) -> str:
    """What a server says to a message; no more than the code where it takes that."""
    with smtplib.SMTP("127.0.0.1", port, "c.example", PATIENCE, (CLIENT, 0)) as client:
        client.ehlo()
        replies = [client.mail(SENDER, ["BODY=8BITMIME"]), *map(client.rcpt, RECIPIENTS)]
        assert {code for code, _ in replies} == {250}, replies
        code, text = client.data(message.replace(b"\n", b"\r\n"))
    return f"{code}" if code == 250 else f"{code} {text.decode()}"


def came_out(world: World) -> Message | None:
    """What Postfix delivers next; None = it has not delivered it yet."""
    for file in world.kept.glob("*.kept"):
        envelope, _, text = file.read_bytes().partition(b"\n")
        sender, *recipients = envelope.split()
        file.unlink()
        return Message(sender, tuple(recipients), _RECEIVED.sub(b"", text, count=1))
    return None


def common(message: Message) -> Message:
    """A message without what is another one each time."""
    return message._replace(recipients=tuple(sorted(message.recipients)), text=_ITS_OWN.sub(b"?", message.text))


@pytest.mark.parametrize("shape", MESSAGES)
@pytest.mark.parametrize("name", NAMES)
def test_the_same_comes_out(world: World, name: str, shape: str) -> None:
    """The same reply, and the same message for the same recipients or none."""
    peers = world.peers[name]
    world.redis.empty()
    expected = said(peers.theirs, MESSAGES[shape])
    world.redis.empty()
    count = len(peers.backend.messages())

    assert said(peers.ours.port, MESSAGES[shape]) == expected

    ours = [common(message) for message in peers.backend.messages()[count:]]
    assert len(ours) == (expected == "250" and (name, shape) not in THROWN_AWAY)
    if ours:
        assert ours == [common(until(lambda: came_out(world), "Postfix to deliver"))]


def test_postfix_delivers_nothing_more(world: World) -> None:
    """What one of both throws away, the other one does, too."""
    last = world.peers["opendkim signs"]
    said(last.theirs, MESSAGES["a body"])
    assert until(lambda: came_out(world)).text.endswith(MESSAGES["a body"])
