"""The exact lines of tcpserver and its screens, made safe for loggers. Each function one line; never writes it.

A line with ``rblsmtpd`` in it is a refusal, and nothing else is: qmailmrtg7 counts each of them as a denied client,
Mail-Toaster as spam, and filters of fail2ban ban the address behind it. All else about zones is told as ``dnsbl``.
"""

import re
from collections.abc import Iterable, Mapping

from .address import is_ipv6
from .client.connection import Endpoints, Names
from .text import clean

_FIELD_LIMIT = 100
_PATH = re.compile(rb"\s*(?:from|to)\s*:\s*(?:<([^>]*)|(\S*))", re.IGNORECASE)
_SAFE = bytes(byte if 33 <= byte <= 126 and byte not in b"%:" else ord("?") for byte in range(256))


_QUOTED = _SAFE.translate(bytes.maketrans(b"<>", b"??"))


def status(running: int, limit: int) -> bytes:
    """How many backends run, of how many."""
    return b"tcpserver: status: %d/%d\n" % (running, limit)


def arrived(pid: int, ip: bytes) -> bytes:
    """A connection, and the process that has it."""
    return b"tcpserver: pid %d from %s\n" % (pid, ip)


def decided(word: bytes, pid: int, endpoints: Endpoints, names: Names) -> bytes:
    """The word of the rules, ``ok`` or ``deny``, and everything known of both ends."""
    return b"tcpserver: %s %d %s:%s:%s %s:%s:%s:%s\n" % (
        word,
        pid,
        _field(names.local_host or b""),
        _address(endpoints.local_ip),
        endpoints.local_port,
        _field(names.remote_host or b""),
        _address(endpoints.remote_ip),
        _field(names.remote_info or b""),
        endpoints.remote_port,
    )


def turned_away(pid: int, ip: bytes, reason: bytes) -> bytes:
    """A client over a limit."""
    return b"tcpserver: limit %d from %s: %s\n" % (pid, ip, reason)


def ruled(ip: bytes, origin: bytes) -> bytes:
    """The line of rules source that decided about a client."""
    return b"tcpserver: rule for %s: %s\n" % (ip, clean(origin))


def ended(pid: int, wait_status: int) -> bytes:
    """The end of a process with its raw wait status."""
    return b"tcpserver: end %d status %d\n" % (pid, wait_status)


def warning(sentence: str) -> bytes:
    """Something wrong that the server survives."""
    return _said("tcpserver: warning: ", sentence)


def internal_error(what: str) -> bytes:
    """An error that nobody expected."""
    return b"tcpserver: warning: internal error: %s\n" % clean(what.encode("utf-8", "replace"))


def would_refuse(ip: bytes, pid: int, reply: bytes) -> bytes:
    """A client that only --dry-run has let in."""
    return b"dnsbl: would refuse %s pid %d: %s\n" % (ip, pid, reply)


def zone_results(ip: bytes, pid: int, zones: Iterable[tuple[bytes, bytes, float]], verdict: bytes) -> bytes:
    """What each zone said: its alias, its word, and the seconds it took."""
    words = b" ".join(b"%s=%s/%dms" % (_field(alias), word, round(1000 * seconds)) for alias, word, seconds in zones)
    return b"dnsbl: zones for %s pid %d: %s: %s\n" % (ip, pid, words, verdict)


def said(ip: bytes, pid: int, words: Mapping[bytes, bytes]) -> bytes:
    """What a refused client said of itself, by verb; of MAIL and RCPT only the path.

    Each is one word without a colon, < or >: whatever the client says, it is no field and no line of its own to
    whoever reads the log.
    """
    quotes = b" ".join(b"%s <%s>" % (verb, _path(verb, word).translate(_QUOTED)) for verb, word in words.items())
    return b"dnsbl: said by %s pid %d: %s\n" % (ip, pid, quotes or b"nothing")


def zone_totals(alias: bytes, counts: Mapping[str, int]) -> bytes:
    """What a zone has been good for."""
    words = " ".join(f"{name} {count}" for name, count in counts.items())
    return b"dnsbl: zone %s: %s\n" % (_field(alias), words.encode())


def screen_totals(program: bytes, accepted: int, refused: int, bounced: int, held: int) -> bytes:
    """What the screens of one kind have done: clients let through, refused for now, refused for good, held now."""
    counts = (program, accepted, refused, bounced, held)
    return b"%s: totals: accepted %d refused %d bounced %d held now %d\n" % counts


def zone(alias: bytes, sentence: str) -> bytes:
    """Something that is wrong with a zone."""
    return b"dnsbl: warning: zone %s: %s\n" % (_field(alias), clean(sentence.encode("utf-8", "replace")))


def lost(number: int) -> bytes:
    """Lines that the reader of the log had no room for."""
    return warning(f"{number} log lines lost, the reader of the log was too slow")


def dropping(sentence: str) -> bytes:
    """A connection lost to a failure of ours."""
    return _said("tcpserver: warning: dropping connection, ", sentence)


def crashed(what: str) -> bytes:
    """A connection lost to an error that nobody expected."""
    return b"tcpserver: warning: dropping connection, internal error: %s\n" % clean(what.encode("utf-8", "replace"))


def refused(program: bytes, ip: bytes, pid: int, reply: bytes) -> bytes:
    """The one line of a screen for a refused client (rblsmtpd.c, rblsmtpd)."""
    return b"%s: %s pid %d: %s\n" % (program, ip, pid, reply)


def store_failed(store: str, reason: str) -> bytes:
    """A greylist that cannot be asked, and so refuses nobody."""
    words = f"unable to use {store}: {reason}".encode("utf-8", "surrogateescape")
    return b"greylist: warning: %s, everybody is let in\n" % clean(words)


def _said(prefix: str, sentence: str) -> bytes:
    return (prefix + sentence + "\n").encode("utf-8", "surrogateescape")


def _field(text: bytes) -> bytes:
    """tcpserver.c, safecats: ``?`` for what loggers stumble over, 100 bytes at most."""
    safe = text[:_FIELD_LIMIT].translate(_SAFE)
    return safe + b"..." if len(text) >= _FIELD_LIMIT else safe


def _path(verb: bytes, word: bytes) -> bytes:
    """``FROM:<a@b> SIZE=9`` -> ``a@b``; what is no path stays whole."""
    if verb not in (b"mail", b"rcpt"):
        return word.strip()
    found = _PATH.match(word)
    return found[1] or found[2] or b"" if found else word.strip()


def _address(ip: bytes) -> bytes:
    """An IPv6 address keeps its colons, as in ucspi-tcp6: fields are then counted from the line's end."""
    return ip if is_ipv6(ip) else _field(ip)
