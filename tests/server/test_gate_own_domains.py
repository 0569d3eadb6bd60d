"""What a gate with a main.cf takes mail for, in a worker of pytcpserver, and alone under Debian's tcpserver."""

import os
from pathlib import Path

import pytest

from tests.support.backends.known import Scripted
from tests.support.gate import MAIL, RCPT, gated
from tests.support.programs import theirs
from tests.support.waiting import until

EHLO = b"EHLO client.example.net"
FORMS = ["absorbed", "under tcpserver"]
#: Nobody is asked here for more than the client's name.
NO_DNS = {"DNSCACHEIP": "127.0.0.1@9"}


def test_no_list_opens_a_relay(tmp_path: Path) -> None:
    """What lists permit is still refused where the gate's last check knows nothing of it."""
    backend = Scripted(tmp_path / "backend")
    parameters = (
        "smtpd_recipient_restrictions=permit_mynetworks, reject_unauth_destination",
        "myhostname=elsewhere.example",
    )
    with gated(backend.argv, tmp_path, parameters=parameters, variables=NO_DNS) as gate:
        replies = gate.converse([EHLO, MAIL, b"RCPT TO:<a@elsewhere.example>", b"RCPT TO:<a@localhost>", RCPT])

    assert replies[-3:] == [
        b"554 5.7.1 <a@elsewhere.example>: Relay access denied",
        b"554 5.7.1 <a@localhost>: Relay access denied",
        b"250 recipient ok",
    ]


@pytest.mark.parametrize("form", FORMS)
def test_mail_is_taken_for_what_is_written(tmp_path: Path, form: str) -> None:
    """In main.cf and its tables, as in rcpthosts; the backend hears of no relaying, and the rest is refused."""
    backend = Scripted(tmp_path / "backend")
    table = tmp_path / "virtual"
    table.write_text("virtual.example x\nu@virtual.example x\n")
    parameters = (
        *("myhostname=mx.example.org", "mydestination=local.example", f"virtual_mailbox_maps=hash:{table}"),
        *("relay_domains=inline:{relayed.example=x}", "inet_interfaces=127.0.0.1"),
        *("smtpd_error_sleep_time=0", "smtpd_hard_error_limit=100"),
    )
    passing = ("local.example", "virtual.example", "a.relayed.example", "example.org", "[127.0.0.1]")
    refused = ("a.local.example", "other.example", "localhost", "[127.0.0.2]")
    steps = [b"RCPT TO:<u@%b>" % domain.encode() for domain in (*passing, *refused)]
    alone = theirs("tcpserver") if form == FORMS[1] else None
    with gated(backend.argv, tmp_path, parameters=parameters, variables=NO_DNS, server=alone) as gate:
        replies = gate.converse([EHLO, MAIL, *steps, b"RCPT TO:<nobody@virtual.example>"])

    assert [reply[:9] for reply in replies[2:]] == [
        *[b"250 recip"] * len(passing),
        *[b"554 5.7.1"] * len(refused),
        b"550 5.1.1",
    ]
    assert [b"RELAYCLIENT" in visit.environment for visit in backend.visits()] == [False]


def test_a_table_of_domains_that_cannot_be_read_opens_nothing(tmp_path: Path) -> None:
    """Recipients are refused for now, with one warning at the start and one a minute; once it is there it counts."""
    backend = Scripted(tmp_path / "backend")
    table = tmp_path / "relayed"
    parameters = (
        *(f"relay_domains=texthash:{table}", "smtpd_error_sleep_time=0", "smtpd_hard_error_limit=100000"),
        "myhostname=mx.example.org",
    )
    elsewhere, relayed = b"RCPT TO:<a@elsewhere.example>", b"RCPT TO:<a@b.relayed.example>"
    with (
        gated(backend.argv, tmp_path, parameters=parameters, variables=NO_DNS) as gate,
        gate.client() as client,
    ):
        client.ask(EHLO)
        client.ask(MAIL)
        assert client.ask(relayed) == b"451 4.3.0 <a@b.relayed.example>: Temporary lookup failure"
        assert client.ask(elsewhere) == b"451 4.3.0 <a@elsewhere.example>: Temporary lookup failure"
        assert backend.visits() == []
        table.write_text("relayed.example x\n")
        until(lambda: client.ask(relayed) == b"250 recipient ok")
        assert client.ask(elsewhere) == b"554 5.7.1 <a@elsewhere.example>: Relay access denied"
        assert gate.log().count(b": warning: table texthash:%b: file does not exist\n" % os.fsencode(table)) == 2
