"""What Postfix's smtpd and our gate tell a policy service of the same dialogue: the same, but what we cannot know."""

import socket
import ssl
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from itertools import product
from typing import NamedTuple

import pytest

from tests.support.certificates import Authority
from tests.support.dovecot import Dovecot
from tests.support.gate import gated
from tests.support.policy_server import PolicyServer, policy_server
from tests.support.smtp_client import Client, Content
from tests.support.waiting import PATIENCE

from . import postfix
from .backend import BACKEND
from .peer_trust import EHLO, MAIL, RCPT, RIGHT, TLS

_STAGES = ("client", "helo", "sender", "recipient", "data", "end_of_data")
_LOGINS = ("smtpd_sasl_auth_enable=yes", "smtpd_sasl_type=dovecot", "smtpd_tls_auth_only=no")
_CERTIFICATES = ("smtpd_tls_security_level=encrypt", "smtpd_tls_ask_ccert=yes")
#: What Postfix has in its main.cf.
_OURS = (
    "compatibility_level=3.6",
    "myorigin=example.org",
    "mydestination=example.org",
    "local_recipient_maps=",
    "mynetworks=192.0.2.0/24",
    "smtpd_error_sleep_time=0",
)
#: Parameters that both get beside the lists, each of which asks the service.
PROFILES: Mapping[str, Sequence[str]] = {
    "delayed": (),
    "each": ("smtpd_delay_reject=no",),
    "logins": ("smtpd_delay_reject=no", *_LOGINS),
    "TLS": ("smtpd_delay_reject=no", *_LOGINS, *_CERTIFICATES),
}
BODY = Content(b"Subject: x\r\n\r\n..dots\r\n...\r\nlong %b\r\n.\r\n" % (b"x" * 3000))
#: Dots of it that are doubled on their way: Postfix counts both, as they came.
_DOUBLED = 2
SECOND = b"RCPT TO:<second@example.org>"
DIALOGUES: Mapping[str, Sequence[bytes | Content]] = {
    "HELO": [b"HELO c.example", MAIL, RCPT, b"DATA", BODY, b"QUIT"],
    "EHLO and SIZE": [EHLO, MAIL + b" SIZE=1000 BODY=8BITMIME", RCPT, SECOND, b"DATA", BODY, MAIL, RCPT, b"QUIT"],
    "no HELO": [MAIL, RCPT, b"QUIT"],
    "a bounce": [EHLO, b"MAIL FROM:<>", RCPT, b"DATA", BODY, b"QUIT"],
    "addresses": [
        EHLO,
        b'MAIL FROM:<"a b"@Example.NET>',
        b"RCPT TO:<@hop.example:R@Example.ORG>",
        b"RCPT TO:<r+x@[192.0.2.1]>",
        b"RCPT TO:<postmaster>",
        b"QUIT",
    ],
    "odd names": [b"EHLO a b(c)@d", MAIL, RCPT, b"RSET", b"HELO [192.0.2.1]", MAIL, RCPT, b"QUIT"],
}
#: The HELO list of Postfix still has the sender then; ours begins anew (RFC 5321, 4.1.4).
DELAYED: Mapping[str, Sequence[bytes | Content]] = {
    "EHLO anew": [EHLO, MAIL, RCPT, b"HELO other.example", MAIL, RCPT, b"DATA", BODY, b"QUIT"],
}
TRUSTED: Mapping[str, tuple[str, Sequence[bytes | Content]]] = {
    "TLS": ("TLS", [EHLO, TLS, EHLO, MAIL, RCPT, b"DATA", BODY, b"QUIT"]),
    "a login": ("logins", [EHLO, b"AUTH PLAIN " + RIGHT, MAIL + b" AUTH=a+2Bb@x.example", RCPT, b"QUIT"]),
    "both": ("TLS", [EHLO, TLS, EHLO, b"AUTH PLAIN " + RIGHT, MAIL + b" AUTH=<>", RCPT, b"DATA", BODY, b"QUIT"]),
}
#: What is another one each time, or of a queue; and what we say besides.
_ITS_OWN = ("instance", "client_port", "server_port", "queue_id", "tls_sni")
#: What nobody here has noted of a certificate.
_NOT_NOTED = ("ccert_pubkey_fingerprint",)


class Pair(NamedTuple):
    """Both servers of a profile."""

    theirs: int
    ours: int


class Peers(NamedTuple):
    """Both servers of each profile, the service that each asks, and what a client trusts and shows."""

    pairs: Mapping[str, Pair]
    theirs: PolicyServer
    ours: PolicyServer
    trusting: ssl.SSLContext


