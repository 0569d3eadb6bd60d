"""The exact lines of pypostgrey, as those of postgrey where that has them. Each function one line; never writes it."""

from collections.abc import Iterable

from ..policy.request import Request
from ..text import clean

#: Of what an action line tells of a request, in this order (postgrey, mylog_action).
_TOLD = (b"client_name", b"client_address", b"sender", b"recipient")
_GARBAGE_LIMIT = 100


def action(request: Request, verb: bytes, reason: bytes, more: Iterable[bytes] = ()) -> bytes:
    """Tell what was answered, and why. more: what stands behind the reason."""
    queue_id = request.get(b"queue_id")
    words = [b"action=" + verb, b"reason=" + reason, *more]
    words += [b"%s=%s" % (name, value) for name in _TOLD if (value := request.get(name))]
    return clean((queue_id + b": " if queue_id else b"") + b", ".join(words)) + b"\n"


def missing(name: bytes) -> bytes:
    """Report a request without what it must have."""
    return b"warning: attribute missing: %s\n" % clean(name)


def no_address(text: bytes) -> bytes:
    """Report a client whose address is none."""
    return b"warning: can't parse client_address from postfix: %s\n" % clean(text)


def unrecognized(kind: bytes) -> bytes:
    """Report a request of another protocol."""
    return b"unrecognized request type: '%s'\n" % clean(kind)


def garbage(line: bytes) -> bytes:
    """Report a line that is no attribute."""
    return b"ignoring garbage: <%s>\n" % clean(line[:_GARBAGE_LIMIT])


def endless(sentence: str) -> bytes:
    """Report a connection that was ended, because what came had no end."""
    return b"warning: connection closed: %s\n" % clean(sentence.encode())


def whitelisted(request: Request) -> bytes:
    """Report a client that need not wait any more."""
    name, address = request.get(b"client_name"), request.get(b"client_address")
    return b"whitelisted: %s\n" % clean(b"%s[%s]" % (name, address) if name else address)


def starting(processes: int) -> bytes:
    """Report the start. processes: that answer."""
    return b"starting, %d process%s\n" % (processes, b"" if processes == 1 else b"es")


def stopping() -> bytes:
    """Report the end."""
    return b"stopping\n"


def reloading() -> bytes:
    """Report that SIGHUP has come."""
    return b"HUP received: reloading whitelists...\n"


def warning(sentence: str) -> bytes:
    """Report whatever is wrong."""
    return b"warning: %s\n" % clean(sentence.encode("utf-8", "surrogateescape"))
