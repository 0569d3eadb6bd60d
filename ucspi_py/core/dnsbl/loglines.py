"""The exact lines about zones, and about clients that zones have judged. Each function one line; never writes it.

None has ``rblsmtpd`` in it, since none is a refusal: see core/smtp/loglines.py.
"""

import re
from collections.abc import Mapping, Sequence
from functools import partial

from ..log.event import with_event
from ..text import QUOTED, clean, log_field
from . import logevents

_PATH = re.compile(rb"\s*(?:from|to)\s*:\s*(?:<([^>]*)|(\S*))", re.IGNORECASE)


def would_refuse(ip: bytes, pid: int, reply: bytes) -> bytes:
    """Name a client that only --dry-run has let in. pid: process id. reply: code and text, without a line end."""
    line = b"dnsbl: would refuse %s pid %d: %s\n" % (ip, pid, reply)
    return with_event(line, partial(logevents.would_refuse, ip, pid, reply))


def zone_results(ip: bytes, pid: int, zones: Sequence[tuple[bytes, bytes, float]], verdict: bytes) -> bytes:
    """List the findings of all zones. pid: process id. zones: of each its alias, its word, and the seconds it took."""
    words = b" ".join(b"%s=%s/%dms" % (log_field(alias), word, round(1000 * took)) for alias, word, took in zones)
    line = b"dnsbl: zones for %s pid %d: %s: %s\n" % (ip, pid, words, verdict)
    return with_event(line, partial(logevents.zone_results, ip, pid, zones, verdict))


def said(ip: bytes, pid: int, words: Mapping[bytes, bytes]) -> bytes:
    """Quote what a refused client said of itself, by verb; of MAIL and RCPT only the path. pid: process id.

    Each is one word without a colon, < or >: whatever the client says, it is no field and no line of its own to
    whoever reads the log.
    """
    told = {verb: _path(verb, word) for verb, word in words.items()}
    quotes = b" ".join(b"%s <%s>" % (verb, word.translate(QUOTED)) for verb, word in told.items())
    line = b"dnsbl: said by %s pid %d: %s\n" % (ip, pid, quotes or b"nothing")
    return with_event(line, partial(logevents.said, ip, pid, told))


def zone_totals(alias: bytes, counts: Mapping[str, int]) -> bytes:
    """List the counters of a zone. counts: by name, since the start."""
    words = " ".join(f"{name} {count}" for name, count in counts.items())
    return b"dnsbl: zone %s: %s\n" % (log_field(alias), words.encode())


def zone_warning(alias: bytes, sentence: str) -> bytes:
    """Report something that is wrong with a zone, or no longer wrong."""
    return b"dnsbl: warning: zone %s: %s\n" % (log_field(alias), clean(sentence.encode("utf-8", "replace")))


def _path(verb: bytes, word: bytes) -> bytes:
    """``FROM:<a@b> SIZE=9`` -> ``a@b``; what is no path stays whole."""
    if verb not in (b"mail", b"rcpt"):
        return word.strip()
    found = _PATH.match(word)
    return found[1] or found[2] or b"" if found else word.strip()
