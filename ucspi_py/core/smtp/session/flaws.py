"""Lines that are no commands: which are carried out all the same, and what is said to the others (smtpd.c)."""

from ...text import is_utf8
from ..command import parse
from ..line import Flaw, Flawed
from ..settings import BareNewline, Greeting, SmtpSettings
from . import replies
from .outcome import Said, answered
from .verbs import is_foreign


def mend(flawed: Flawed, settings: SmtpSettings, greeting: Greeting, bare_newline: BareNewline) -> bytes | Said:
    """Judge a flawed line -> the line if it is to be carried out, or what is said to it.

    bare_newline: what becomes of a bare LF of this client. 8-bit bytes are left to the verbs: a name may have some.
    """
    if flawed.why is Flaw.EIGHT_BIT or (flawed.why is Flaw.BARE_LF and bare_newline is not BareNewline.REJECT):
        return replies.BAD_UTF8 if settings.smtputf8_enable and not is_utf8(flawed.line) else flawed.line
    if flawed.why is Flaw.BARE_LF:
        return answered(replies.bare_lf(500, greeting.myhostname))
    if flawed.why is Flaw.TOO_LONG:
        return replies.too_long(greeting.myhostname)
    name = parse(flawed.line).verb
    return replies.FOREIGN if name and is_foreign(name) else replies.BAD_SYNTAX


def stranger(name: bytes) -> Said:
    """What is said where a verb should be and is none. name: in capitals; b"" of an empty line."""
    if not name:
        return replies.BAD_SYNTAX
    return replies.FOREIGN if is_foreign(name) else replies.NOT_RECOGNIZED
