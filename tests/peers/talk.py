"""What clients say by chance to servers with restriction lists, and what they hear."""

import random
import socket
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from tests.support.smtp_client import Client, Content, Manner, Step, short
from tests.support.waiting import PATIENCE

from .world import CLIENTS

_HELOS = str.split(
    """mx.far.example pc 127.0.0.1 [192.0.2.7] [192.0.2 a_b.-c nowhere.example null.example fails.example
        a.b far.example far.example. a-only.example b ours.example mx.example.org [IPv6:2001:db8::1]
        broken.example"""
)
_ODD_HELOS = (
    *(b"a b", b"-a.example", b"a..b", b"1.2.3.4.", b"host.", b"[]", b"[IPv6:zz]", b"<b>", b"x\xe9.example", b"x" * 300),
    *(b"[127.0.0.1]", b"FAR.example", b"12-3", b"::1", b"a_b.example", b"[192.0.2.7].", b"null.example.", b"."),
)
_LOCALS = str.split("a a u u ext+x ext-y joe nobody ext moved canon owner-u u-request postmaster")
_DOMAINS = str.split(
    """far.example far.example ours.example ours.example host nowhere.example null.example fails.example
        a-only.example broken.example literal.example failing.example loop.example many.example sub.far.example
        [192.0.2.1] other.example FAR.example mx.example.org"""
)
_DESTINATIONS = str.split(
    """ours.example ours.example ours.example relayed.example relayed.example sub.relayed.example
        virtual.example alias.example other.example null.example mx.example.org sub.ours.example
        Ours.Example"""
)
_ROUTED = bytes.split(
    rb"""u%other.example@ours.example u%relayed.example@ours.example other.example!u@ours.example other!u
    "u@other.example"@ours.example u%ours.example "a\.b"@ours.example u@[127.0.0.1] u%x@relayed.example
    @ours.example:u@other.example postmaster u joe"""
)
_ODD = (
    *(b"ext+@ours.example", b"+x@ours.example", b"u@[IPv6:::1]", b"u@[1]", b"u@[ours.example]"),
    *(b"u@-bad.example", b"u@a..b", b"u@1.2.3.4", b"U@OURS.EXAMPLE", b"Ext+X@relayed.example"),
    *(b"u@a_b.example", b"MAILER-DAEMON", b"ext+x+y@virtual.example"),
    *(b"u@" + b"x" * 64 + b".example", b"u@" + b"x." * 130 + b"example", b"l" * 65 + b"@ours.example"),
)
CONTENT = b"content"
_CONTENTS = (b"Subject: x\r\n\r\nx\r\n.\r\n", b".\r\n", b"Subject: x\r\n\r\na\nb\r\n.\r\n")


class Talk(NamedTuple):
    """What one client says. source: its address. manner: None = all commands but DATA at once."""

    source: str
    steps: Sequence[Step]
    manner: Manner | None


def by_chance(draw: random.Random, *, tidy: bool) -> Talk:
    """One of them. tidy: a message is followed by RSET, and EHLO comes in no transaction."""
    manner = draw.choice([Manner.STEPS, Manner.STEPS, Manner.SEGMENT, Manner.SEGMENT, None])
    return Talk(draw.choice(CLIENTS), [*_steps(draw, tidy=tidy)], manner)


def _steps(draw: random.Random, *, tidy: bool) -> Iterator[Step]:
    if draw.random() < 0.97:
        name = draw.choice(_ODD_HELOS) if draw.random() < 0.15 else draw.choice(_HELOS).encode()
        yield draw.choice([b"EHLO ", b"EHLO ", b"HELO "]) + name
    for _ in range(draw.choice([1, 1, 2, 3])):
        yield b"MAIL FROM:<%b>" % _sender(draw)
        for _ in range(draw.choice([1, 1, 2, 3])):
            yield b"RCPT TO:<%b>" % _recipient(draw)
        chance = draw.random()
        if chance < 0.75:
            yield b"DATA"
            yield Content(draw.choices(_CONTENTS, [8, 1, 1])[0])
        elif chance < 0.85:
            yield b"NOOP" if tidy else draw.choice([b"NOOP", b"EHLO pc"])
        if chance > 0.7 or tidy:
            yield b"RSET"
    yield b"QUIT"


def _sender(draw: random.Random) -> bytes:
    chance = draw.random()
    if chance < 0.12:
        return b""
    if chance < 0.25:
        return draw.choice(_ROUTED if chance < 0.18 else _ODD)
    local = draw.choice(_LOCALS)
    return (local if chance < 0.3 else f"{local}@{draw.choice(_DOMAINS)}").encode()


def _recipient(draw: random.Random) -> bytes:
    if draw.random() < 0.2:
        return draw.choice([*_ROUTED, *_ODD])
    return f"{draw.choice(_LOCALS)}@{draw.choice(_DESTINATIONS)}".encode()


class Heard(NamedTuple):
    """What was said, and the reply to it."""

    said: bytes
    reply: bytes


def heard(port: int, talk: Talk) -> list[Heard]:
    """The banner, and what each step is told; of what passes the codes alone, for its words are each server's own."""
    connected = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE, source_address=(talk.source, 0))
    with Client(connected) as client:
        banner = client.reply()
        if talk.manner:
            replies = client.converse(talk.steps, talk.manner)
        else:
            commands = [step for step in talk.steps if isinstance(step, bytes) and step != b"DATA"]
            client.say(b"".join(step + b"\r\n" for step in commands))
            replies = client.replies(len(commands))
            return [*map(Heard, [b"", *commands], map(_told, [banner, *replies]))]
    return [*map(Heard, [b"", *_said(talk.steps, replies)], map(_told, [banner, *replies]))]


def _told(reply: bytes) -> bytes:
    return reply if reply[:1] in b"45" else short(reply).encode()


def _said(steps: Sequence[Step], replies: Sequence[bytes]) -> Iterator[bytes]:
    """Yield what the replies are to: content is sent behind 354 alone."""
    place = 0
    for step in steps:
        begun = place > 0 and replies[place - 1 : place] and replies[place - 1].startswith(b"354")
        if begun or not isinstance(step, Content):
            yield step if isinstance(step, bytes) else CONTENT
            place += 1
