"""The gate asks the policy servers that people run: Debian's postgrey and policyd-spf, and pypostgrey of ours."""

import re
from collections.abc import Iterator

import pytest

from tests.support.backends.known import NotQmail
from tests.support.gate import RCPT, Gate, controls, gated
from tests.support.postgrey import Postgrey
from tests.support.pypostgrey import Postgrey as PyPostgrey
from tests.support.smtp_client import Content
from tests.support.spf import policyd_spf
from tests.support.waiting import until

EHLO, BODY = b"EHLO client.example.net", Content(b"Subject: x\r\n\r\nbody\r\n.\r\n")
PASSES, FAILS = b"MAIL FROM:<s@passes.example>", b"MAIL FROM:<s@fails.example>"
RECORDS = {
    "passes.example TXT": ["v=spf1 ip4:192.0.2.7 -all"],
    "fails.example TXT": ["v=spf1 ip4:192.0.2.99 -all"],
}


@pytest.fixture(scope="module", params=[Postgrey, PyPostgrey], ids=["postgrey", "pypostgrey"])
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Gate, NotQmail]]:
    """SPF first, then postgrey with a delay of one second, as guides have it."""
    folder = tmp_path_factory.mktemp("servers")
    backend = NotQmail(folder / "backend", controls(folder / "control"))
    variables = {**backend.environment, "DNSCACHEIP": "127.0.0.1"}
    with request.param("--delay=1") as postgrey, policyd_spf(RECORDS, folder) as spf:
        services = f"check_policy_service {spf}, check_policy_service unix:{postgrey.path}"
        parameters = (
            "compatibility_level=3.6",
            "myhostname=mx.example.org",
            "mydestination=example.org",
            "local_recipient_maps=",
            f"smtpd_recipient_restrictions=reject_unauth_destination, {services}",
        )
        with gated(backend.argv, folder, parameters=parameters, variables=variables) as gate:
            yield gate, backend


def test_mail_waits_for_postgrey_and_has_the_headers_of_both(server: tuple[Gate, NotQmail]) -> None:
    """First deferred, with postgrey's words; then it passes, and each header is there once for two recipients."""
    gate, backend = server
    second = b"RCPT TO:<second@example.org>"
    first = gate.converse([EHLO, PASSES, RCPT, second])[-2:]

    def is_taken() -> bool:
        return [one[:3] for one in gate.converse([EHLO, PASSES, RCPT, second, b"DATA", BODY, b"QUIT"])[-5:-3]] == [
            b"250",
            b"250",
        ]

    until(is_taken, "postgrey to let it pass")

    assert first[0].startswith(b"450 4.2.0 <r@example.org>: Recipient address rejected: Greylisted, see http://")
    message = backend.messages()[-1]
    assert len(re.findall(rb"^X-Greylist: delayed \d seconds by postgrey-", message.text, re.MULTILINE)) == 1
    assert len(re.findall(rb"^Received-SPF: Pass ", message.text, re.MULTILINE)) == 1


def test_mail_of_others_is_refused_by_spf(server: tuple[Gate, NotQmail]) -> None:
    """For good, with its code."""
    gate, _ = server

    reply = gate.converse([EHLO, FAILS, RCPT])[-1]

    assert reply.startswith(
        b"550 5.7.23 <r@example.org>: Recipient address rejected: Message rejected due to: SPF fail"
    )
