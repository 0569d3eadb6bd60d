"""The row of logins that hang: what the banner costs others meanwhile. Never measures a login itself."""

import os
import smtplib
import threading
import time
from base64 import b64encode
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

import gates
from contenders import Server
from effort import Effort
from findings import Bar, Finding, ratio
from rounds import interleaved
from workshop import ALLOWED_NET, Spoiled, Workshop

#: As many as the guard runs at once.
_LOGINS = 8
_PATIENCE = 20.0


def logins(workshop: Workshop, effort: Effort) -> list[Finding]:
    """Milliseconds to the banner for 99 of 100, alone and while eight checkers hang for ten seconds each."""
    with ExitStack() as stack:
        alone, _ = stack.enter_context(gates.checking_passwords(workshop))
        busy, checker = stack.enter_context(gates.checking_passwords(workshop))
        stack.enter_context(_hanging(busy, checker))
        measures = {
            name: partial(_banner, workshop, server, effort) for name, server in (("alone", alone), ("busy", busy))
        }
        banners = interleaved(effort.rounds, measures)
    judged = ratio(banners["busy"], banners["alone"])
    work = f"gate: p99 to the banner, {_LOGINS} logins hang"
    note = f"to {min(banners['alone']):.2f} ms alone, at best"
    return [Finding("gate-logins", work, "ms", min(banners["busy"]), None, None, judged, Bar("<=", 1.1), note)]


def _banner(workshop: Workshop, server: Server, effort: Effort) -> float:
    options = ("-n", str(effort.sessions), "-c", "20", "-s", ALLOWED_NET)
    return workshop.load("rcpt", server.port, *options).all_served().banner("p99")


@contextmanager
def _hanging(server: Server, checker: Path) -> Iterator[None]:
    """Clients whose logins hang within, one after the other. checker: its folder."""
    over = threading.Event()
    hold = os.open(checker / "hold", os.O_RDWR)
    threads = [threading.Thread(target=_log_in, args=(server.port, number, over)) for number in range(_LOGINS)]
    for thread in threads:
        thread.start()
    try:
        _until_all_run(checker / "running")
        yield
    finally:
        over.set()
        (checker / "over").touch()
        os.close(hold)
        for thread in threads:
            thread.join()


def _until_all_run(running: Path) -> None:
    end = time.monotonic() + _PATIENCE
    while len(list(running.iterdir())) < _LOGINS:
        if time.monotonic() > end:
            raise Spoiled(f"{len(list(running.iterdir()))} of {_LOGINS} logins hang")
        time.sleep(0.01)


def _log_in(port: int, number: int, over: threading.Event) -> None:
    """Log in until it is over, each time in a session of its own; each hangs until the guard has had enough."""
    words = b64encode(b"\0user%d\0secret" % number).decode()
    while not over.is_set():
        with smtplib.SMTP("127.0.0.1", port, timeout=_PATIENCE) as client:
            client.ehlo("client.example")
            client.docmd("AUTH", f"PLAIN {words}")
