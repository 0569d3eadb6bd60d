"""pysmtpgate --dry-run: whoever the program behind lets in is let in, and the log says who would not be."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.backends.known import NotQmail
from tests.support.gate import MAIL, PATIENT, RCPT, Gate, controls, gated
from tests.support.nameserver import serving
from tests.support.smtp_client import Content, shorts
from tests.support.waiting import until

EHLO = b"EHLO client.example.net"
FOREIGN = b"RCPT TO:<u@elsewhere.example>"
BODY = Content(b"Subject: x\r\n\r\nbody\r\n.\r\n")
LISTED = '127.0.0.1:allow,TCPREMOTEIP="192.0.2.7",RBLSMTPD="-listed"\n:allow\n'
WOULD = b"smtpgate: NOQUEUE: reject_warning: "
NOT_OURS = b"553 sorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)"
#: Each list has something against the stranger's mail; nothing is thrown away.
LISTS = (
    "compatibility_level=3.6",
    "mydestination=example.org",
    "local_recipient_maps=",
    "smtpd_client_restrictions=reject",
    "smtpd_sender_restrictions=check_sender_access inline:{ {s@example.net=DISCARD} }",
    "smtpd_data_restrictions=reject",
    "smtpd_end_of_data_restrictions=check_sender_access inline:{ {s@example.net=REJECT too late} }",
)


@pytest.fixture
def backend(tmp_path: Path) -> NotQmail:
    """A qmail-smtpd with its own rcpthosts."""
    return NotQmail(tmp_path / "backend", controls(tmp_path / "control"))


@pytest.fixture
def gate(backend: NotQmail, tmp_path: Path) -> Iterator[Gate]:
    """A gate that a rule has tell its client that it is listed."""
    with gated(dry(backend), tmp_path, parameters=PATIENT, variables=backend.environment, rules=LISTED) as gate:
        yield gate


def dry(backend: NotQmail) -> tuple[str, ...]:
    """The words behind those of the gate."""
    return ("--dry-run", *backend.argv)


def test_who_is_listed_is_let_in(gate: Gate, backend: NotQmail) -> None:
    """The message is queued; the line is Postfix's of warn_if_reject, and the screen's own is none."""
    assert shorts(gate.converse([EHLO, MAIL, RCPT, b"DATA", BODY, b"QUIT"]))[4].startswith("250")

    assert len(backend.messages()) == 1
    until(lambda: b"message from " in gate.log())
    fields = b"from=<s@example.net> to=<r@example.org> proto=ESMTP helo=<client.example.net>\n"
    assert WOULD + b"RCPT from unknown[192.0.2.7]: 553 listed; " + fields in gate.log()
    assert b"reject: " not in gate.log()
    assert b"rblsmtpd: " not in gate.log()


def test_mail_for_elsewhere_is_the_programs_to_refuse(gate: Gate, backend: NotQmail) -> None:
    """It has no RELAYCLIENT from us: it says so in its own words, which are a refusal in the log."""
    assert gate.converse([EHLO, MAIL, FOREIGN, b"QUIT"])[2] == NOT_OURS

    until(lambda: b"disconnect from " in gate.log())
    denied = WOULD + b"RCPT from unknown[192.0.2.7]: 554 5.7.1 <u@elsewhere.example>: Relay access denied; from="
    assert denied in gate.log()
    assert b"smtpgate: NOQUEUE: reject: RCPT from unknown[192.0.2.7]: " + NOT_OURS in gate.log()
    assert backend.messages() == []


def test_without_rcpthosts_mail_for_elsewhere_stays_refused(backend: NotQmail, tmp_path: Path) -> None:
    """Since the program then would take it for everybody."""
    control = controls(tmp_path / "control", rcpthosts=None)
    with gated(dry(backend), tmp_path, control=control, variables=backend.environment) as gate:
        assert shorts(gate.converse([EHLO, MAIL, FOREIGN, RCPT]))[2:] == ["451 4.3.0"] * 2
        assert b"reject_warning" not in gate.log()


def test_framing_is_held_to(gate: Gate, backend: NotQmail) -> None:
    """Of who would smuggle nothing passes."""
    smuggled = Content(b"x\n.\nMAIL FROM:<>\r\n.\r\n")

    assert shorts(gate.converse([EHLO, MAIL, RCPT, b"DATA", smuggled, b"QUIT"]))[4] == "550 5.5.2"
    assert backend.messages() == []


@pytest.mark.parametrize("when", ["at RCPT", "at once"])
def test_lists_refuse_nothing_and_throw_nothing_away(when: str, backend: NotQmail, tmp_path: Path) -> None:
    """Each stage has its line; a recipient one, with the first reason."""
    parameters = (*PATIENT, *LISTS, *(("smtpd_delay_reject=no",) if when == "at once" else ()))
    with serving({}, tmp_path) as dns:
        variables = {**backend.environment, "DNSCACHEIP": dns.address}
        with gated(dry(backend), tmp_path, parameters=parameters, variables=variables) as gate:
            replies = gate.converse([EHLO, MAIL, RCPT, FOREIGN, b"DATA", BODY, b"QUIT"])
            until(lambda: b"message from " in gate.log())
            log = gate.log()

    assert replies[3] == NOT_OURS
    assert shorts(replies)[5].startswith("250")
    assert len(backend.messages()) == 1
    stages = {"at RCPT": [b"RCPT", b"RCPT"], "at once": [b"CONNECT", b"RCPT"]}[when]
    noted = [line.removeprefix(WOULD).split(b" ")[0] for line in log.splitlines() if line.startswith(WOULD)]
    assert noted == [*stages, b"DATA", b"END-OF-MESSAGE"]
    assert b"discard: " not in log
    assert (b"smtpgate: NOQUEUE: warn: MAIL from " in log) == (when == "at once")
