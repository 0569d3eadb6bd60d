"""The exact lines about refusals, the same for every kind of screen. Each function one line; never writes it.

A line with ``rblsmtpd`` in it is a refusal, and nothing else is: qmailmrtg7 counts each of them as a denied client,
Mail-Toaster as spam, and filters of fail2ban ban the address behind it. All else about zones is told as ``dnsbl``.
"""

from functools import partial

from ..log.event import Event, with_event


def refused(program: bytes, ip: bytes, pid: int, reply: bytes) -> bytes:
    """Name a refused client (rblsmtpd.c, rblsmtpd). pid: process id. reply: code and text, without a line end."""
    line = b"%s: %s pid %d: %s\n" % (program, ip, pid, reply)
    return with_event(line, partial(refusal, program, ip, pid, reply))


def refusal(program: bytes, ip: bytes, pid: int, reply: bytes) -> Event:
    """Tell of a refused client. pid: process id. reply: as of refused()."""
    code, _, text = reply.partition(b" ")
    decision = "greylisted" if program == b"greylist" else "refused"
    said = {"code": int(code) if code.isdigit() else None, "reply": text}
    return Event("refused", {"ip": ip, "pid": pid, "decision": decision, "how": program, **said})


def totals(program: bytes, accepted: int, refused: int, bounced: int, held: int) -> bytes:
    """Report the clients that the screens of one kind have judged.

    program: the kind's name. accepted: let through. refused: temporarily. bounced: permanently. held: now, refused.
    """
    counts = (program, accepted, refused, bounced, held)
    return b"%s: totals: accepted %d refused %d bounced %d held now %d\n" % counts
