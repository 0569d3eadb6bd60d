"""The rows of TLS: what a handshake costs, what an idle session keeps, how fast a big message comes through."""

import ssl
import time
from functools import partial
from statistics import median

import tls_servers as tls
from contenders import Server
from effort import Effort
from findings import Bar, Finding, ratio
from rounds import interleaved
from workshop import OWN_DOMAIN, Spoiled, Workshop

_MICROSECONDS = 1e6
_LINE = b"x" * 70 + b"\r\n"
_PIECE = _LINE * 900


def handshakes(workshop: Workshop, effort: Effort) -> list[Finding]:
    """Processor time that a client's TLS adds to one process: with it, less without; beside nginx's."""
    pair = tls.keys(workshop)
    with (
        tls.gate(workshop, pair) as ours,
        tls.gate(workshop, None) as ours_plain,
        tls.nginx(workshop, pair) as nginx,
        tls.nginx(workshop, None) as nginx_plain,
    ):
        pairs = {"ours": (ours, ours_plain), "nginx": (nginx, nginx_plain)}
        measures = {name: partial(_added, *servers, effort) for name, servers in pairs.items()}
        microseconds = interleaved(effort.long_rounds, measures)
    return [
        Finding(
            "tls-handshake",
            "TLS: processor time of a handshake (EC)",
            "us",
            median(microseconds["ours"]),
            None,
            None,
            ratio(microseconds["ours"], microseconds["nginx"]),
            Bar("<=", 1.4),
            f"to nginx stream with one process, {median(microseconds['nginx']):.0f} us",
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


def _added(secured: Server, plain: Server, effort: Effort) -> float:
    return _microseconds(secured, tls.context(), effort) - _microseconds(plain, None, effort)


def _microseconds(server: Server, within: ssl.SSLContext | None, effort: Effort) -> float:
    """Processor time for each client that hears a banner and leaves."""
    tls.connected(server.port, within).close()  # so that its worker is there
    pids = server.without_backends()
    before = tls.seconds(pids)
    for _ in range(effort.tls_clients):
        tls.connected(server.port, within).close()
    return (tls.seconds(pids) - before) * _MICROSECONDS / effort.tls_clients


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
