"""examples/postfix/relay: who is outside reaches our domains only, and each line shows it."""

from collections.abc import Iterator

import pytest

from tests.support.gate import Gate
from tests.support.nameserver import Records, healthy, lists
from tests.support.postfix_example import PASSES, Mail, Shown, example_gate, hears, lines

ZEN = "zen.spamhaus.org"
CLIENTS = {"127.0.0.1": "192.0.2.7", "127.0.0.2": "192.0.2.8", "127.0.0.9": "192.168.10.7"}
OUTSIDE, IN_ZEN, INSIDE = map(Mail, CLIENTS)
DNS: Records = {
    "example.net MX": ["10 mx.example.net."],
    "elsewhere.example MX": ["10 mx.example.net."],
    **healthy(ZEN),
    **lists(ZEN, "192.0.2.8"),
    **lists(ZEN, "192.168.10.7"),
}
NOWHERE, ELSEWHERE = "a@nowhere.example", "a@elsewhere.example"
BY_ZEN = b"554 5.7.1 Service unavailable; Client host [192.0.2.8] blocked using zen.spamhaus.org"
NO_SENDER = b"450 4.1.8 <a@nowhere.example>: Sender address rejected: Domain not found"
DENIED = b"554 5.7.1 <%b>: Relay access denied"

SHOWN = {
    "client permit_mynetworks": Shown(IN_ZEN, BY_ZEN, INSIDE),
    "client reject_rbl_client zen.spamhaus.org": Shown(IN_ZEN, BY_ZEN, OUTSIDE),
    "sender permit_mynetworks": Shown(OUTSIDE._replace(sender=NOWHERE), NO_SENDER, INSIDE._replace(sender=NOWHERE)),
    "sender reject_unknown_sender_domain": Shown(OUTSIDE._replace(sender=NOWHERE), NO_SENDER, OUTSIDE),
    "relay permit_mynetworks": Shown(
        OUTSIDE._replace(recipient=ELSEWHERE), DENIED % ELSEWHERE.encode(), INSIDE._replace(recipient=ELSEWHERE)
    ),
    "relay reject_unauth_destination": Shown(
        OUTSIDE._replace(recipient=ELSEWHERE), DENIED % ELSEWHERE.encode(), OUTSIDE
    ),
}


@pytest.fixture(scope="module")
def gate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gate]:
    """The example."""
    with example_gate("relay", tmp_path_factory.mktemp("relay"), DNS, CLIENTS) as found:
        yield found


def test_each_line_is_shown() -> None:
    """None of main.cf is left out."""
    assert {*SHOWN} == lines("relay")


@pytest.mark.parametrize("line", SHOWN)
def test_what_a_line_does(gate: Gate, line: str) -> None:
    """In the words that its client hears."""
    shown = SHOWN[line]

    assert (hears(gate, shown.refused), hears(gate, shown.passes)) == (shown.words, PASSES)


@pytest.mark.parametrize(
    "recipient", ["u%elsewhere.example@example.org", "@example.org:u@elsewhere.example", "elsewhere.example!u"]
)
def test_an_address_that_leads_elsewhere_is_for_elsewhere(gate: Gate, recipient: str) -> None:
    """However it is written, it is judged as the client gives it."""
    assert hears(gate, OUTSIDE._replace(recipient=recipient)).endswith(b": Relay access denied")


def test_a_sender_of_ours_from_outside_relays_nothing(gate: Gate) -> None:
    """Anybody can write any sender."""
    forged = OUTSIDE._replace(sender="me@example.org", recipient=ELSEWHERE)

    assert hears(gate, forged) == DENIED % ELSEWHERE.encode()