@pytest.fixture(scope="module")
def peers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Peers]:
    """Both servers, for each profile."""
    folder = tmp_path_factory.mktemp("peers")
    authority = Authority(folder)
    keys, own = authority.pair("mx.example.org"), authority.pair("client.example.net", common_name="Joe, x=1+é")
    trusting = ssl.create_default_context(cafile=authority.ca_file)
    trusting.load_cert_chain(own.certificate, own.key)
    with Dovecot({"joe": "s3cret"}) as dovecot, ExitStack() as stack:
        theirs, ours = (stack.enter_context(policy_server()) for _ in range(2))
        keys_of_both = (
            f"smtpd_tls_cert_file={keys.certificate}",
            f"smtpd_tls_key_file={keys.key}",
            f"smtpd_tls_CAfile={authority.ca_file}",
        )
        more = {"logins": (login := f"smtpd_sasl_path={dovecot.path}",), "TLS": (login, *keys_of_both)}
        asked = {name: (*one, *more.get(name, ())) for name, one in PROFILES.items()}
        running = stack.enter_context(
            postfix.running(
                {name: (*one, *_lists(theirs)) for name, one in asked.items()},
                master="tlsmgr unix - - n 1000? 1 tlsmgr\n",
            )
        )
        pairs = {}
        for name, one in asked.items():
            gate = gated(
                ("sh", "-c", BACKEND),
                folder / name,
                parameters=(*_OURS, *one, *_lists(ours)),
                rules=":allow\n",
                variables={"DNSCACHEIP": "127.0.0.1"},
            )
            pairs[name] = Pair(running.ports[name], stack.enter_context(gate).port)
        yield Peers(pairs, theirs, ours, trusting)


def _lists(service: PolicyServer) -> Iterator[str]:
    for stage in _STAGES:
        check = f"check_policy_service {{ {service.service}, policy_context={stage} }}"
        yield f"smtpd_{stage}_restrictions={check}"
    yield "smtpd_relay_restrictions=reject_unauth_destination"


@pytest.mark.parametrize(
    ("profile", "dialogue"),
    [*product(["delayed", "each"], DIALOGUES), *product(["delayed"], DELAYED)],
)
def test_the_service_is_told_the_same(peers: Peers, profile: str, dialogue: str) -> None:
    """At each command, with each attribute of Postfix's, in its order."""
    theirs, ours = _told(peers, profile, {**DIALOGUES, **DELAYED}[dialogue])

    assert ours == theirs
    assert theirs


@pytest.mark.parametrize("dialogue", TRUSTED)
def test_it_is_told_the_same_of_tls_and_of_logins(peers: Peers, dialogue: str) -> None:
    """But the key of a certificate."""
    theirs, ours = _told(peers, *TRUSTED[dialogue])
    for request in (*theirs, *ours):
        for name in _NOT_NOTED:
            del request[name]

    assert ours == theirs
    assert bool(theirs[-1]["ccert_fingerprint"]) == (dialogue != "a login")


def _told(
    peers: Peers, profile: str, dialogue: Sequence[bytes | Content]
) -> tuple[list[dict[str, str]], list[dict[str, str]]]:
    pair = peers.pairs[profile]
    theirs = _of_one(peers.theirs, pair.theirs, dialogue, peers.trusting)
    for request in theirs:
        if request["protocol_state"] == "END-OF-MESSAGE":
            request["size"] = str(int(request["size"]) - _DOUBLED)
    return theirs, _of_one(peers.ours, pair.ours, dialogue, peers.trusting)


def _of_one(
    service: PolicyServer, port: int, dialogue: Sequence[bytes | Content], trusting: ssl.SSLContext
) -> list[dict[str, str]]:
    service.requests.clear()
    client = Client(socket.create_connection(("127.0.0.1", port), timeout=PATIENCE))
    try:
        assert client.reply().startswith(b"220 ")
        for step in dialogue:
            reply = _said(client, step)
            if step == TLS:
                assert reply.startswith(b"220 "), reply
                client = Client(trusting.wrap_socket(client.socket, server_hostname="mx.example.org"))
    finally:
        client.socket.close()
    return [{name: value for name, value in one.items() if name not in _ITS_OWN} for one in service.requests]


def _said(client: Client, step: bytes | Content) -> bytes:
    if isinstance(step, bytes):
        return client.ask(step)
    client.socket.sendall(step.data)
    return client.reply()
