"""What the screen says of a client: Accept or Refuse. $RBLSMTPD and the reply line. Never asks and never talks."""

from dataclasses import dataclass

from ..text import clean

#: rblsmtpd.c: the text is cut to 200 bytes.
TEXT_LIMIT = 200


@dataclass(frozen=True, slots=True)
class Accept:
    """The client may talk to the program. known: somebody vouches for it, so it need not be watched any longer."""

    known: bool = False


@dataclass(frozen=True, slots=True)
class Refuse:
    """The client is refused: code 451 (try later) or 553 (for good), and the text as it was found."""

    code: int
    text: bytes

    @property
    def reply(self) -> bytes:
        """The reply line without its line end: code and text, 200 bytes of it at most, control and 8-bit bytes as ?."""
        return b"%d %s" % (self.code, clean(self.text[:TEXT_LIMIT]))

    @property
    def variable(self) -> bytes:
        """What $RBLSMTPD would have to be for the same verdict; a text must not begin as another one would."""
        text = clean(self.text[:TEXT_LIMIT])
        if self.code >= 500:
            return b"-" + text
        return b" " + text if text[:1] in (b"", b"-") else text


Verdict = Accept | Refuse

#: A client that talks before it is greeted is a program in a hurry, not a mail server.
EARLY = Refuse(451, b"you talked before you were greeted")


def told(rblsmtpd: bytes | None) -> Verdict | None:
    """$RBLSMTPD -> the verdict it gives (rblsmtpd.c, main); None where the zones are to be asked."""
    if rblsmtpd is None:
        return None
    if not rblsmtpd:
        return Accept(known=True)
    if rblsmtpd.startswith(b"-"):
        return Refuse(553, rblsmtpd[1:])
    return Refuse(451, rblsmtpd)
