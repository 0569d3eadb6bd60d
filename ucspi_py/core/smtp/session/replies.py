"""Our own replies in Postfix's words (smtpd.c), made once. Never decides which one is due."""

from ...auth.sasl import Fault
from ..reply import Reply, reply
from .outcome import Said, accepted, answered, refused

OK = accepted(250, b"2.0.0 Ok")
SENDER_OK = accepted(250, b"2.1.0 Ok")
BYE = accepted(221, b"2.0.0 Bye")._replace(end=b"quit")

HELO_SYNTAX = refused(501, b"Syntax: HELO hostname")
EHLO_SYNTAX = refused(501, b"Syntax: EHLO hostname")
RSET_SYNTAX = refused(501, b"5.5.4 Syntax: RSET")
DATA_SYNTAX = refused(501, b"5.5.4 Syntax: DATA")
VRFY_SYNTAX = refused(501, b"5.5.4 Syntax: VRFY address")
VRFY_DISABLED = refused(502, b"5.5.1 VRFY command is disabled")
BAD_RECIPIENT = refused(501, b"5.1.3 Bad recipient address syntax")

HELO_FIRST = refused(503, b"5.5.1 Error: send HELO/EHLO first")
NESTED_MAIL = refused(503, b"5.5.1 Error: nested MAIL command")
NEED_MAIL = refused(503, b"5.5.1 Error: need MAIL command")
NEED_RCPT = refused(503, b"5.5.1 Error: need RCPT command")
NO_RECIPIENTS = refused(554, b"5.5.1 Error: no valid recipients")
NO_AUTH = refused(503, b"5.5.1 Error: authentication not enabled")
AUTH_IN_TRANSACTION = refused(503, b"5.5.1 Error: MAIL transaction in progress")
AUTH_TWICE = refused(503, b"5.5.1 Error: already authenticated")
AUTH_SYNTAX = refused(501, b"5.5.4 Syntax: AUTH mechanism")
LOGIN_REFUSED = reply(535, b"5.7.8 Error: authentication failed: (reason unavailable)")
#: RFC 4954, 4 and 6. Of most of them Postfix says 535, though no password was wrong.
NO_LOGIN = {
    Fault.UNKNOWN: refused(504, b"5.5.4 Error: authentication failed: Invalid authentication mechanism"),
    Fault.WANTS_TLS: refused(504, b"5.5.4 Encryption required for requested authentication mechanism"),
    Fault.ABORTED: refused(501, b"5.7.0 Authentication aborted"),
    Fault.NOT_BASE64: refused(501, b"5.5.2 Error: authentication failed: Invalid base64 data"),
    Fault.NOT_FIRST: refused(501, b"5.7.0 Error: authentication failed: Initial response not expected"),
    Fault.TOO_LONG: refused(500, b"5.5.6 SASL response limit exceeded"),
    Fault.MALFORMED: answered(LOGIN_REFUSED),
}

#: smtpd.c, starttls_cmd().
FILTERED = refused(454, b"4.3.0 Try again later")

STARTTLS_SYNTAX = refused(501, b"5.5.4 Syntax: STARTTLS")
STARTTLS_TWICE = refused(554, b"5.5.1 Error: TLS already active")
TLS_READY = reply(220, b"2.0.0 Ready to start TLS")
TLS_BROKEN = reply(454, b"4.7.0 TLS not available due to local problem")
TLS_FIRST = refused(530, b"5.7.0 Must issue a STARTTLS command first")

TOO_MANY_RECIPIENTS = refused(452, b"4.5.3 Error: too many recipients")
TOO_LARGE = refused(552, b"5.3.4 Message size exceeds fixed limit")
ABSURDLY_LARGE = refused(552, b"5.3.4 Message size exceeds file system imposed limit")
BAD_SIZE = refused(501, b"5.5.4 Bad message size syntax")
FILE_TOO_BIG = reply(552, b"5.3.4 Error: message file too big")

NOT_IMPLEMENTED = refused(502, b"5.5.1 Error: command not implemented")
NOT_RECOGNIZED = refused(500, b"5.5.2 Error: command not recognized")
BAD_SYNTAX = refused(500, b"5.5.2 Error: bad syntax")
BAD_UTF8 = refused(500, b"5.5.2 Error: bad UTF-8 syntax")
#: The octets of a chunk would come as commands (RFC 3030, 2).
NO_CHUNKS = refused(521, b"5.5.1 Error: command not implemented")
FOREIGN = refused(221, b"2.7.0 Error: I can break rules, too. Goodbye.")._replace(accepted=False, end=b"not SMTP")
#: smtpd_forbid_unauth_pipelining.
OUT_OF_SYNC = reply(554, b"5.5.0 Error: SMTP protocol synchronization").wire


def unsupported(name: bytes, value: bytes | None) -> Said:
    """Refuse a parameter that is not announced."""
    return refused(555, b"5.5.4 Unsupported option: " + (name if value is None else b"%b=%b" % (name, value)))


def bare_lf(code: int, myhostname: bytes) -> Reply:
    """Refuse a line that ends in LF without CR. code: bare_newline_reject_code of a message."""
    return reply(code, b"5.5.2 %b Error: bare <LF> received" % myhostname)


def too_long(myhostname: bytes) -> Said:
    """Refuse a command line that is too long."""
    return answered(reply(500, b"5.5.2 %b Error: command too long" % myhostname))


def too_many_errors(myhostname: bytes) -> bytes:
    """Leave a client that does nothing but errors."""
    return reply(421, b"4.7.0 %b Error: too many errors" % myhostname).wire
