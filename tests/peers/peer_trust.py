"""Postfix's smtpd and our gate with STARTTLS and AUTH, before the same Dovecot: the same replies, but those we mean.

Of EHLO the keywords are compared, of all else the code and the enhanced code.
"""

import os
import random
import re
import socket
import ssl
from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from typing import NamedTuple

import pytest

from tests.support.certificates import Authority
from tests.support.dovecot import Dovecot
from tests.support.gate import gated
from tests.support.smtp_client import Client, short
from tests.support.waiting import PATIENCE

from . import postfix
from .backend import BACKEND

SEEDS = range(int(os.environ.get("PEERS_DIALOGUES", "200")))
TLS = b"STARTTLS"
EHLO, MAIL, RCPT = b"EHLO client.example.net", b"MAIL FROM:<s@example.net>", b"RCPT TO:<r@example.org>"
_LOGINS = ("smtpd_sasl_auth_enable=yes", "smtpd_sasl_type=dovecot", "smtpd_sasl_mechanism_filter=plain, login")
_PATIENT = ("smtpd_hard_error_limit=1000", "smtpd_junk_command_limit=1000")
_MAY, _ENCRYPT = "smtpd_tls_security_level=may", "smtpd_tls_security_level=encrypt"
#: Parameters that both get; those with keys, and those with Dovecot, get more.
PROFILES: Mapping[str, Sequence[str]] = {
    "TLS": (_MAY,),
    "TLS required": (_ENCRYPT, *_LOGINS, "smtpd_tls_auth_only=no"),
    "logins": (*_LOGINS, "smtpd_tls_auth_only=no", "broken_sasl_auth_clients=yes"),
    "logins within TLS": (_MAY, *_LOGINS, "smtpd_tls_auth_only=yes"),
    "both": (_MAY, *_LOGINS, "smtpd_tls_auth_only=no", "smtpd_helo_required=yes"),
}


def base64(text: bytes) -> bytes:
    """As a response says it."""
    return b64encode(text)


RIGHT, WRONG = base64(b"\0joe\0s3cret"), base64(b"\0joe\0wrong")
WRITTEN: Mapping[str, tuple[str, Sequence[bytes]]] = {
    "TLS begins anew": ("TLS", [EHLO, MAIL, RCPT, TLS, RCPT, b"DATA", MAIL, EHLO, TLS, b"STARTTLS x"]),
    "TLS without a name": ("TLS", [TLS, b"NOOP", b"HELO x", MAIL, RCPT]),
    "TLS behind HELO": ("TLS", [b"HELO x", b"STARTTLS x", TLS, MAIL, RCPT, b"RSET", b"QUIT"]),
    "no logins": ("TLS", [EHLO, b"AUTH PLAIN " + RIGHT, b"AUTH", TLS, EHLO, b"AUTH PLAIN " + RIGHT]),
    "what waits for TLS": (
        "TLS required",
        [MAIL, b"NOOP", b"RSET", b"VRFY x", b"AUTH PLAIN " + RIGHT, b"DATA", b"HELO x", b"FOO", b"ETRN x", TLS, EHLO],
    ),
    "right": ("logins", [EHLO, b"AUTH PLAIN " + RIGHT, b"AUTH PLAIN " + RIGHT, b"RSET", EHLO, MAIL, RCPT]),
    "relays": (
        "logins within TLS",
        [TLS, EHLO, b"AUTH LOGIN", base64(b"joe"), base64(b"s3cret"), MAIL, RCPT, b"QUIT"],
    ),
    "wrong, then right": ("logins", [EHLO, b"AUTH PLAIN " + WRONG, MAIL, b"RSET", b"AUTH PLAIN", RIGHT, MAIL]),
    "login is forgotten": ("both", [EHLO, b"AUTH PLAIN " + RIGHT, TLS, EHLO, b"AUTH PLAIN " + RIGHT, MAIL]),
    "in a transaction": ("logins", [EHLO, MAIL, b"AUTH PLAIN " + RIGHT, RCPT, b"AUTH PLAIN", b"RSET"]),
    "before HELO": ("both", [b"AUTH PLAIN " + RIGHT, b"HELO x", b"AUTH PLAIN " + RIGHT, MAIL]),
    "given up": ("logins", [EHLO, b"AUTH PLAIN", b"*", b"AUTH LOGIN", base64(b"joe"), b"*", b"NOOP"]),
    "syntax": ("logins", [EHLO, b"AUTH", b"AUTH PLAIN a b", b"auth login", b"*", b"NOOP"]),
    "too long": ("logins", [EHLO, b"AUTH PLAIN", b"A" * 20000, b"NOOP"]),
    "whose word": ("logins", [EHLO, MAIL + b" AUTH=<>", b"RSET", MAIL + b" AUTH=a+2Bb@x", b"RSET", MAIL + b" AUTH"]),
    "unknown": ("logins", [EHLO, b"AUTH FOO"]),
    "no base64": ("logins", [EHLO, b"AUTH PLAIN !!!!"]),
    "no base64 behind a challenge": ("logins", [EHLO, b"AUTH LOGIN", b"!!!!"]),
    "in the clear": ("logins within TLS", [EHLO, b"AUTH PLAIN " + RIGHT]),
}


class Deliberate(NamedTuple):
    """A difference that we mean. command: what was said, as an expression. replies: theirs and ours, as expressions."""

    command: bytes
    theirs: str
    ours: str
    why: str


