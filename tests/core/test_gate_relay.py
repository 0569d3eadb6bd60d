"""Which recipients pass the gate's last check."""

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ucspi_py.core.gate.relay import judge, spares
from ucspi_py.core.gate.settings import GateSettings
from ucspi_py.core.gate.visitor import Visitor
from ucspi_py.core.smtp.path import Path
from ucspi_py.core.smtp.settings import SmtpSettings
from ucspi_py.core.smtp.verdict import Refuse

STRANGER = Visitor(b"unknown", b"192.0.2.7")
SETTINGS = GateSettings(relay_domains=frozenset({b"partner.example"}))
DENIED, LATER, UNKNOWN, LISTED = 554, 451, 550, 553


@dataclass
class Domains:
    """ours.example, and what is known of it."""

    is_told: bool = True
    known: bool | None = True

    def holds(self, domain: bytes) -> bool | None:
        """Whether it is ours."""
        return domain.lower() == b"ours.example" if self.is_told else None

    def knows(self, _recipient: Path) -> bool | None:
        """Whether anybody is known."""
        return self.known


def code(address: bytes, client: Visitor = STRANGER, domains: Domains | None = None) -> int | None:
    """What becomes of a recipient: the code of its refusal, None = it passes."""
    local, at, domain = address.rpartition(b"@")
    recipient = Path(local, domain) if at else Path(domain, None)
    refusal = judge(recipient, client, domains or Domains(), SETTINGS)
    return refusal.code if refusal else None


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        (b"u@ours.example", None),
        (b"u@OURS.Example", None),
        (b"u@partner.example", None),
        (b"u@a.b.Partner.example", None),
        (b"u@other.example", DENIED),
        (b"u@notpartner.example", DENIED),
        (b"u@partner.example.net", DENIED),
        (b"u@sub.ours.example", DENIED),
        (b"u@", DENIED),
        (b"u@[192.0.2.1]", DENIED),
        (b"u%other.example@ours.example", DENIED),
        (b"other.example!u@ours.example", DENIED),
        (b"u@other.example@partner.example", DENIED),
        (b"u%other.example", DENIED),
        (b"postmaster", None),
        (b"PostMaster", None),
        (b"u", None),
    ],
)
def test_a_stranger_reaches_our_own_domains_only(address: bytes, expected: int | None) -> None:
    """With whatever its local part routes on to."""
    assert code(address) == expected


@given(st.binary(max_size=80).filter(lambda domain: b"@" not in domain))
def test_no_domain_beside_ours_passes(domain: bytes) -> None:
    """None but those that are named, and those below a relay domain."""
    lower = domain.lower()
    is_ours = lower in (b"ours.example", b"partner.example") or lower.endswith(b".partner.example")

    assert (judge(Path(b"u", domain), STRANGER, Domains(), SETTINGS) is None) == is_ours


def test_a_client_that_relays_reaches_everybody() -> None:
    """Whatever the files and the screens say."""
    client = STRANGER._replace(relays=True, refusal=Refuse(553, b"listed"))

    assert code(b"u%x@other.example", client, Domains(is_told=False, known=None)) is None


def test_untrusted_routing_may_be_allowed_to_our_own_domains() -> None:
    """By the parameter, and nowhere else to."""
    settings = GateSettings(smtp=SmtpSettings(allow_untrusted_routing=True))
    recipients = [Path(b"u%other.example", domain) for domain in (b"ours.example", b"other.example")]
    replies = [judge(recipient, STRANGER, Domains(), settings) for recipient in recipients]

    assert [refusal and refusal.code for refusal in replies] == [None, DENIED]


def test_who_is_ours_cannot_be_told() -> None:
    """Nobody passes but postmaster and those in relay_domains; the refusal is for now."""
    answers = {
        address: code(address, domains=Domains(is_told=False))
        for address in (b"u@ours.example", b"u@other.example", b"u@partner.example", b"postmaster")
    }

    expected = {b"u@ours.example": LATER, b"u@other.example": LATER, b"u@partner.example": None, b"postmaster": None}
    assert answers == expected


def test_a_screens_refusal_stands_between() -> None:
    """A stranger to relay hears of relaying; an unknown recipient of a listed client is not told apart."""
    listed = STRANGER._replace(refusal=Refuse(LISTED, b"listed"))

    assert code(b"u@other.example", listed) == DENIED
    assert code(b"u@ours.example", listed) == LISTED
    assert code(b"u@ours.example", listed, Domains(known=False)) == LISTED
    assert code(b"postmaster", listed) is None
    assert code(b"postmaster@ours.example", listed) == LISTED


@pytest.mark.parametrize(("known", "expected"), [(True, None), (False, UNKNOWN), (None, LATER)])
def test_a_recipient_may_be_unknown(known: bool | None, expected: int | None) -> None:
    """Also one without a domain, and one in relay_domains."""
    for address in (b"u@ours.example", b"u@partner.example", b"u"):
        assert code(address, domains=Domains(known=known)) == expected


def test_the_words_are_postfix_s() -> None:
    """With the address in them; those of a screen are its own, made safe."""
    listed = STRANGER._replace(refusal=Refuse(451, b"listed\r\n250 ok"))

    def line(domain: bytes, client: Visitor, domains: Domains) -> bytes:
        refusal = judge(Path(b"u", domain), client, domains, SETTINGS)
        assert refusal
        return refusal.wire

    assert line(b"x.example", STRANGER, Domains()) == b"554 5.7.1 <u@x.example>: Relay access denied\r\n"
    assert (
        line(b"ours.example", STRANGER, Domains(known=False))
        == b"550 5.1.1 <u@ours.example>: Recipient address rejected: User unknown\r\n"
    )
    assert line(b"x.example", STRANGER, Domains(is_told=False)).startswith(b"451 4.3.0 <u@x.example>: Temporary")
    assert line(b"ours.example", listed, Domains()) == b"451 listed??250 ok\r\n"


@pytest.mark.parametrize(
    ("address", "ours", "backends", "is_spared"),
    [
        (b"u@ours.example", True, True, True),
        (b"u@ours.example", True, False, True),
        (b"u@other.example", True, True, True),
        (b"u@other.example", False, True, True),
        (b"u@other.example", True, False, False),
        (b"u@other.example", False, False, False),
        (b"u", False, False, True),
    ],
)
def test_a_dry_run_leaves_to_the_backend_what_that_judges(
    address: bytes, ours: bool, backends: bool, is_spared: bool
) -> None:
    """Nobody's mail for elsewhere where its rcpthosts may be missing."""
    local, at, domain = address.rpartition(b"@")
    recipient = Path(local, domain) if at else Path(domain, None)

    assert spares(recipient, Domains(ours), Domains(backends)) == is_spared
