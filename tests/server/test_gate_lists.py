"""Postfix's restriction lists at the gate: in a worker of pytcpserver, and alone under Debian's tcpserver."""

import os
import re
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from tests.support.backends.known import NotQmail, Scripted
from tests.support.gate import MAIL, RCPT, RELAY, STRANGER, Gate, controls, gated
from tests.support.nameserver import NameServer, Records, lists, serving
from tests.support.programs import theirs
from tests.support.smtp_client import Content, Step
from tests.support.waiting import until

EHLO = b"EHLO client.example.net"
BODY = Content(b"Subject: x\r\n\r\nbody\r\n.\r\n")
DNS: Records = {
    "7.2.0.192.in-addr.arpa PTR": ["client.example.net."],
    "client.example.net A": ["192.0.2.7"],
    "8.2.0.192.in-addr.arpa PTR": ["client.example.net."],
    "example.net MX": ["10 mx.example.net."],
    "null.example MX": ["0 ."],
    "fails.example MX": "servfail",
    "fails.example A": "servfail",
    "fails.example AAAA": "servfail",
    "mx.example.net A": ["192.0.2.99"],
    "bad.example.dbl.example A": ["127.0.0.2"],
    "bad.example MX": ["10 mx.example.net."],
    **lists("bl.example", "192.0.2.8", text="go away"),
    **lists("bare.example", "192.0.2.7"),
}
PARAMETERS = (
    "compatibility_level=3.6",
    "myhostname=mx.example.org",
    "mydestination=example.org",
    "local_recipient_maps=inline:{r@example.org=x, second@example.org=x}",
    "smtpd_error_sleep_time=0",
    "smtpd_client_restrictions=permit_mynetworks, reject_rbl_client bl.example",
    "smtpd_helo_restrictions=reject_non_fqdn_helo_hostname",
    "smtpd_sender_restrictions="
    "check_sender_access inline:{ {gone@example.net=DISCARD}, {top@example.net=PREPEND X-List: yes},"
    " {warned@example.net=WARN look}, {zone@example.net=reject_rbl_client bare.example} },"
    "reject_unknown_sender_domain, reject_rhsbl_sender dbl.example, warn_if_reject reject_non_fqdn_sender",
    "smtpd_data_restrictions=reject_multi_recipient_bounce",
    "smtpd_end_of_data_restrictions=check_sender_access inline:{ {late@example.net=REJECT too late} }",
)
SECOND = b"RCPT TO:<second@example.org>"
FORMS = ["absorbed", "under tcpserver"]


def sender(address: bytes) -> bytes:
    """MAIL of a sender."""
    return b"MAIL FROM:<%b>" % address


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NameServer]:
    """The name server of all clients."""
    with serving(DNS, tmp_path_factory.mktemp("dns")) as found:
        yield found


@pytest.fixture(scope="module", params=FORMS)
def judged(
    request: pytest.FixtureRequest, server: NameServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Gate, NotQmail]]:
    """A gate with lists, and its backend."""
    folder = tmp_path_factory.mktemp("judged")
    backend = NotQmail(folder / "backend", controls(folder / "control"))
    variables = {**backend.environment, "DNSCACHEIP": server.address}
    alone = theirs("tcpserver") if request.param == FORMS[1] else None
    with gated(backend.argv, folder, parameters=PARAMETERS, variables=variables, server=alone) as gate:
        yield gate, backend


