"""Postfix's smtpd and our gate with the same lists: what becomes of a message, and what is logged of a refusal."""

import re
import socket
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.support.backends.known import NotQmail
from tests.support.gate import Gate, controls, gated
from tests.support.smtp_client import Client, Content, Step
from tests.support.waiting import PATIENCE, until

from . import postfix

BODY = Content(b"Subject: x\r\n\r\nbody\r\n.\r\n")
HELO = b"EHLO mx.far.example"
_SENDERS = "{gone@far.example=DISCARD}, {top@far.example=PREPEND X-Sender: yes}"
_RECIPIENTS = (
    "{gone@ours.example=DISCARD}, {top@ours.example=PREPEND X-Recipient: yes}, {no@ours.example=REJECT},"
    " {both@ours.example=both}"
)
_LISTS = (
    f"smtpd_sender_restrictions=check_sender_access inline:{{ {_SENDERS} }}",
    f"smtpd_recipient_restrictions=check_recipient_access inline:{{ {_RECIPIENTS} }}",
    "smtpd_restriction_classes=both",
    "both=check_recipient_access inline:{ {both@ours.example=PREPEND X-Both: yes} }, warn_if_reject reject, reject",
)
PROFILES = {
    "delayed": _LISTS,
    "early": (*_LISTS, "smtpd_delay_reject=no"),
    "soft": (*_LISTS, "soft_bounce=yes"),
}
_OURS = (
    *("compatibility_level=3.6", "myhostname=mx.example.org", "mydestination=ours.example"),
    *("mynetworks=192.0.2.0/24", "smtpd_error_sleep_time=0", "smtpd_relay_restrictions=reject_unauth_destination"),
)
_HEADER = re.compile(rb"warning: header (X-\w+: yes) from")
#: Postfix names the queue file behind the first recipient.
_REFUSED = re.compile(rb"(?:NOQUEUE|[0-9A-F]{6,}): (reject(?:_warning)?: .*)")


class Peers(NamedTuple):
    """Both servers of a profile, and the log of theirs. backend: keeps what ours takes."""

    theirs: int
    their_log: Path
    ours: Gate
    backend: NotQmail


@pytest.fixture(scope="module")
def peers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Peers]]:
    """Both servers of each profile."""
    folder = tmp_path_factory.mktemp("message")
    checks = folder / "headers"
    checks.write_text("/^X-/ WARN\n")
    log = folder / "log"
    main = (
        f"mydestination = ours.example\nheader_checks = regexp:{checks}\n"
        f"maillog_file = {log}\nmaillog_file_prefixes = {folder}\n"
    )
    with postfix.running(PROFILES, main=postfix.PLAIN + main) as theirs, ExitStack() as stack:
        found = {}
        for name, words in PROFILES.items():
            control = controls(folder / name / "control", rcpthosts="ours.example")
            backend = NotQmail(folder / name / "backend", control)
            gate = stack.enter_context(
                gated(
                    backend.argv,
                    folder / name,
                    parameters=(*_OURS, *words),
                    control=control,
                    rules=":allow\n",
                    variables={**backend.environment, "DNSCACHEIP": "127.0.0.1@9"},
                )
            )
            found[name] = Peers(theirs.ports[name], log, gate, backend)
        yield found


def envelope(sender: bytes, *recipients: bytes) -> list[Step]:
    """MAIL and RCPT of these; senders are at far.example, and at ours.example is whoever has no domain."""
    paths = (one if b"@" in one else one + b"@ours.example" for one in recipients)
    return [b"MAIL FROM:<%b@far.example>" % sender, *(b"RCPT TO:<%b>" % path for path in paths)]


def message(sender: bytes, *recipients: bytes) -> list[Step]:
    """The same, and what is sent to them."""
    return [*envelope(sender, *recipients), b"DATA", BODY]


_ELSEWHERE = b"x@other.example"
MESSAGES: dict[str, Sequence[Step]] = {
    "a sender's header, once for each": message(b"top", _ELSEWHERE, b"u", b"v", b"no"),
    "a recipient's header, each time": message(b"s", b"top", b"u", b"top"),
    "a header of one who is refused": message(b"s", b"both", b"u"),
    "forgotten at RSET": [*envelope(b"top", b"both", b"no"), b"RSET", *message(b"s", b"u")],
    "forgotten behind a message": [*message(b"top", b"u"), *message(b"s", b"u")],
    "forgotten at another HELO": [*envelope(b"top", b"no"), HELO, *message(b"s", b"u")],
    "a sender who is thrown away": message(b"gone", _ELSEWHERE, b"no", b"top", b"both"),
    "thrown away from the second on": message(b"top", b"u", b"gone", b"no", _ELSEWHERE),
    "thrown away behind a refused one": message(b"s", b"no", b"gone", b"u"),
    "not thrown away any more": [*envelope(b"gone", b"u"), b"RSET", *message(b"s", b"no", b"u")],
}


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("name", MESSAGES)
def test_the_same_becomes_of_a_message(peers: dict[str, Peers], name: str, profile: str) -> None:
    """The same replies, the same headers on top of it, and as many that are taken."""
    pair = peers[profile]
    their_mark, our_mark, count = pair.their_log.stat().st_size, pair.ours.mark(), len(pair.backend.messages())
    steps = [HELO, *MESSAGES[name], b"QUIT"]

    assert heard(pair.ours.port, steps) == heard(pair.theirs, steps)

    until(lambda: b" disconnect from " in _since(pair.their_log, their_mark), "the end of Postfix's session")
    theirs = _since(pair.their_log, their_mark)
    ours = pair.backend.messages()[count:]
    assert [line for message in ours for line in message.text.split(b"\n") if line.startswith(b"X-")] == [
        found[1] for found in _HEADER.finditer(theirs)
    ]
    until(lambda: _REFUSED.findall(pair.ours.since(our_mark)) == _REFUSED.findall(theirs), "the same lines of refusals")


def heard(port: int, steps: Sequence[Step]) -> list[bytes]:
    """What each step is told: of what passes the code."""
    with Client(socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)) as client:
        client.reply()
        return [reply if reply[:1] in b"45" else reply[:3] for reply in client.converse(steps)]


def _since(log: Path, mark: int) -> bytes:
    return log.read_bytes()[mark:]
