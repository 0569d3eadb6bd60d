"""What a client that wants to log in is told, and when it is left (RFC 4954, 4 and 6)."""

from ...auth.answer import Answer, Verdict
from ...smtp.reply import Reply, reply

ACCEPTED = reply(235, b"2.7.0 Authentication successful")
REFUSED = reply(535, b"5.7.8 Error: authentication failed: authentication failure")
LATER = reply(454, b"4.7.0 Temporary authentication failure: try again later")

#: Failed logins of a session, behind which the next command is its last.
_FAILURES = 3
#: Seconds that the first wrong password takes at least; each further one of the session takes one more.
_DELAY = 3.0


def answer(verdict: Verdict) -> Reply:
    """Tell the client. It learns nothing of who there is: the words are the same for an unknown user."""
    return {Verdict.YES: ACCEPTED, Verdict.NO: REFUSED, Verdict.LATER: LATER}[verdict]


def reason(answer: Answer) -> str:
    """Tell the log why a login failed, in Postfix's words: fail2ban takes a wrong password for an attack.

    It does not where nobody could tell (filter.d/postfix.conf).
    """
    said = "authentication failure" if answer.verdict is Verdict.NO else "Connection lost to authentication server"
    return said if answer.reason in ("", said) else f"{said} ({answer.reason})"


def delay(failures: int) -> float:
    """Seconds between a wrong password and its answer, however fast that was found out. failures: with this one."""
    return _DELAY + min(failures, _FAILURES) - 1


def is_last(failures: int) -> bool:
    """Whether a client is left at its next command. failures: of its session."""
    return failures >= _FAILURES


def left(myhostname: bytes) -> Reply:
    """What that command is told."""
    return reply(421, b"4.7.0 %b Error: too many errors" % myhostname)
