"""The verdict of a screen: Accept or Refuse, its reply line and its $RBLSMTPD. Never looks a client up."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from ..text import clean

#: rblsmtpd.c: the text is cut to 200 bytes.
TEXT_LIMIT = 200


@dataclass(frozen=True, slots=True)
class Accept:
    """The client may talk to the program. vouched: a rule or an -a zone vouches for it, so it is watched no longer."""

    vouched: bool = False


@dataclass(frozen=True, slots=True)
class Refuse:
    """The client is refused. code: 451, temporary, or 553, permanent. text: for the reply, as it was found."""

    code: int
    text: bytes

    @property
    def words(self) -> bytes:
        """What the client may be told of the text: 200 bytes at most, control and 8-bit bytes as ?."""
        return clean(self.text[:TEXT_LIMIT])

    @property
    def reply(self) -> bytes:
        """The reply line without its line end: code and words."""
        return b"%d %s" % (self.code, self.words)

    @property
    def variable(self) -> bytes:
        """The $RBLSMTPD that gives the same verdict; a blank keeps a 451 from beginning as a 553 does."""
        text = self.words
        if self.code >= 500:
            return b"-" + text
        return b" " + text if text[:1] in (b"", b"-") else text


Verdict = Accept | Refuse


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a screen does with a client.

    verdict: what becomes of the client. said: what the screen says of it, and what is counted; -i and --dry-run do not
    act on it. variables: for the environment of the program. lines: for the log, whole and with their line ends.
    """

    verdict: Verdict
    said: Verdict
    variables: Mapping[bytes, bytes] = field(default_factory=dict)
    lines: tuple[bytes, ...] = ()


#: A client that talks before the greeting breaks RFC 5321, 4.3.1: it is a program in a hurry, not a mail server.
EARLY = Refuse(451, b"you talked before you were greeted")


def told(rblsmtpd: bytes | None) -> Verdict | None:
    """Parse $RBLSMTPD, None = not set -> its verdict (rblsmtpd.c, main); None where the zones are to be asked."""
    if rblsmtpd is None:
        return None
    if not rblsmtpd:
        return Accept(vouched=True)
    if rblsmtpd.startswith(b"-"):
        return Refuse(553, rblsmtpd[1:])
    return Refuse(451, rblsmtpd)