DELIBERATE = [
    Deliberate(rb"AUTH FOO.*", "535 5.7.8", "504 5.5.4", "RFC 4954, 4: no password was wrong"),
    Deliberate(rb".*", "535 5.7.8", "501 5.5.2", "RFC 4954, 4: what is no base64 is no wrong password"),
    Deliberate(rb"AUTH.*", "503 5.5.1", "50[14] 5.5.4", "RFC 4954, 4: it wants TLS, and is enabled"),
    Deliberate(rb"MAIL.* AUTH=.*", "250 2.1.0", "555 5.5.4", "taken where AUTH is enabled (RFC 4954, 5)"),
    Deliberate(rb"(?!AUTH).*", "535 5.7.8", "334", "whether there may be such a user is asked with the password"),
]
_met: set[Deliberate] = set()


class Pair(NamedTuple):
    """Both servers of a profile, and what a client trusts."""

    theirs: int
    ours: int
    trusting: ssl.SSLContext


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, Pair]]:
    """Both servers, for each profile."""
    folder = tmp_path_factory.mktemp("peers")
    authority = Authority(folder)
    keys = authority.pair("mx.example.org")
    trusting = ssl.create_default_context(cafile=authority.ca_file)
    with Dovecot({"joe": "s3cret"}) as dovecot, ExitStack() as stack:
        more = (f"smtpd_tls_cert_file={keys.certificate}", f"smtpd_tls_key_file={keys.key}", *_PATIENT)
        asked = {
            name: (*one, *more, *((f"smtpd_sasl_path={dovecot.path}",) if _LOGINS[0] in one else ()))
            for name, one in PROFILES.items()
        }
        theirs = stack.enter_context(postfix.running(asked, master="tlsmgr unix - - n 1000? 1 tlsmgr\n"))
        gates = {
            name: stack.enter_context(
                gated(
                    ("sh", "-c", BACKEND),
                    folder / name.replace(" ", "-"),
                    parameters=("mynetworks=192.0.2.0/24", "smtpd_error_sleep_time=0", *one),
                    rules=":allow\n",
                )
            )
            for name, one in asked.items()
        }
        yield {name: Pair(theirs.ports[name], gates[name].port, trusting) for name in PROFILES}


@pytest.mark.parametrize("name", WRITTEN)
def test_written(pairs: Mapping[str, Pair], name: str) -> None:
    """Those that somebody has thought of."""
    profile, commands = WRITTEN[name]
    compare(pairs[profile], commands)


@pytest.mark.parametrize("seed", SEEDS)
def test_by_chance(pairs: Mapping[str, Pair], seed: int) -> None:
    """Those that nobody has thought of; a wrong password is none of them, since it takes its time."""
    draw = random.Random(seed)
    compare(pairs[draw.choice(list(PROFILES))], [*_by_chance(draw)])


def test_every_difference_is_real() -> None:
    """What stands in DELIBERATE was met above."""
    wanted = DELIBERATE if len(SEEDS) >= 200 else DELIBERATE[:3]
    assert [one for one in wanted if one not in _met] == []


def _by_chance(draw: random.Random) -> Iterator[bytes]:
    for _ in range(draw.randrange(2, 14)):
        yield draw.choice(
            [
                *(
                    EHLO,
                    EHLO,
                    b"HELO x",
                    TLS,
                    TLS,
                    b"STARTTLS x",
                    MAIL,
                    MAIL + b" AUTH=<>",
                    RCPT,
                    b"RSET",
                    b"NOOP",
                    b"FOO",
                ),
                *(b"DATA x", b"VRFY r@example.org", b"AUTH", b"AUTH PLAIN", b"AUTH PLAIN " + RIGHT, b"AUTH PLAIN a b"),
                *(b"AUTH LOGIN", b"AUTH FOO", b"AUTH PLAIN !!!!", b"*", base64(b"joe"), base64(b"s3cret"), RIGHT),
            ]
        )


def compare(pair: Pair, commands: Sequence[bytes]) -> None:
    """Say it to both. From a deliberate difference on, nothing more is compared."""
    theirs, ours = (heard(port, pair.trusting, commands) for port in (pair.theirs, pair.ours))
    for place in range(max(len(theirs), len(ours))):
        found = tuple(replies[place] if place < len(replies) else "closed" for replies in (theirs, ours))
        if found[0] == found[1]:
            continue
        meant = next((one for one in DELIBERATE if re.fullmatch(one.command, commands[place])
                      and re.fullmatch(one.theirs, found[0]) and re.fullmatch(one.ours, found[1])), None)  # fmt: skip
        assert meant, f"{commands[place]!r}: Postfix {found[0]}, ours {found[1]}; {commands} {theirs} {ours}"
        _met.add(meant)
        return


def heard(port: int, trusting: ssl.SSLContext, commands: Sequence[bytes]) -> list[str]:
    """The reply to each command, in short; STARTTLS that is taken is followed by its handshake."""
    client = Client(socket.create_connection(("127.0.0.1", port), timeout=PATIENCE))
    try:
        assert client.reply().startswith(b"220 ")
        replies = []
        for command in commands:
            reply = client.ask(command)
            replies.append(_shown(command, reply))
            if command == TLS and reply.startswith(b"220 "):
                client = Client(trusting.wrap_socket(client.socket, server_hostname="mx.example.org"))
            if not reply:
                break
        return replies
    finally:
        client.socket.close()


def _shown(command: bytes, reply: bytes) -> str:
    if not reply.startswith(b"250") or not command.startswith(b"EHLO"):
        return short(reply)
    words = (line[4:].decode() for line in reply.splitlines()[1:])
    return " ".join(re.sub("^(AUTH.)(.*)", _sorted, word) for word in words if not word.startswith("SIZE"))


def _sorted(announced: re.Match[str]) -> str:
    return announced[1] + ",".join(sorted(announced[2].split()))
