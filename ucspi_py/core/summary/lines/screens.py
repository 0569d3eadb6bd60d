"""The lines of screens and of the relay ledger behind ``NAME: `` -> events.

As ``loglines.py`` in core/smtp, core/dnsbl, core/greylist, core/ledger and core/ledger/recorder write them.
"""

import re

from ..events import Event, Finding, Granted, GrantUsed, Judged, Screened, Spared, Tallied, Warned

_IP = rb"[0-9a-fA-F.:]{2,45}"
_REFUSED = re.compile(rb"(%b) pid \d+: ([245]\d\d) ?(.*)" % _IP)
_ZONES = re.compile(rb"zones for (%b) pid \d+: (.*?): (?:accepted|([45]\d\d).*)" % _IP)
_FINDING = re.compile(rb"([^ =]+)=([^ =/]+)/(\d{1,9})ms")
_TALLY = re.compile(rb"zone (\S{1,200}): ([a-z]{1,20} \d{1,18}(?: [a-z]{1,20} \d{1,18}){1,20})")
_SPARED = re.compile(rb"would refuse (%b) pid \d+: [45]\d\d ?(.*)" % _IP)
_USED = re.compile(rb"(%b) pid \d+: granted to (\S+) by (\S+), for -?\d+ more seconds" % _IP)
_GRANTED = re.compile(rb"granted \S+ to (\S+) by (\S+) for \d+ seconds, says uid \d+(?:,.*)?")
_WARNING = b"warning: "
#: Zones that one line may name, and bytes of a zone's name.
_MOST, _LONGEST = 100, 200


def refusal(screen: bytes, text: bytes) -> Event | None:
    """Read a line of rblsmtpd or greylist. screen: its name."""
    if found := _REFUSED.fullmatch(text):
        # Before the gate, what the client wanted stands behind a semicolon.
        reason = found[3].partition(b"; from=<")[0].partition(b"; id=")[0]
        return Screened(found[1], screen, int(found[2]), reason)
    return _warning(text)


def zones(_program: bytes, text: bytes) -> Event | None:
    """Read a line of dnsbl."""
    if found := _ZONES.fullmatch(text):
        words = found[2].split(b" ", _MOST)[:_MOST]
        findings = [_FINDING.fullmatch(word) for word in words]
        told = tuple(Finding(one[1][:_LONGEST], one[2], int(one[3])) for one in findings if one)
        return Judged(found[1], told, found[3] is not None)
    if found := _TALLY.fullmatch(text):
        return _tallied(found[1], found[2].split(b" "))
    if found := _SPARED.fullmatch(text):
        return Spared(found[1], found[2])
    return _warning(text)


def relay(_program: bytes, text: bytes) -> Event | None:
    """Read a line of the relay ledger, or of its recorder."""
    if found := _USED.fullmatch(text):
        return GrantUsed(*found.groups())
    if found := _GRANTED.fullmatch(text):
        return Granted(found[1], found[2])
    return _warning(text)


def warning(_program: bytes, text: bytes) -> Event | None:
    """Read a line of a program of which only warnings count."""
    return _warning(text)


def _tallied(zone: bytes, words: list[bytes]) -> Tallied:
    counts = {name.decode("ascii"): int(number) for name, number in zip(words[::2], words[1::2], strict=True)}
    return Tallied(zone, *(counts.get(name, 0) for name in Tallied._fields[1:]))


def _warning(text: bytes) -> Warned | None:
    return Warned(text.removeprefix(_WARNING)) if text.startswith(_WARNING) else None
