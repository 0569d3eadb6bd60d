"""The rows of TLS: what a handshake costs, what an idle session keeps, how fast a big message comes, who waits."""

import socket
import ssl
import subprocess
import sys
import time
from functools import partial
from pathlib import Path
from statistics import median

import tls_floods
import tls_servers as tls
from contenders import Server
from effort import Effort
from findings import Bar, Finding, ratio
from rounds import interleaved
from workshop import OWN_DOMAIN, Spoiled, Workshop

_MICROSECONDS = 1e6
#: Clients that come at once.
_AT_ONCE = 16
_LINE = b"x" * 70 + b"\r\n"
_PIECE = _LINE * 900
#: What a client does whose waits are measured, and how often, until the next one comes: more is too much for a gate.
_QUESTIONS, _PAUSE = 50, 0.001
_FLOODS = str(Path(tls_floods.__file__))


def handshakes(workshop: Workshop, effort: Effort) -> list[Finding]:
    """Processor time that a client's TLS adds to one process: with it, less without; beside nginx's.

    Judged with clients that come some at once, as processors matter where there are many: one that comes alone finds
    the processor's caches taken by others, and more of ours in them than of nginx.
    """
    pair = tls.keys(workshop)
    with (
        tls.gate(workshop, pair) as ours,
        tls.gate(workshop, None) as ours_plain,
        tls.nginx(workshop, pair) as nginx,
        tls.nginx(workshop, None) as nginx_plain,
    ):
        pairs = {"ours": (ours, ours_plain), "nginx": (nginx, nginx_plain)}
        measures = {
            (name, at_once): partial(_added, *servers, effort, at_once)
            for name, servers in pairs.items()
            for at_once in (_AT_ONCE, 1)
        }
        found = interleaved(effort.long_rounds, measures)
    return [
        Finding(
            "tls-handshake",
            "TLS: processor time of a handshake (EC)",
            "us",
            median(found["ours", _AT_ONCE]),
            None,
            None,
            ratio(found["ours", _AT_ONCE], found["nginx", _AT_ONCE]),
            Bar("<=", 1.4),
            f"to nginx stream with one process, {median(found['nginx', _AT_ONCE]):.0f} us; {_AT_ONCE} at once;"
            f" one after the other {ratio(found['ours', 1], found['nginx', 1]):.2f}",
        )
    ]


def idle(workshop: Workshop, effort: Effort) -> list[Finding]:
    """Kilobytes for each session of a gate within TLS that has its banner and says nothing."""
    with tls.gate(workshop, tls.keys(workshop)) as server:
        within = tls.context()
        for _ in range(effort.tls_clients // 10):
            tls.connected(server.port, within).close()
        before = server.pss()
        with tls.holding(server.port, effort.tls_idle):
            kilobytes = (server.pss() - before) / effort.tls_idle
    work = f"TLS: {effort.tls_idle:,} idle behind the banner, PSS each"
    return [Finding("tls-idle", work, "KB", kilobytes, None, None, kilobytes, Bar("<=", 25, "KB"))]


def large(workshop: Workshop, effort: Effort) -> list[Finding]:
    """Megabytes a second of one big message through the gate within TLS; judged by the same without."""
    pair = tls.keys(workshop)
    with tls.gate(workshop, pair) as secured, tls.gate(workshop, None) as plain:
        measures = {
            "tls": partial(_megabytes, secured, effort, within_tls=True),
            "plain": partial(_megabytes, plain, effort, within_tls=False),
        }
        rates = interleaved(effort.long_rounds, measures)
    return [
        Finding(
            "tls-large",
            f"TLS: a message of {effort.tls_bytes // 1_000_000} MB through the gate",
            "MB/s",
            median(rates["tls"]),
            None,
            None,
            ratio(rates["tls"], rates["plain"]),
            Bar(">=", 0.5),
            f"to the same without TLS, {median(rates['plain']):.0f} MB/s",
        )
    ]


def stalls(workshop: Workshop, effort: Effort) -> list[Finding]:
    """Milliseconds for which a client waits for an answer at most, while others have one worker work at their TLS."""
    with tls.gate(workshop, tls.keys(workshop)) as server:
        shaking = _longest(server, "handshakes", effort.tls_clients // _AT_ONCE)
        making = max(_longest(server, kind, effort.tls_new_keys) for kind in ("commands", "content"))
    floods = f"{tls_floods.CLIENTS} clients make new keys (KeyUpdate)"
    return [
        _stall("tls-stall", f"TLS: longest wait while {_AT_ONCE} at once shake hands", shaking),
        _stall("tls-stall-keys", f"  while {floods}", making),
    ]


def _stall(name: str, work: str, longest: float) -> Finding:
    return Finding(name, work, "ms", longest, None, None, longest, Bar("<=", 50, "ms"))


def _longest(server: Server, kind: str, number: int) -> float:
    """Of one client's waits; clients of one kind flood meanwhile, as tls_floods has them."""
    command = [sys.executable, _FLOODS, str(server.port), kind, str(number)]
    longest = 0.0
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as flood:
        if not flood.stdin or not flood.stdout or flood.stdout.readline() != "ready\n":
            raise Spoiled("no flood")
        print(file=flood.stdin, flush=True)
        while flood.poll() is None:
            with tls.connected(server.port, tls.context()) as client:
                longest = max(longest, *(_wait(client) for _ in range(_QUESTIONS)))
    if flood.returncode:
        raise Spoiled("a flood has failed")
    return longest * 1000


def _wait(client: socket.socket) -> float:
    time.sleep(_PAUSE)
    begun = time.monotonic()
    client.sendall(b"NOOP\r\n")
    if not client.recv(1000).startswith(b"250"):
        raise Spoiled("no answer")
    return time.monotonic() - begun


def _added(secured: Server, plain: Server, effort: Effort, at_once: int) -> float:
    return _microseconds(secured, tls.context(), effort, at_once) - _microseconds(plain, None, effort, at_once)


def _microseconds(server: Server, within: ssl.SSLContext | None, effort: Effort, at_once: int) -> float:
    """Processor time for each client that hears a banner and leaves."""
    tls.volley(server.port, within, at_once)  # so that its worker is there
    pids = server.without_backends()
    before = tls.seconds(pids)
    volleys = effort.tls_clients // at_once
    for _ in range(volleys):
        tls.volley(server.port, within, at_once)
    return (tls.seconds(pids) - before) * _MICROSECONDS / (volleys * at_once)


def _megabytes(server: Server, effort: Effort, *, within_tls: bool) -> float:
    with tls.connected(server.port, tls.context() if within_tls else None) as client:
        for line in (b"EHLO x", b"MAIL FROM:<s@x.example>", b"RCPT TO:<r@%b>" % OWN_DOMAIN.encode(), b"DATA"):
            client.sendall(line + b"\r\n")
            if client.recv(1000)[:1] not in b"23":
                raise Spoiled(f"{line!r} was refused")
        begun = time.monotonic()
        for _ in range(effort.tls_bytes // len(_PIECE)):
            client.sendall(_PIECE)
        client.sendall(b".\r\n")
        if not client.recv(1000).startswith(b"250"):
            raise Spoiled("the message was refused")
        return effort.tls_bytes / 1e6 / (time.monotonic() - begun)
