"""Postfix's smtpd and our gate ask the same Dovecot: who logs in hears the same, and restrictions see the same user."""

import re
import socket
from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pytest

from tests.support.dovecot import Dovecot
from tests.support.gate import gated
from tests.support.smtp_client import Client, Step

from . import postfix
from .backend import BACKEND

EHLO, FOREIGN = b"EHLO client.example.net", b"RCPT TO:<far@elsewhere.example>"


RIGHT = "s3cret"


def plain(login: str, password: str = RIGHT) -> bytes:
    """AUTH PLAIN with its response."""
    return b"AUTH PLAIN " + b64encode(f"\0{login}\0{password}".encode())


JOE, ANN, WRONG = plain("joe"), plain("ann"), plain("joe", "wrong")
_OF_SENDERS = (
    *(b"MAIL FROM:<a@far.example>", FOREIGN, b"RSET", b"MAIL FROM:<a+x@far.example>", FOREIGN, b"RSET"),
    *(b"MAIL FROM:<B@Far.example>", FOREIGN, b"RSET", b"MAIL FROM:<any@own.example>", FOREIGN, b"RSET"),
    *(b"MAIL FROM:<nobody@far.example>", FOREIGN, b"RSET", b"MAIL FROM:<>", FOREIGN, b"RSET"),
    *(b"MAIL FROM:<joe>", FOREIGN, b"RSET"),
)
_MAPS = "smtpd_sender_login_maps=inline:{{a@far.example=ann, JOE}, {b@far.example=ann}, {@own.example=joe}, {joe=joe}}"
_USERS = "inline:{{joe=REJECT no more}, {ann=450 4.7.9 later}}"
_MISMATCHES = ("sender", "known_sender", "authenticated_sender", "unauthenticated_sender")
#: Parameters, and what a client says behind EHLO. Unknown mechanisms, bad base64, what is not offered and AUTH before
#: TLS have codes of their own here (RFC 4954, 4): Postfix refuses some as it does a wrong password, and takes others.
STORIES: Mapping[str, tuple[Sequence[str], Sequence[Step]]] = {
    "verbs": (
        ("broken_sasl_auth_clients=yes",),
        (
            *(b"AUTH", b"AUTH PLAIN x y", b"AUTH PLAIN", b"*", b"AUTH LOGIN", b"am9l"),
            *(b"*", b"AUTH PLAIN =", b"MAIL FROM:<s@x.example>", JOE, b"RSET", JOE, ANN, b"NOOP", b"RSET", JOE),
            *(b"MAIL FROM:<s@x.example> AUTH=<>", FOREIGN, b"RSET", b"MAIL FROM:<s@x.example> AUTH=joe+40x.example"),
            FOREIGN,
        ),
    ),
    "a stranger": ((), (b"MAIL FROM:<s@x.example>", FOREIGN)),
    "wrong": ((), (WRONG, b"NOOP", JOE)),
    **{
        f"{mismatch}, {who}": (
            (_MAPS, f"smtpd_sender_restrictions=reject_{mismatch}_login_mismatch"),
            (*((login,) if login else ()), *_OF_SENDERS),
        )
        for mismatch in _MISMATCHES
        for who, login in (("joe", JOE), ("ann", ANN), ("a stranger", None))
    },
    **{
        f"users, {who}": (
            (f"smtpd_sender_restrictions=check_sasl_access {_USERS}",),
            (*((login,) if login else ()), b"MAIL FROM:<s@x.example>", FOREIGN),
        )
        for who, login in (("joe", JOE), ("ann", ANN), ("a stranger", None))
    },
}
_COMMON = (
    "smtpd_sasl_auth_enable=yes",
    "smtpd_sasl_type=dovecot",
    "smtpd_relay_restrictions=permit_mynetworks, permit_sasl_authenticated, reject_unauth_destination",
    "mynetworks=198.51.100.0/24",
    "myhostname=mx.example.org",
    "myorigin=example.org",
    "mydestination=example.org",
    "local_recipient_maps=",
)
#: What the other side sends to an AUTH is base64 of its own; Dovecot's reason is empty, and ours is not.
_OWN_WORDS = re.compile(rb"(?<=authentication failed: ).*")


@pytest.fixture(scope="module")
def dovecot() -> Iterator[Dovecot]:
    """With two users."""
    with Dovecot({"joe": RIGHT, "ann": RIGHT}) as daemon:
        yield daemon


@pytest.fixture(scope="module")
def ports(dovecot: Dovecot) -> Iterator[Mapping[str, int]]:
    """Of Postfix, for each story."""
    profiles = {
        name: (*_COMMON, f"smtpd_sasl_path={dovecot.path}", *parameters) for name, (parameters, _) in STORIES.items()
    }
    with postfix.running(profiles) as running:
        yield running.ports


@pytest.mark.parametrize("story", STORIES)
def test_the_same_is_heard(story: str, dovecot: Dovecot, ports: Mapping[str, int], tmp_path: Path) -> None:
    """To each command, but for the reason of a failure."""
    parameters, steps = STORIES[story]
    with Client(socket.create_connection(("127.0.0.1", ports[story]))) as client:
        theirs = heard(client, steps)
    asked = ("smtpd_tls_auth_only=no", *_COMMON, f"smtpd_sasl_path={dovecot.path}", *parameters)
    with gated(("sh", "-c", BACKEND), tmp_path, parameters=asked) as gate, Client(gate.connect("127.0.0.1")) as client:
        ours = heard(client, steps)

    assert list(zip(steps, ours[1:], strict=False)) == list(zip(steps, theirs[1:], strict=False))


def heard(client: Client, steps: Sequence[Step]) -> list[bytes]:
    """The replies behind the banner, without what each has of its own."""
    assert client.reply().startswith(b"220 ")
    return [_OWN_WORDS.sub(b"", reply) for reply in client.converse([EHLO, *steps])]
