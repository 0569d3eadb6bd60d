"""What milters make of an envelope."""

import pytest

from ucspi_py.core.gate.milter.envelope import changed
from ucspi_py.core.milter.changes import Change, RecipientAdded, RecipientDeleted, SenderChanged
from ucspi_py.core.milter.failure import MilterFailed
from ucspi_py.core.smtp.envelope import Envelope
from ucspi_py.core.smtp.path import NULL, Path

ONE, TWO = Path(b"one", b"example.org"), Path(b"two", b"example.org")
ENVELOPE = Envelope(b"client.example", True, Path(b"a", b"b"), ((b"SIZE", b"100"),), (ONE, TWO))


@pytest.mark.parametrize(
    ("change", "sender", "recipients"),
    [
        (SenderChanged(b"<c@d>", b""), Path(b"c", b"d"), (ONE, TWO)),
        (SenderChanged(b"c@d", b"RET=HDRS"), Path(b"c", b"d"), (ONE, TWO)),
        (SenderChanged(b"<>", b""), NULL, (ONE, TWO)),
        (SenderChanged(b"", b""), NULL, (ONE, TWO)),
        (RecipientAdded(b"<c@d>", b""), ENVELOPE.sender, (ONE, TWO, Path(b"c", b"d"))),
        (RecipientAdded(b"<one@EXAMPLE.org>", b""), ENVELOPE.sender, (ONE, TWO)),
        (RecipientDeleted(b"<one@Example.Org>"), ENVELOPE.sender, (ONE, TWO)),
        (RecipientDeleted(b"one@example.org"), ENVELOPE.sender, (TWO,)),
        (RecipientDeleted(b"<ONE@example.org>"), ENVELOPE.sender, (ONE, TWO)),
    ],
)
def test_changes(change: Change, sender: Path, recipients: tuple[Path, ...]) -> None:
    """Addresses with < and > or without; one that is deleted is the one that is written so, as for Postfix."""
    assert changed(ENVELOPE, [change], 10) == ENVELOPE._replace(sender=sender, recipients=recipients)


def test_in_their_order() -> None:
    """A recipient that is added may be deleted again, and all may be."""
    changes: list[Change] = [RecipientAdded(b"<c@d>", b"")]
    changes += (RecipientDeleted(one) for one in (b"c@d", ONE.address, TWO.address))
    found = changed(ENVELOPE, changes, 10)

    assert isinstance(found, Envelope)
    assert found.recipients == ()


@pytest.mark.parametrize(
    "change",
    [
        RecipientAdded(b"<>", b""),
        RecipientAdded(b"<c@d> SIZE=1", b""),
        RecipientAdded(b"<c@d>\r\nDATA", b""),
        RecipientAdded(b"c d", b""),
        RecipientDeleted(b"<c@@d>"),
        SenderChanged(b"<c\0@d>", b""),
    ],
)
def test_what_is_no_address(change: Change) -> None:
    """Nothing of it is told to a backend."""
    with pytest.raises(MilterFailed, match="it has an address that is none"):
        changed(ENVELOPE, [change], 10)


def test_too_many() -> None:
    """A milter is held to smtpd_recipient_limit, too."""
    with pytest.raises(MilterFailed, match="more than 2"):
        changed(ENVELOPE, [RecipientAdded(b"<c@d>", b"")], 2)
