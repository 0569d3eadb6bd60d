"""The row of pysumm: a long log. Never looks at what is told of it."""

import random
import subprocess
import time
from collections.abc import Iterator

from contenders import ours
from effort import Effort
from findings import Bar, Finding
from workshop import Workshop

_SECONDS = 300
_TAI64 = (1 << 62) + 10
_BEGIN = 1_795_669_200
_NUMBERS = 200
_MILLION = 1_000_000


def summing_up(workshop: Workshop, effort: Effort) -> list[Finding]:
    """Seconds for a log and a page. A third of its connections is refused by zones, and a third by the gate."""
    log = workshop.folder / "log"
    with log.open("wb") as stream:
        stream.writelines(_lines(effort.lines))
    begin = time.perf_counter()
    command = [ours("pysumm"), "--html", str(workshop.folder / "page.html"), str(log)]
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True, timeout=_SECONDS)
    seconds = time.perf_counter() - begin
    log.unlink()
    bar = Bar("<=", 15 * max(effort.lines / _MILLION, 0.1), "s")
    return [Finding("summary", f"{effort.lines:,} lines summed up", "s", seconds, None, None, seconds, bar)]


def _lines(number: int) -> Iterator[bytes]:
    chance = random.Random(number)  # noqa: S311  the same log each time
    written = 0
    while written < number:
        stamp = b"@%016x%08x " % (_TAI64 + _BEGIN + written // 5, 0)
        for line in _connection(chance)[: number - written]:
            yield stamp + line + b"\n"
            written += 1


def _connection(chance: random.Random) -> list[bytes]:
    ip = b"203.%d.%d.%d" % tuple(chance.randrange(_NUMBERS) for _ in range(3))
    kind = chance.randrange(3)
    told = [_screened, _rejected, _message][kind](ip)
    return [
        b"tcpserver: status: 3/40",
        b"tcpserver: pid 7 from " + ip,
        b"tcpserver: ok 7 mx.example.org:192.0.2.1:25 mail.example.net:%b::4321" % ip,
        *told,
        b"tcpserver: end 7 status 0",
        b"tcpserver: status: 2/40",
    ]


def _screened(ip: bytes) -> list[bytes]:
    said = b"451 Listed, see http://bl.example/?ip=" + ip
    return [
        b"dnsbl: zones for %b pid 7: bl=127.0.0.2/12ms other=clean/3ms: %b" % (ip, said),
        b"rblsmtpd: %b pid 7: %b" % (ip, said),
    ]


def _rejected(ip: bytes) -> list[bytes]:
    text = b"550 5.1.1 <r@example.org>: Recipient address rejected: User unknown"
    about = b"from=<s@example.net> to=<r@example.org> proto=ESMTP helo=<mail.example.net>"
    return [b"smtpgate[7]: NOQUEUE: reject: RCPT from mail.example.net[%b]: %b; %b" % (ip, text, about)]


def _message(ip: bytes) -> list[bytes]:
    about = b"from=<s@example.net> nrcpt=1 size=1234 proto=ESMTP helo=<mail.example.net> relay=no delay=0.10"
    return [b"smtpgate[7]: message from mail.example.net[%b]: 250 ok 1 qp 7; %b" % (ip, about)]
