"""The dialogue of a relay test, sans-IO: commands out, replies in. It never comes to DATA."""

from collections.abc import Callable, Generator, Sequence

from ..smtp.ehlo import keywords
from ..smtp.reply import Reply
from .probes import Probe

#: What is done before a reply has come: the greeting is the first.
_WAIT = b""
_RSET, _QUIT = b"RSET\r\n", b"QUIT\r\n"
#: Behind a positive reply to it TLS begins (RFC 3207).
STARTTLS = b"STARTTLS\r\n"


def script(
    name: bytes, probes: Sequence[Probe], answered: Callable[[Probe, Reply], None]
) -> Generator[bytes, Reply, None]:
    """Yield what is said, b"" at first; takes the reply to each. TLS is begun where it is offered.

    name: ours, for EHLO. answered: called for each probe with the reply that decides it, that to MAIL where there was
    no RCPT. A server that hangs up leaves the others unanswered; one that greets with 5xx has refused them all.
    """
    greeting = yield _WAIT
    if greeting.code >= 500:
        for probe in probes:
            answered(probe, greeting)
    hello = yield from _hello(name) if greeting.is_positive else _nothing(greeting)
    for probe in probes if hello.is_positive else ():
        reply = yield from _asked(probe)
        if reply.hangs_up:
            return
        answered(probe, reply)
        if (yield _RSET).hangs_up:
            return
    yield _QUIT


def _hello(name: bytes) -> Generator[bytes, Reply, Reply]:
    reply = yield b"EHLO %b\r\n" % name
    if reply.code in range(500, 521):
        reply = yield b"HELO %b\r\n" % name
    elif b"STARTTLS" in keywords(reply) and (yield STARTTLS).is_positive:
        reply = yield b"EHLO %b\r\n" % name
    return reply


def _nothing(reply: Reply) -> Generator[bytes, Reply, Reply]:
    return reply
    yield


def _asked(probe: Probe) -> Generator[bytes, Reply, Reply]:
    reply = yield b"MAIL FROM:<%b>\r\n" % probe.sender
    if reply.is_positive:
        reply = yield b"RCPT TO:<%b>\r\n" % probe.recipient
    return reply
