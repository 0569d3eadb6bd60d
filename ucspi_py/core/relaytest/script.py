"""The dialogue of a relay test, sans-IO: commands out, replies in. It never comes to DATA."""

from base64 import b64encode
from collections.abc import Callable, Generator, Sequence
from typing import NamedTuple

from ..smtp.ehlo import keywords
from ..smtp.reply import Reply
from .probes import Probe

#: What is done before a reply has come: the greeting is the first.
_WAIT = b""
#: RFC 4954, 4: the server waits for more of the login.
_GO_ON = 334
_RSET, _QUIT = b"RSET\r\n", b"QUIT\r\n"
#: Behind a positive reply to it TLS begins (RFC 3207).
STARTTLS = b"STARTTLS\r\n"


class Login(NamedTuple):
    """Whom the client logs in as. password: made for the test, of nobody."""

    user: bytes
    password: bytes

    def __repr__(self) -> str:
        """Show who, and never the password."""
        return f"Login({self.user!r})"


def script(
    name: bytes, login: Login | None, probes: Sequence[Probe], answered: Callable[[Probe, Reply], None]
) -> Generator[bytes, Reply, None]:
    """Yield what is said, b"" at first; takes the reply to each. TLS is begun where it is offered.

    name: ours, for EHLO. login: None = the client does not log in. answered: called for each probe with the reply that
    decides it, that to MAIL where there was no RCPT. A server that hangs up leaves the others unanswered; one that
    greets with 5xx, or does not let the client log in, has refused them all.
    """
    reply = yield _WAIT
    if reply.is_positive:
        reply = yield from _introduced(name, login)
    if reply.code >= 500:
        for probe in probes:
            answered(probe, reply)
    for probe in probes if reply.is_positive else ():
        reply = yield from _asked(probe)
        if reply.hangs_up:
            return
        answered(probe, reply)
        if (yield _RSET).hangs_up:
            return
    yield _QUIT


def _introduced(name: bytes, login: Login | None) -> Generator[bytes, Reply, Reply]:
    hello = yield from _hello(name)
    if login is None or not hello.is_positive:
        return hello
    mechanisms = keywords(hello).get(b"AUTH", b"").split()
    if b"LOGIN" not in mechanisms or b"PLAIN" in mechanisms:
        return (yield b"AUTH PLAIN %b\r\n" % b64encode(b"\0%b\0%b" % login))
    reply = yield b"AUTH LOGIN %b\r\n" % b64encode(login.user)
    return (yield b64encode(login.password) + b"\r\n") if reply.code == _GO_ON else reply


def _hello(name: bytes) -> Generator[bytes, Reply, Reply]:
    reply = yield b"EHLO %b\r\n" % name
    if reply.code in range(500, 521):
        reply = yield b"HELO %b\r\n" % name
    elif b"STARTTLS" in keywords(reply) and (yield STARTTLS).is_positive:
        reply = yield b"EHLO %b\r\n" % name
    return reply


def _asked(probe: Probe) -> Generator[bytes, Reply, Reply]:
    reply = yield b"MAIL FROM:<%b>\r\n" % probe.sender
    if reply.is_positive:
        reply = yield b"RCPT TO:<%b>\r\n" % probe.recipient
    return reply
