"""Postfix's smtpd with its anvil, and our gate of two workers: the same clients hear the same, counted alike."""

import re
import socket
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.support.gate import Gate, gated
from tests.support.smtp_client import Client, Content, Step
from tests.support.waiting import PATIENCE, until

from . import postfix
from .backend import BACKEND

EHLO, MAIL, RCPT = b"EHLO client.example.net", b"MAIL FROM:<s@example.net>", b"RCPT TO:<r@example.org>"
MESSAGE = (MAIL, RCPT, b"DATA", Content(b"Subject: x\r\n\r\nx\r\n.\r\n"))
ONE, OTHER, EXCEPTED = "127.0.0.11", "127.0.0.12", "127.0.0.13"
#: For both, so that nothing else ends a session; the time unit is anvil's own, and so stands in main.cf.
_PLAIN = ("smtpd_hard_error_limit=1000", "smtpd_error_sleep_time=0")
_UNIT = "anvil_rate_time_unit = 1w\n"
_EXCEEDED = re.compile(rb"warning: (.* limit exceeded: \d+ from \S+) for service")


class Visit(NamedTuple):
    """One client. steps: what it says; those of a client that is left unread. stays: it is there for the next ones."""

    source: str
    steps: Sequence[Step] = ()
    stays: bool = False


_SESSION = (EHLO, *MESSAGE, MAIL, b"RSET", *MESSAGE, b"QUIT")
_WRONG = (
    *(b"MAIL", b"MAIL FROM:", b"MAIL FROM:<a b@x>", b"MAIL FROM:<a@b> FOO", b"MAIL TO:<x>", b"RCPT TO:<x>", MAIL),
    *(MAIL, b"RCPT", b"RCPT TO:", b"RCPT TO:<>", b"RCPT TO:<@@>", b"RCPT TO:<r@example.org> FOO", RCPT, RCPT, b"NOOP"),
)
_QUICK = (EHLO, b"QUIT")
#: The limit, and who comes.
STORIES: Mapping[str, tuple[Sequence[str], Sequence[Visit]]] = {
    "connections at once": (
        ("smtpd_client_connection_count_limit=2",),
        (
            *(Visit(ONE, stays=True), Visit(ONE, (EHLO,), stays=True), Visit(ONE), Visit(OTHER, _SESSION)),
            *(Visit(ONE), Visit(ONE)),
        ),
    ),
    "connections": (
        ("smtpd_client_connection_rate_limit=3",),
        (*[Visit(ONE, _QUICK)] * 5, *[Visit(OTHER, _QUICK)] * 4, Visit(ONE), Visit(EXCEPTED, _QUICK)),
    ),
    "connections, both": (
        ("smtpd_client_connection_count_limit=1", "smtpd_client_connection_rate_limit=2"),
        (Visit(ONE, stays=True), Visit(ONE), Visit(ONE), Visit(OTHER, _QUICK)),
    ),
    "messages": (
        ("smtpd_client_message_rate_limit=4",),
        (*[Visit(ONE, _SESSION)] * 3, Visit(OTHER, _SESSION), Visit(ONE, (EHLO, *_WRONG))),
    ),
    "messages, wrong ones": (
        ("smtpd_client_message_rate_limit=2",),
        (Visit(ONE, (EHLO, *_WRONG)), Visit(ONE, (b"HELO x", *_WRONG))),
    ),
    "recipients": (
        ("smtpd_client_recipient_rate_limit=3",),
        (*[Visit(ONE, _SESSION)] * 3, Visit(OTHER, (EHLO, MAIL, *[RCPT] * 5, b"DATA", MESSAGE[-1]))),
    ),
    "recipients, wrong ones": (
        ("smtpd_client_recipient_rate_limit=3",),
        (Visit(ONE, (EHLO, *_WRONG)), Visit(ONE, (EHLO, *_WRONG))),
    ),
    "exceptions": (
        (
            *("smtpd_client_connection_rate_limit=1", "smtpd_client_message_rate_limit=1"),
            *("smtpd_client_recipient_rate_limit=1", f"smtpd_client_event_limit_exceptions={EXCEPTED}"),
        ),
        (*[Visit(EXCEPTED, _SESSION)] * 3, Visit(ONE, _SESSION), Visit(ONE)),
    ),
    "nothing": (("smtpd_client_connection_count_limit=0",), [Visit(ONE, stays=True)] * 52),
    "by default": ((), [Visit(ONE, stays=True)] * 52),
}


class Servers(NamedTuple):
    """Both of each story. log: Postfix's."""

    ports: Mapping[str, int]
    gates: Mapping[str, Gate]
    log: Path


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    """All of them."""
    folder = tmp_path_factory.mktemp("limits")
    main = folder / "main.cf"
    main.write_text("mynetworks = 192.0.2.0/24\n" + _UNIT)
    profiles = {name: (*_PLAIN, *asked) for name, (asked, _) in STORIES.items()}
    with postfix.running(profiles, main=postfix.PLAIN + _UNIT) as peer, ExitStack() as stack:
        gates = {}
        for number, (name, words) in enumerate(profiles.items()):
            gates[name] = stack.enter_context(
                gated(
                    ("sh", "-c", BACKEND),
                    folder / str(number),
                    parameters=words,
                    options=("-w", "2"),
                    rules=":allow\n",
                    file=main,
                )
            )
        yield Servers(peer.ports, gates, peer.log)


@pytest.mark.parametrize("name", STORIES)
def test_the_same_clients_hear_the_same(servers: Servers, name: str) -> None:
    """The same words of refusal, to the same command of the same client, and the same lines in the log."""
    visits = STORIES[name][1]
    port, gate = servers.ports[name], servers.gates[name]
    mark = len(servers.log.read_bytes())

    theirs, ours = told(port, visits), told(gate.port, visits)

    for visit, their, our in zip(visits, theirs, ours, strict=True):
        assert our == their, visit
    lines = [line for replies in theirs for line in replies if b"too many connections" in line]
    lines += [line for replies in theirs for line in replies if b"4.7.1 Error: too m" in line]
    until(lambda: len(_exceeded(servers.log.read_bytes()[mark:])) == len(lines), "Postfix's lines")
    assert _exceeded(gate.log()) == _exceeded(servers.log.read_bytes()[mark:])


def told(port: int, visits: Sequence[Visit]) -> list[list[bytes]]:
    """What each client hears: of what passes the code."""
    heard = []
    with ExitStack() as stack:
        for visit in visits:
            connected = socket.create_connection(
                ("127.0.0.1", port), timeout=PATIENCE, source_address=(visit.source, 0)
            )
            client = stack.enter_context(Client(connected))
            replies = [client.reply()]
            if replies[0].startswith(b"220 "):
                replies += client.converse(visit.steps)
            heard.append([reply if reply[:1] in b"45" else reply[:3] for reply in replies])
            if not visit.stays:
                client.finish()
    return heard


def _exceeded(log: bytes) -> list[bytes]:
    return _EXCEEDED.findall(log)
