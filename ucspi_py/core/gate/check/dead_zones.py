"""Zones that have ended. One that is still asked may list everybody some day, or keep each client waiting."""

from typing import NamedTuple

_OUT = "take it out"


class Dead(NamedTuple):
    """How a zone has ended. year: when; 0 = that is not known. state: what it is now. remedy: what to do."""

    year: int
    state: str = "dead"
    remedy: str = _OUT


_ZEN = "use zen.spamhaus.org, once for all of its kinds"

#: A zone, and all below it.
ZONES = {
    b"abuseat.org": Dead(0, "a part of another one", _ZEN),
    b"ahbl.org": Dead(2015, "a list of everybody"),
    b"bl.emailbasura.org": Dead(2019),
    b"bl.spamcannibal.org": Dead(2018),
    b"blackholes.mail-abuse.org": Dead(0),
    b"blitzed.org": Dead(2006),
    b"dnsbl.cyberlogic.net": Dead(0),
    b"dnsbl.inps.de": Dead(2020),
    b"dnsbl.kempt.net": Dead(0),
    b"dnsbl.proxybl.org": Dead(0),
    b"dsbl.org": Dead(2008),
    b"dul.ru": Dead(2015),
    b"easynet.nl": Dead(2003),
    b"ix.dnsbl.manitu.net": Dead(2025),
    b"megarbl.net": Dead(2019),
    b"njabl.org": Dead(2013),
    b"ordb.org": Dead(2006),
    b"rbl.lugh.ch": Dead(2024),
    b"rbl.maps.vix.com": Dead(0),
    b"rfc-ignorant.org": Dead(2012),
    b"sbl-xbl.spamhaus.org": Dead(0, "a part of another one", _ZEN),
    b"sectoor.de": Dead(2018),
    b"sorbs.net": Dead(2024),
    b"spamsources.dnsbl.info": Dead(2011, "a list of everybody"),
    b"spamsources.fabel.dk": Dead(0),
    b"ubl.unsubscore.com": Dead(2024),
    b"virbl.dnsbl.bit.nl": Dead(2017),
    b"wpbl.info": Dead(2024),
}


def dead(zone: bytes) -> Dead | None:
    """Find how a zone has ended; None = nobody knows of that. zone: its name."""
    name = zone.lower().rstrip(b".")
    while name:
        if name in ZONES:
            return ZONES[name]
        name = name.partition(b".")[2]
    return None