CASES: dict[str, tuple[Sequence[Step], bytes]] = {
    "an own recipient passes": ((EHLO, MAIL, RCPT), b"250 ok"),
    "a HELO name without a dot": (
        (b"EHLO pc", MAIL, RCPT),
        b"504 5.5.2 <pc>: Helo command rejected: need fully-qualified hostname",
    ),
    "a domain that takes no mail": (
        (EHLO, sender(b"a@null.example"), RCPT),
        b"550 5.7.27 <a@null.example>: Sender address rejected: Domain null.example does not accept mail (nullMX)",
    ),
    "a domain that there is not": (
        (EHLO, sender(b"a@nowhere.example"), RCPT),
        b"450 4.1.8 <a@nowhere.example>: Sender address rejected: Domain not found",
    ),
    "a domain that cannot be asked about": (
        (EHLO, sender(b"a@fails.example"), RCPT),
        b"450 4.1.8 <a@fails.example>: Sender address rejected: Domain not found",
    ),
    "a domain that a zone lists": (
        (EHLO, sender(b"a@bad.example"), RCPT),
        b"554 5.7.1 Service unavailable; Sender address [a@bad.example] blocked using dbl.example",
    ),
    "a zone that a table names": (
        (EHLO, sender(b"zone@example.net"), RCPT),
        b"554 5.7.1 Service unavailable; Client host [192.0.2.7] blocked using bare.example",
    ),
    "somebody who is not there": (
        (EHLO, MAIL, b"RCPT TO:<nobody@example.org>"),
        b"550 5.1.1 <nobody@example.org>: Recipient address rejected: User unknown in local recipient table",
    ),
    "mail for elsewhere": (
        (EHLO, MAIL, b"RCPT TO:<a@elsewhere.example>"),
        b"454 4.7.1 <a@elsewhere.example>: Relay access denied",
    ),
    "a bounce for two": (
        (EHLO, b"MAIL FROM:<>", RCPT, SECOND, b"DATA"),
        b"550 5.5.3 <DATA>: Data command rejected: Multi-recipient bounce",
    ),
    "a message that is refused as a whole": (
        (EHLO, sender(b"late@example.net"), RCPT, b"DATA", BODY),
        b"554 5.7.1 <late@example.net>: Sender address rejected: too late",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_what_a_client_hears(judged: tuple[Gate, NotQmail], name: str) -> None:
    """In Postfix's words; nothing that is refused is queued."""
    gate, backend = judged
    steps, expected = CASES[name]
    count = len(backend.messages())

    assert gate.converse(steps)[-1] == expected
    assert backend.messages()[count:] == []


def test_a_zone_speaks_of_the_client(judged: tuple[Gate, NotQmail]) -> None:
    """With its own words; whoever may relay is permitted before it is asked."""
    gate, _ = judged
    steps = [EHLO, MAIL, b"RCPT TO:<postmaster>", RCPT]

    assert gate.converse(steps, source=RELAY)[-2:] == [b"250 ok"] * 2


def test_a_message_is_discarded(judged: tuple[Gate, NotQmail]) -> None:
    """The client hears what it would hear of any other; the next message of the session is not."""
    gate, backend = judged
    count, mark = len(backend.messages()), gate.mark()
    of_one: Sequence[Step] = [RCPT, b"DATA", BODY]

    replies = gate.converse([EHLO, sender(b"gone@example.net"), *of_one, MAIL, *of_one, b"QUIT"])

    assert [reply[:4] for reply in replies[1:9]] == [
        b"250 ",
        b"250 ",
        b"354 ",
        b"250 ",
        b"250 ",
        b"250 ",
        b"354 ",
        b"250 ",
    ]
    assert len(backend.messages()) == count + 1
    assert b"smtpgate: NOQUEUE: discard: RCPT from " in gate.since(mark)


def test_a_header_is_put_on_top(judged: tuple[Gate, NotQmail]) -> None:
    """Before the client's own."""
    gate, backend = judged
    count = len(backend.messages())

    gate.converse([EHLO, sender(b"top@example.net"), RCPT, b"DATA", BODY, b"QUIT"])

    (message,) = backend.messages()[count:]
    assert message.text.startswith(b"X-List: yes\nSubject: x\n")


def test_each_recipient_puts_its_header_on_top_also_a_refused_one(judged: tuple[Gate, NotQmail]) -> None:
    """As Debian's smtpd does, which evaluates the sender's list for each; the next message has no such header."""
    gate, backend = judged
    count = len(backend.messages())
    elsewhere, of_one = b"RCPT TO:<a@elsewhere.example>", (RCPT, b"DATA", BODY)

    gate.converse([EHLO, sender(b"top@example.net"), elsewhere, SECOND, *of_one, MAIL, *of_one, b"QUIT"])

    assert [message.text.count(b"X-List: yes\n") for message in backend.messages()[count:]] == [3, 0]


def test_a_header_of_a_transaction_without_recipients_is_forgotten(judged: tuple[Gate, NotQmail]) -> None:
    """RSET and another MAIL begin anew."""
    gate, backend = judged
    count = len(backend.messages())
    elsewhere = b"RCPT TO:<a@elsewhere.example>"

    gate.converse([EHLO, sender(b"top@example.net"), elsewhere, b"RSET", MAIL, RCPT, b"DATA", BODY, b"QUIT"])

    assert [b"X-List" in message.text for message in backend.messages()[count:]] == [False]


def test_what_is_discarded_may_be_for_elsewhere(judged: tuple[Gate, NotQmail]) -> None:
    """Each recipient of it passes, whoever it is, and the log names the first."""
    gate, backend = judged
    count, mark = len(backend.messages()), gate.mark()
    elsewhere = b"RCPT TO:<a@elsewhere.example>"

    replies = gate.converse([EHLO, sender(b"gone@example.net"), elsewhere, RCPT, b"DATA", BODY, b"QUIT"])

    assert replies[2:6] == [*(b"250 2.1.5 Ok",) * 2, b"354 End data with <CR><LF>.<CR><LF>", b"250 2.0.0 Ok: discarded"]
    assert backend.messages()[count:] == []
    until(lambda: gate.since(mark).count(b"NOQUEUE: discard: RCPT") == 1)


def test_what_lists_have_to_say_is_logged(judged: tuple[Gate, NotQmail]) -> None:
    """As smtpd does, with the command and the envelope."""
    gate, _ = judged
    mark = gate.mark()

    gate.converse([EHLO, sender(b"warned@example.net"), RCPT, b"RSET", sender(b"a@[192.0.2.1]"), RCPT, b"QUIT"])

    expected = (
        b"[192.0.2.7]: look; from=<warned@example.net> to=<r@example.org> proto=ESMTP helo=<client.example.net>\n"
    )
    until(lambda: expected in gate.since(mark))
    assert b"smtpgate: NOQUEUE: warn: RCPT from " in gate.since(mark)


def test_case_80_a_message_has_one_line(judged: tuple[Gate, NotQmail]) -> None:
    """With the restriction that has decided, the seconds that its client has waited, and the program's own reply."""
    gate, _ = judged
    mark = gate.mark()
    late = b"late@example.net"

    gate.converse([EHLO, MAIL, RCPT, SECOND, b"DATA", BODY, b"QUIT"], source=RELAY)
    gate.converse([EHLO, sender(late), RCPT, b"DATA", BODY, b"QUIT"])

    words = (
        rb"from unknown\[192.0.2.8\]: 250 ok \d+ qp \d+; from=<s@example.net> nrcpt=2",
        rb"relay=yes delay=\d+\.\d\d restriction=permit_mynetworks\n",
        rb"from client.example.net\[192.0.2.7\]: 554 5.7.1 <late@example.net>: Sender address rejected: too late; "
        rb"from=<late@example.net> nrcpt=1",
        rb"relay=no delay=\d+\.\d\d restriction=check_sender_access\n",
    )
    size = rb" size=20 proto=ESMTP helo=<client.example.net> "
    until(lambda: gate.since(mark).count(b"smtpgate: message from ") == 2)
    for first, last in (words[:2], words[2:]):
        assert re.search(rb"^smtpgate\[\d+\]: message " + first + size + last, gate.log_file.read_bytes(), re.MULTILINE)


EARLY: dict[str, tuple[str, Sequence[Step], Sequence[bytes]]] = {
    "a client": (
        "smtpd_client_restrictions=reject",
        (EHLO, b"NOOP", b"FOO", b"QUIT"),
        (
            b"554 5.7.1 <client.example.net[192.0.2.7]>: Client host rejected: Access denied",
            *(b"503 5.7.0 Error: access denied for client.example.net[192.0.2.7]",) * 3,
            b"221 2.0.0 Bye",
        ),
    ),
    "a client that is hung up on": (
        "smtpd_client_restrictions=check_client_access static:{521 go}",
        (EHLO,),
        (b"521 5.7.1 <client.example.net[192.0.2.7]>: Client host rejected: go",),
    ),
    "a HELO name": (
        "smtpd_helo_restrictions=check_helo_access inline:{pc=REJECT, {by=421 bye}}",
        (b"HELO pc", MAIL, b"HELO ok.example", MAIL, b"EHLO pc", RCPT, b"HELO by", b"NOOP"),
        (
            b"220 mx.example.org ESMTP",
            b"554 5.7.1 <pc>: Helo command rejected: Access denied",
            b"250 2.1.0 Ok",
            b"250 mx.example.org",
            b"250 2.1.0 Ok",
            b"554 5.7.1 <pc>: Helo command rejected: Access denied",
            b"250 recipient ok",
            b"421 4.7.1 <by>: Helo command rejected: bye",
        ),
    ),
    "a sender": (
        "smtpd_sender_restrictions=check_sender_access inline:{ {s@example.net=REJECT}, {late@example.net=DISCARD},"
        " {top@example.net=DEFER_IF_PERMIT not now} }",
        (
            *(b"HELO x", MAIL, RCPT, sender(b"late@example.net"), RCPT, b"DATA", BODY),
            *(sender(b"top@example.net"), RCPT, b"RSET", sender(b"b@example.net"), RCPT, b"QUIT"),
        ),
        (
            b"220 mx.example.org ESMTP",
            b"250 mx.example.org",
            b"554 5.7.1 <s@example.net>: Sender address rejected: Access denied",
            b"503 5.5.1 Error: need MAIL command",
            b"250 2.1.0 Ok",
            b"250 2.1.5 Ok",
            b"354 End data with <CR><LF>.<CR><LF>",
            b"250 2.0.0 Ok: discarded",
            b"250 2.1.0 Ok",
            b"450 4.7.1 <top@example.net>: Sender address rejected: not now",
            b"250 2.0.0 Ok",
            b"250 2.1.0 Ok",
            b"250 recipient ok",
            b"221 2.0.0 Bye",
        ),
    ),
}


@pytest.mark.parametrize("name", EARLY)
def test_without_delay_each_command_is_judged(tmp_path: Path, server: NameServer, name: str) -> None:
    """As Debian's smtpd does it with smtpd_delay_reject = no, where it queues under a name of its own."""
    backend = Scripted(tmp_path / "backend")
    asked, steps, expected = EARLY[name]
    parameters = (
        *(asked, "smtpd_delay_reject=no", "smtpd_recipient_restrictions=reject_unauth_destination"),
        *("mydestination=example.org", "myhostname=mx.example.org", "smtpd_banner=$myhostname ESMTP"),
    )
    variables = {"DNSCACHEIP": server.address}
    with (
        gated(backend.argv, tmp_path, parameters=parameters, variables=variables) as gate,
        gate.silent_client() as client,
    ):
        replies = [client.reply(), *client.converse(steps)]

    assert replies == list(expected)


def test_a_client_that_leaves_is_not_waited_for(tmp_path: Path) -> None:
    """Though a name server is silent; the next client is served meanwhile."""
    backend = Scripted(tmp_path / "backend")
    records: Records = {"7.2.0.192.in-addr.arpa PTR": "silent"}
    parameters = (
        "smtpd_recipient_restrictions=reject_unauth_destination, reject_unknown_client_hostname",
        "mydestination=example.org",
        "myhostname=mx.example.org",
    )
    with (
        serving(records, tmp_path) as dns,
        gated(backend.argv, tmp_path, parameters=parameters, variables={"DNSCACHEIP": dns.address}) as gate,
    ):
        with gate.client() as client:
            client.ask(EHLO)
            client.ask(MAIL)
            client.say(RCPT + b"\r\n")
            until(lambda: any("in-addr.arpa" in asked for asked in dns.asked()))
            begun = time.monotonic()
        until(lambda: b"lost connection after RCPT" in gate.log())
        assert time.monotonic() - begun < 5
        assert gate.converse([EHLO, MAIL, RCPT], source=RELAY)[-1].startswith(b"450 4.7.25 ")


def test_a_gate_without_lists_asks_nobody(tmp_path: Path) -> None:
    """And is as it was."""
    backend = Scripted(tmp_path / "backend")
    with (
        serving({}, tmp_path) as dns,
        gated(backend.argv, tmp_path, variables={"DNSCACHEIP": dns.address}, options=("-H", "-l0")) as gate,
    ):
        assert gate.converse([EHLO, MAIL, RCPT], source=STRANGER)[-1].startswith(b"250 ")
        assert dns.asked() == []


def test_a_table_that_there_is_not_is_said_at_the_start(tmp_path: Path) -> None:
    """A client is refused for now, as by Postfix; once the table is there it counts."""
    backend = Scripted(tmp_path / "backend")
    table = tmp_path / "access"
    parameters = (
        f"smtpd_recipient_restrictions=reject_unauth_destination, check_sender_access texthash:{table}",
        "mydestination=example.org",
        "myhostname=mx.example.org",
        "smtpd_error_sleep_time=0",
        "smtpd_hard_error_limit=100000",
    )
    with gated(backend.argv, tmp_path, parameters=parameters, variables={"DNSCACHEIP": "127.0.0.1@9"}) as gate:
        until(lambda: os.fsencode(f"table texthash:{table}: file does not exist") in gate.log())
        with gate.client() as client:
            client.ask(EHLO)
            client.ask(MAIL)
            assert client.ask(RCPT) == b"451 4.3.5 <s@example.net>: Sender address rejected: Server configuration error"
            table.write_text("s@example.net REJECT now\n")
            until(lambda: client.ask(RCPT) == b"554 5.7.1 <s@example.net>: Sender address rejected: now")
