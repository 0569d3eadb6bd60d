"""The envelope of one message as it grows (RFC 5321, 2.3.1). Never judges who is in it."""

from typing import NamedTuple

from .path import Path

#: Parameters of MAIL or RCPT as they were said: name in capitals, value, None where there was no ``=``.
Parameters = tuple[tuple[bytes, bytes | None], ...]


class Envelope(NamedTuple):
    """A message's envelope.

    helo: what the client calls itself; b"" where it said neither HELO nor EHLO. esmtp: whether it said EHLO. sender:
    the reverse-path; Path's NULL for ``<>``. parameters: of MAIL. recipients: those that were accepted, in order.
    """

    helo: bytes
    esmtp: bool
    sender: Path
    parameters: Parameters = ()
    recipients: tuple[Path, ...] = ()

    def having(self, *recipients: Path) -> "Envelope":
        """Make the same with other recipients."""
        return Envelope(self.helo, self.esmtp, self.sender, self.parameters, recipients)
