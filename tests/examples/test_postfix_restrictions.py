"""examples/postfix/restrictions: Postfix's restrictions by stage, each line with a client who is refused by it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.gate import Gate
from tests.support.nameserver import Records, healthy, lists
from tests.support.postfix_example import PASSES, Mail, Shown, example_gate, hears, lines
from tests.support.smtp_client import Raw

ZEN, SPAMCOP = "zen.spamhaus.org", "bl.spamcop.net"
CLIENTS = {
    "127.0.0.1": "192.0.2.7",
    "127.0.0.2": "192.0.2.8",
    "127.0.0.3": "192.0.2.9",
    "127.0.0.9": "192.168.10.7",
}
STRANGER, IN_ZEN, IN_SPAMCOP, INSIDE = map(Mail, CLIENTS)
DOMAINS = ("example.net", "example.com", "elsewhere.example", "spam.example", "somedomain.example")
DNS: Records = {
    **{f"{name} MX": ["10 mx.example.net."] for name in (*DOMAINS, "marketing.example", "a.deals.marketing.example")},
    "mx.example.net A": ["192.0.2.99"],
    **healthy(ZEN, SPAMCOP),
    **lists(ZEN, "192.0.2.8", text="https://zen.example/192.0.2.8"),
    **lists(ZEN, "192.168.10.7"),
    **lists(SPAMCOP, "192.0.2.9"),
}
ELSEWHERE = "a@elsewhere.example"
NO_RELAY = b"554 5.7.1 <a@elsewhere.example>: Relay access denied"
NO_FQDN_HELO = b"504 5.5.2 <pc>: Helo command rejected: need fully-qualified hostname"
NO_FQDN_SENDER = b"504 5.5.2 <joe>: Sender address rejected: need fully-qualified address"
REJECTED = b"554 5.7.1 <%b>: Sender address rejected: Access denied"
BLOCKED = b"554 5.7.1 Service unavailable; Client host [%b] blocked using %b"
BY_ZEN = BLOCKED % (b"192.0.2.8", b"zen.spamhaus.org; https://zen.example/192.0.2.8")
PIPELINING = "data reject_unauth_pipelining"


def rejected(sender: str, passes: str) -> Shown:
    """A key with REJECT, and a sender near it whom it is not about."""
    return Shown(STRANGER._replace(sender=sender), REJECTED % sender.encode(), STRANGER._replace(sender=passes))


def welcome(sender: str) -> Shown:
    """A key with OK, which spares its sender the zones."""
    return Shown(IN_ZEN, BY_ZEN, IN_ZEN._replace(sender=sender))


SHOWN = {
    "helo permit_mynetworks": Shown(STRANGER._replace(helo="pc"), NO_FQDN_HELO, INSIDE._replace(helo="pc")),
    "helo reject_non_fqdn_helo_hostname": Shown(STRANGER._replace(helo="pc"), NO_FQDN_HELO, STRANGER),
    "helo reject_invalid_helo_hostname": Shown(
        STRANGER._replace(helo="[300.1.1.1]"),
        b"501 5.5.2 <[300.1.1.1]>: Helo command rejected: invalid ip address",
        STRANGER._replace(helo="[192.0.2.7]"),
    ),
    "sender permit_mynetworks": Shown(STRANGER._replace(sender="joe"), NO_FQDN_SENDER, INSIDE._replace(sender="joe")),
    "sender reject_non_fqdn_sender": Shown(
        STRANGER._replace(sender="joe"), NO_FQDN_SENDER, STRANGER._replace(sender="")
    ),
    "sender reject_unknown_sender_domain": Shown(
        STRANGER._replace(sender="a@nowhere.example"),
        b"450 4.1.8 <a@nowhere.example>: Sender address rejected: Domain not found",
        STRANGER,
    ),
    "recipient reject_non_fqdn_recipient": Shown(
        STRANGER._replace(recipient="r"),
        b"504 5.5.2 <r>: Recipient address rejected: need fully-qualified address",
        STRANGER._replace(recipient="postmaster"),
    ),
    "recipient reject_unknown_recipient_domain": Shown(
        INSIDE._replace(recipient="a@nowhere.example"),
        b"450 4.1.2 <a@nowhere.example>: Recipient address rejected: Domain not found",
        INSIDE._replace(recipient=ELSEWHERE),
    ),
    "recipient permit_mynetworks": Shown(
        STRANGER._replace(recipient=ELSEWHERE), NO_RELAY, INSIDE._replace(recipient=ELSEWHERE)
    ),
    "recipient reject_unauth_destination": Shown(STRANGER._replace(recipient=ELSEWHERE), NO_RELAY, STRANGER),
    "recipient check_sender_access hash:$config_directory/sender_access": rejected(
        "junk@spam.example", "s@example.net"
    ),
    "sender_access junk@spam.example": rejected("junk@spam.example", "no.junk@spam.example"),
    "sender_access marketing@": rejected("marketing@example.net", "marketing.dept@example.net"),
    "sender_access deals.marketing.example": rejected("x@a.deals.marketing.example", "x@marketing.example"),
    "sender_access myfriend@example.com": welcome("myfriend@example.com"),
    "sender_access theboss@": welcome("theboss@example.net"),
    "sender_access somedomain.example": welcome("anybody@somedomain.example"),
    "recipient reject_rbl_client zen.spamhaus.org": Shown(IN_ZEN, BY_ZEN, STRANGER),
    "recipient reject_rbl_client bl.spamcop.net": Shown(
        IN_SPAMCOP, BLOCKED % (b"192.0.2.9", b"bl.spamcop.net"), STRANGER
    ),
}


@pytest.fixture(scope="module")
def gate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gate]:
    """The example."""
    with example_gate("restrictions", tmp_path_factory.mktemp("restrictions"), DNS, CLIENTS) as found:
        yield found


def test_each_line_is_shown() -> None:
    """None of main.cf and of its table is left out."""
    assert {*SHOWN, PIPELINING} == lines("restrictions")


@pytest.mark.parametrize("line", SHOWN)
def test_what_a_line_does(gate: Gate, line: str) -> None:
    """In the words that its client hears."""
    shown = SHOWN[line]

    assert (hears(gate, shown.refused), hears(gate, shown.passes)) == (shown.words, PASSES)


def test_ok_in_the_table_makes_nobody_relay(gate: Gate) -> None:
    """It stands behind the relay check."""
    assert hears(gate, STRANGER._replace(sender="theboss@example.net", recipient=ELSEWHERE)) == NO_RELAY


def test_a_name_that_is_invalid_is_told_so(tmp_path: Path) -> None:
    """In the example the line above it takes all of these, and is here left out."""
    parameters = ["smtpd_helo_restrictions=permit_mynetworks, reject_invalid_helo_hostname"]
    with example_gate("restrictions", tmp_path, DNS, CLIENTS, parameters) as gate:
        assert hears(gate, STRANGER._replace(helo="a..b")) == b"501 5.5.2 <a..b>: Helo command rejected: Invalid name"
        assert hears(gate, STRANGER._replace(helo="pc")) == PASSES


def test_who_pipelines_at_data_is_refused(gate: Gate, tmp_path: Path) -> None:
    """By the list where the gate itself lets it pass, else by the gate itself; one who waits is asked for the text."""
    before = (b"EHLO client.example.net", b"MAIL FROM:<s@example.net>", b"RCPT TO:<r@example.org>")
    early = Raw(b"DATA\r\nSubject: x\r\n")
    with example_gate("restrictions", tmp_path, DNS, CLIENTS, ["smtpd_forbid_unauth_pipelining=no"]) as lenient:
        refused = lenient.converse([*before, early])[-1]

    assert refused == b"503 5.5.0 <DATA>: Data command rejected: Improper use of SMTP command pipelining"
    assert gate.converse([*before, early])[-1].startswith(b"554 5.5.0 ")
    assert gate.converse([*before, b"DATA"])[-1].startswith(b"354 ")


def test_a_client_without_helo_is_told_so(gate: Gate) -> None:
    """So that no restriction on its name is passed by."""
    assert gate.converse([b"MAIL FROM:<s@example.net>"]) == [b"503 5.5.1 Error: send HELO/EHLO first"]


def test_a_refusal_waits_for_the_recipient(gate: Gate) -> None:
    """The log has the whole envelope."""
    mark = gate.mark()

    replies = gate.converse([b"EHLO pc", b"MAIL FROM:<joe>", b"RCPT TO:<r@example.org>", b"QUIT"])

    assert [reply[:4] for reply in replies] == [b"250-", b"250 ", b"504 ", b"221 "]
    assert b"from=<joe> to=<r@example.org> proto=ESMTP helo=<pc>\n" in gate.since(mark)
