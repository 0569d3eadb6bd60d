"""What the lines about clients that zones have judged tell, as events. Never writes them."""

from collections.abc import Mapping, Sequence

from ..log.event import Event, Value


def would_refuse(ip: bytes, pid: int, reply: bytes) -> Event:
    """Tell of a client that only --dry-run has let in. pid: process id. reply: as in loglines."""
    code, _, text = reply.partition(b" ")
    return Event("spared", {"ip": ip, "pid": pid, "code": int(code) if code.isdigit() else None, "reply": text})


def zone_results(ip: bytes, pid: int, zones: Sequence[tuple[bytes, bytes, float]], verdict: bytes) -> Event:
    """Tell the findings of all zones, and the refusal that has come of them. pid: process id. zones: as in loglines."""
    code, _, text = verdict.partition(b" ")
    said: dict[str, Value] = {"code": int(code), "reply": text} if code.isdigit() else {}
    found = {alias: b"%s/%dms" % (word, round(1000 * took)) for alias, word, took in zones}
    return Event("zones", {"ip": ip, "pid": pid, "zones": found, **said})


def said(ip: bytes, pid: int, words: Mapping[bytes, bytes]) -> Event:
    """Quote what a refused client said of itself. pid: process id. words: by verb."""
    names = {b"helo": "helo", b"ehlo": "helo", b"mail": "sender", b"rcpt": "recipient"}
    quotes = {names.get(verb, verb.decode("ascii", "replace")): word for verb, word in words.items()}
    return Event("said", {"ip": ip, "pid": pid, **quotes})
