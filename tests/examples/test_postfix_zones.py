"""examples/postfix/zones: Postfix's spam control, each line with a client whom it concerns and one who passes."""

from collections.abc import Iterator

import pytest

from tests.support.gate import Gate
from tests.support.nameserver import Records, healthy, lists
from tests.support.postfix_example import PASSES, Mail, Shown, example_gate, hears, lines

ZEN, SPAMCOP = "zen.spamhaus.org", "bl.spamcop.net"
CLIENTS = {
    "127.0.0.1": "192.0.2.7",
    "127.0.0.2": "192.0.2.8",
    "127.0.0.3": "192.0.2.9",
    "127.0.0.4": "192.0.2.66",
    "127.0.0.5": "198.51.100.9",
    "127.0.0.6": "203.0.113.25",
    "127.0.0.7": "203.0.113.40",
    "127.0.0.8": "203.0.113.41",
    "127.0.0.9": "192.168.100.7",
}
STRANGER, IN_ZEN, IN_SPAMCOP, REJECTED, IN_REJECTED, OK, DIALUP, FORGED, INSIDE = map(Mail, CLIENTS)
DNS: Records = {
    "40.113.0.203.in-addr.arpa PTR": ["pc.dialup.example."],
    "41.113.0.203.in-addr.arpa PTR": ["pc.dialup.example."],
    "pc.dialup.example A": ["203.0.113.40"],
    "example.net MX": ["10 mx.example.net."],
    "elsewhere.example MX": ["10 mx.example.net."],
    "mx.example.net A": ["192.0.2.99"],
    **healthy(ZEN, SPAMCOP),
    **lists(ZEN, "192.0.2.8", text="https://zen.example/192.0.2.8"),
    **lists(ZEN, "203.0.113.25"),
    **lists(ZEN, "192.168.100.7"),
    **lists(SPAMCOP, "192.0.2.9"),
}
NOWHERE, ELSEWHERE = "a@nowhere.example", "a@elsewhere.example"
BLOCKED = b"554 5.7.1 Service unavailable; Client host [%b] blocked using %b"
BY_ZEN = BLOCKED % (b"192.0.2.8", b"zen.spamhaus.org; https://zen.example/192.0.2.8")
BY_SPAMCOP = BLOCKED % (b"192.0.2.9", b"bl.spamcop.net")
NO_SENDER = Shown(
    STRANGER._replace(sender=NOWHERE),
    b"450 4.1.8 <a@nowhere.example>: Sender address rejected: Domain not found",
    STRANGER,
)

#: What the client and the sender list do, and the table.
FIRST = {
    "access 192.0.2.66": Shown(
        REJECTED, b"554 5.7.1 <unknown[192.0.2.66]>: Client host rejected: Access denied", STRANGER
    ),
    "access 198.51.100": Shown(
        IN_REJECTED,
        b"554 5.7.1 <unknown[198.51.100.9]>: Client host rejected: no mail from this network",
        STRANGER,
    ),
    "access dialup.example": Shown(
        DIALUP,
        b"554 5.7.1 <pc.dialup.example[203.0.113.40]>: Client host rejected: use the mail server of your provider",
        FORGED,
    ),
    "client check_client_access hash:$config_directory/access": Shown(
        REJECTED, b"554 5.7.1 <unknown[192.0.2.66]>: Client host rejected: Access denied", STRANGER
    ),
    "client permit_mynetworks": Shown(IN_ZEN, BY_ZEN, INSIDE),
    "client reject_rbl_client zen.spamhaus.org": Shown(IN_ZEN, BY_ZEN, STRANGER),
    "client reject_rbl_client bl.spamcop.net": Shown(IN_SPAMCOP, BY_SPAMCOP, STRANGER),
    "sender reject_non_fqdn_sender": Shown(
        STRANGER._replace(sender="joe"),
        b"504 5.5.2 <joe>: Sender address rejected: need fully-qualified address",
        STRANGER._replace(sender=""),
    ),
    "sender reject_unknown_sender_domain": NO_SENDER,
}
#: What the recipient list does, where no list before it has refused.
RECIPIENT = {
    "recipient permit_mynetworks": Shown(
        STRANGER._replace(recipient=ELSEWHERE),
        b"554 5.7.1 <a@elsewhere.example>: Relay access denied",
        INSIDE._replace(recipient=ELSEWHERE),
    ),
    "recipient reject_unknown_sender_domain": NO_SENDER,
    "recipient reject_unknown_recipient_domain": Shown(
        STRANGER._replace(recipient=NOWHERE),
        b"450 4.1.2 <a@nowhere.example>: Recipient address rejected: Domain not found",
        STRANGER,
    ),
    "recipient reject_unauth_destination": Shown(
        STRANGER._replace(recipient=ELSEWHERE), b"554 5.7.1 <a@elsewhere.example>: Relay access denied", STRANGER
    ),
    "recipient reject_rbl_client zen.spamhaus.org": Shown(IN_ZEN, BY_ZEN, STRANGER),
    "recipient reject_rbl_client bl.spamcop.net": Shown(IN_SPAMCOP, BY_SPAMCOP, STRANGER),
}


@pytest.fixture(scope="module")
def gate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gate]:
    """The example."""
    with example_gate("zones", tmp_path_factory.mktemp("zones"), DNS, CLIENTS) as found:
        yield found


@pytest.fixture(scope="module")
def first_alone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gate]:
    """The example without what the recipient list does once more."""
    parameters = ["smtpd_recipient_restrictions=reject_unauth_destination"]
    with example_gate("zones", tmp_path_factory.mktemp("first"), DNS, CLIENTS, parameters) as found:
        yield found


@pytest.fixture(scope="module")
def recipient_alone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gate]:
    """The example without the lists that come before the recipient list."""
    parameters = ["smtpd_client_restrictions=", "smtpd_sender_restrictions="]
    with example_gate("zones", tmp_path_factory.mktemp("recipient"), DNS, CLIENTS, parameters) as found:
        yield found


def test_each_line_is_shown() -> None:
    """None of main.cf and of its table is left out."""
    assert {*FIRST, *RECIPIENT, "access 203.0.113.25"} == lines("zones")


@pytest.mark.parametrize("line", FIRST)
def test_what_a_line_of_the_client_and_the_sender_list_does(first_alone: Gate, line: str) -> None:
    """In the words that its client hears."""
    shown = FIRST[line]

    assert (hears(first_alone, shown.refused), hears(first_alone, shown.passes)) == (shown.words, PASSES)


@pytest.mark.parametrize("line", RECIPIENT)
def test_what_a_line_of_the_recipient_list_does(recipient_alone: Gate, line: str) -> None:
    """Where no list before it has refused."""
    shown = RECIPIENT[line]

    assert (hears(recipient_alone, shown.refused), hears(recipient_alone, shown.passes)) == (shown.words, PASSES)


def test_all_lines_together_say_the_same(gate: Gate) -> None:
    """As the file stands."""
    for shown in (*FIRST.values(), *RECIPIENT.values()):
        assert (hears(gate, shown.refused), hears(gate, shown.passes)) == (shown.words, PASSES)


def test_ok_ends_its_own_list_alone(gate: Gate, first_alone: Gate) -> None:
    """The client whom the table lets through is asked about by the recipient list, and is so refused."""
    assert hears(first_alone, OK) == PASSES
    assert hears(gate, OK) == BLOCKED % (b"203.0.113.25", b"zen.spamhaus.org")
