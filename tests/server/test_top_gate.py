"""Who is inside a gate, as pyucspitop shows it: what each client is at, and what is waited for on its behalf."""

import os
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.support import nameserver
from tests.support.backends.known import Scripted
from tests.support.gate import MAIL, RCPT, Gate, gated
from tests.support.policy_server import SILENT, PolicyServer, policy_server
from tests.support.saslauthd import Saslauthd
from tests.support.topping import inside, shown, top
from tests.support.waiting import until

NAMED = "127.0.0.2"
RULES = """\
127.0.0.1:allow,TCPREMOTEIP="192.0.2.7"
127.0.0.2:allow,TCPREMOTEIP="192.0.2.8"
"""
RECORDS = {"8.2.0.192.in-addr.arpa PTR": ["mx.example.net."], "mx.example.net A": ["192.0.2.8"]}
#: It turns the direction of writing, and clears a screen.
HOSTILE = "h\u202eo\x1b[2J".encode()


class Watched(NamedTuple):
    """A gate, its policy service, and the socket at which it says who is inside."""

    gate: Gate
    service: PolicyServer
    place: Path


@pytest.fixture(scope="module")
def watched(backend: Scripted, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    """With names, logins and a policy service."""
    folder = tmp_path_factory.mktemp("watched")
    place = folder / "top"
    with (
        nameserver.running(RECORDS, folder) as dns,
        Saslauthd({"joe": "s3cret"}) as saslauthd,
        policy_server(folder / "policy") as service,
        gated(
            backend.argv,
            folder / "gate",
            options=("--top", str(place)),
            rules=RULES,
            parameters=(
                *("smtpd_sasl_auth_enable=yes", "smtpd_tls_auth_only=no", "smtpd_sasl_type=saslauthd"),
                f"smtpd_sasl_path={saslauthd.path}",
                *("smtpd_delay_reject=no", "smtpd_helo_restrictions=permit"),
                "smtpd_recipient_restrictions=permit_sasl_authenticated, reject_unauth_destination, "
                f"check_policy_service {service.service}",
            ),
            variables={"DNSCACHEIP": dns, "PATH": os.environ["PATH"]},
        ) as gate,
    ):
        yield Watched(gate, service, place)


@pytest.fixture(autouse=True)
def backend_works(backend: Scripted) -> None:
    """It takes what comes."""
    backend.does()


def test_each_command_is_a_state_and_a_message_counts(watched: Watched) -> None:
    """Of a client that logs in."""
    gate, _, place = watched
    steps = [
        (b"EHLO client.example.net", "helo"),
        (b"AUTH PLAIN AGpvZQBzM2NyZXQ=", "auth"),
        (MAIL, "mail"),
        (RCPT, "rcpt"),
        (b"DATA", "data"),
        (b"x\r\n.", "message"),
    ]
    with gate.client() as client:
        (one,) = inside(place, 1)
        assert (one["state"], one["helo"], one["user"], one["messages"]) == ("session", None, None, 0)
        for command, state in steps:
            client.say(command + b"\r\n")
            assert client.reply()[:1] in b"23"
            until(partial(_are_at, place, state), state)
        until(lambda: [one["messages"] for one in top(place)["clients"]] == [1], "the message")
        (one,) = inside(place, 1)
        assert (one["user"], one["waits_for"]) == ("joe", None)
        assert one["program"] is not None
    inside(place, 0)


def _are_at(place: Path, state: str) -> bool:
    return [one["state"] for one in top(place)["clients"]] == [state]


def test_who_has_no_name_is_shown_by_what_he_calls_himself(watched: Watched) -> None:
    """And who has one, by that; whatever is not printable is an escape."""
    gate, _, place = watched
    with gate.client() as client, gate.client(NAMED) as named:
        for each in (client, named):
            each.converse([b"EHLO " + HOSTILE, MAIL, RCPT])
        until(lambda: [one["name"] for one in top(place)["clients"]] == [None, "mx.example.net"])
        nameless, _ = inside(place, 2)
        assert nameless["helo"].isprintable()
        names = [cells[1] for cells in shown(place)]
        assert names[1] == "mx.example.net"
        assert names[0].startswith("h")
        assert names[0].isprintable()
    inside(place, 0)


def test_the_policy_service_is_named_that_is_waited_for(watched: Watched) -> None:
    """One that says nothing."""
    gate, service, place = watched
    service.say(SILENT)
    with gate.client() as client:
        client.converse([b"EHLO c", MAIL])
        client.say(RCPT + b"\r\n")
        until(lambda: [one["waits_for"] for one in top(place)["clients"]] == [f"policy {service.service}"])
        service.drop()
    service.say(b"DUNNO")
    inside(place, 0)
