"""examples/gate: rules, zones, greylist and gate in one service, as it stands but for its paths and a shorter delay."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import nameserver
from tests.support.field import FieldHost, greylisting
from tests.support.programs import need_root
from tests.support.waiting import until

EXAMPLE = Path(__file__).parents[2] / "examples/gate"

LISTED = {"3.0.0.127.zen.spamhaus.org A": ["127.0.0.2"], "3.0.0.127.zen.spamhaus.org TXT": ["Listed by zen"]}
MYNETWORKS = "mynetworks='127.0.0.0/8 [::1]/128'"


@pytest.fixture
def host(tmp_path: Path) -> Iterator[FieldHost]:
    """A mail host with the example running on it; only 127.0.0.8 is in mynetworks, since every client is local here."""
    need_root()

    def changes(made: FieldHost) -> dict[str, str]:
        gate = f"pysmtpgate -o qmail_control={made.folder}/qmail/control "
        return {"pysmtpgate ": gate, MYNETWORKS: "mynetworks=127.0.0.8"}

    with nameserver.running(LISTED, tmp_path) as dns, greylisting(EXAMPLE, dns, changes) as made:
        yield made


def said(host: FieldHost) -> str:
    """The log of the service."""
    return (host.folder / "out").read_text()


def test_who_may_send_to_whom(host: FieldHost) -> None:
    """By a rule and by mynetworks to anybody; a stranger to our own domains, once he has come again."""
    assert host.answer("127.0.0.1", "friend@elsewhere.example")[0] == 250
    assert host.answer("127.0.0.8", "friend@elsewhere.example")[0] == 250
    assert host.answer("127.0.0.2", "friend@elsewhere.example") == (
        554,
        b"5.7.1 <friend@elsewhere.example>: Relay access denied",
    )
    until(lambda: host.answer("127.0.0.2", "you@ours.example")[0] == 250, "the second visit to be let in")


def test_a_screen_is_heard_at_the_recipient(host: FieldHost) -> None:
    """The log names who wrote to whom, and no program is started; the program hears of mail for postmaster."""
    assert host.answer("127.0.0.3", "you@ours.example") == (451, b"Listed by zen")

    assert "from=<someone@elsewhere.example> to=<you@ours.example> proto=ESMTP helo=<client.example>" in said(host)
    assert "qmail-smtpd: arguments" not in said(host)

    assert host.answer("127.0.0.3", "postmaster")[1] != b"Listed by zen"
    assert said(host).count("qmail-smtpd: arguments") == 1


def test_a_message_comes_through(host: FieldHost) -> None:
    """And is one line in the log."""
    with host.client("127.0.0.1") as client:
        client.sendmail("me@ours.example", ["friend@elsewhere.example"], "Subject: x\r\n\r\nhello\r\n")

    until(lambda: "nrcpt=1" in said(host), "the line of the message")
    assert "from=<me@ours.example> nrcpt=1" in said(host)
    assert "relay=yes" in said(host)


def test_domains_are_read_live(host: FieldHost) -> None:
    """A domain that is taken away is refused within a second; without the file everybody is, for now."""
    rcpthosts = host.folder / "qmail/control/rcpthosts"

    def code() -> int:
        return host.answer("127.0.0.2", "you@ours.example")[0]

    until(lambda: code() == 250, "the second visit to be let in")
    rcpthosts.write_text("other.example\n")
    until(lambda: code() == 554, "the domain to be gone")
    rcpthosts.unlink()
    until(lambda: code() == 451, "the file to be missed")
    assert f"smtpgate: warning: unable to read {rcpthosts}: file does not exist" in said(host)
