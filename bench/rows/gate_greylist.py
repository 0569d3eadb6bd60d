"""The row of check_greylist: what it adds to a recipient that has not come before, by each kind of store.

Never looks at one that is let in: its backend would be measured, too.
"""

import shutil
import smtplib
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from itertools import count
from pathlib import Path
from statistics import median

import gates
from contenders import MANY, Server, djb_words, ours
from effort import Effort
from findings import Bar, Finding
from rounds import interleaved
from workshop import OWN_DOMAIN, Spoiled, Workshop, needed

_PATIENCE = 20.0
_BARS = {"SQLite": 0.3, "Redis": 1.0}
#: A stranger's name leads nowhere, and nobody is asked for it.
_LISTS = ("compatibility_level=3.6", f"mydestination={OWN_DOMAIN}", "smtpd_error_sleep_time=0")
_LIMITS = ("smtpd_hard_error_limit=1000000", "smtpd_recipient_overshoot_limit=1000000")


def greylist(workshop: Workshop, effort: Effort) -> list[Finding]:
    """Milliseconds that a recipient of a new triplet takes longer than one that a list refuses at once."""
    recipients = count()
    with ExitStack() as stack:
        servers = {"none": stack.enter_context(_gate(workshop, "defer"))}
        db = Path(tempfile.mkdtemp(prefix="greylist-", dir=workshop.folder)) / "db"
        servers["SQLite"] = stack.enter_context(_gate(workshop, f"check_greylist {db}"))
        if shutil.which("redis-server"):
            url = stack.enter_context(redis(workshop))
            servers["Redis"] = stack.enter_context(_gate(workshop, f"check_greylist {url}"))
        measures = {name: partial(_recipient, server, effort, recipients) for name, server in servers.items()}
        took = interleaved(effort.rounds, measures)
    return [_finding(name, took["none"], took[name]) for name in _BARS if name in took]


def _finding(name: str, without: list[float], with_it: list[float]) -> Finding:
    added = median(one - other for one, other in zip(with_it, without, strict=True))
    work, note = f"gate: check_greylist, a new triplet, {name}", f"a recipient takes {median(without):.2f} ms without"
    return Finding(
        f"gate-greylist-{name.lower()}",
        work,
        "ms",
        median(with_it),
        None,
        None,
        added,
        Bar("<=", _BARS[name], "ms"),
        note,
    )


def _gate(workshop: Workshop, restriction: str) -> Server:
    *words, backend = gates.gate_words(workshop)
    asked = (*_LISTS, *_LIMITS, f"smtpd_recipient_restrictions=reject_unauth_destination, {restriction}")
    options = [word for parameter in asked for word in ("-o", parameter)]
    program = [ours("pytcpserver"), "-w", "1", "--held", MANY]
    environment = {"DNSCACHEIP": "127.0.0.1@9"}  # Nobody is there, and says so.
    return Server(djb_words(program, workshop, 200, [*words, *options, backend]), environment, tells_port=True)


def _recipient(server: Server, effort: Effort, recipients: "count[int]") -> float:
    """Milliseconds of a recipient, the median of one session's. Raises Spoiled where one is not put off."""
    took = []
    with smtplib.SMTP("127.0.0.1", server.port, timeout=_PATIENCE) as client:
        client.ehlo("client.example")
        client.mail("s@example.net")
        client.rcpt(f"first@{OWN_DOMAIN}")  # It finds out the client's name.
        for _ in range(effort.messages):
            recipient = f"r{next(recipients)}@{OWN_DOMAIN}"
            begin = time.perf_counter()
            code, text = client.rcpt(recipient)
            took.append(1000 * (time.perf_counter() - begin))
            if code != 450:
                raise Spoiled(f"{recipient} hears {code} {text!r}")
    return median(took)


@contextmanager
def redis(workshop: Workshop, program: str = "redis-server") -> Iterator[str]:
    """A server at a socket of its own; its URL."""
    folder = Path(tempfile.mkdtemp(prefix="redis-", dir=workshop.folder))
    place = folder / "socket"
    command = [needed(program), "--port", "0", "--unixsocket", str(place), "--save", "", "--dir", str(folder)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        end = time.monotonic() + _PATIENCE
        while not _answers(place):
            if time.monotonic() > end:
                raise Spoiled(f"{program} does not start")
            time.sleep(0.01)
        yield f"unix://{place}"
    finally:
        process.terminate()
        process.wait()


def _answers(place: Path) -> bool:
    """Whether somebody listens at a socket, which is there a little earlier."""
    with socket.socket(socket.AF_UNIX) as client:
        return client.connect_ex(str(place)) == 0
