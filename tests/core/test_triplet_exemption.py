"""Who never waits, whatever the records say."""

import pytest

from ucspi_py.core.greylist.attempt import Attempt
from ucspi_py.core.greylist.triplet.exemption import spared


@pytest.mark.parametrize(
    ("sender", "recipient", "reason"),
    [
        (b"", b"r@example.org", b"null sender"),
        (b"s@x", b"postmaster", b"recipient whitelist"),
        (b"s@x", b"Postmaster@example.org", b"recipient whitelist"),
        (b"s@x", b"abuse+17@example.org", b"recipient whitelist"),
        (b"s@x", b"postmasters@example.org", None),
        (b"s@x", b"r@postmaster", None),
    ],
)
def test_who_never_waits(sender: bytes, recipient: bytes, reason: bytes | None) -> None:
    """The null sender, postmaster and abuse."""
    found = spared(Attempt(b"192.0.2.7", b"", b"", sender, recipient))

    assert (found.reason if found else None) == reason
