"""Who never waits, whatever the records say. Decides by the attempt alone.

The null sender: whoever asks back whether an address exists (callout verification) would take a deferral for a no.
postmaster and abuse: who complains is to be heard (RFC 5321, 4.5.1; RFC 2142, 4).
"""

from ..attempt import Attempt, Passed

_USERS = (b"postmaster", b"abuse")
#: postgrey's words for its own files, in which both of these stand.
_RECIPIENT = Passed(b"recipient whitelist")
_SENDER = Passed(b"null sender")


def spared(attempt: Attempt) -> Passed | None:
    """Tell why an attempt is let in at once; None = it may have to wait."""
    if not attempt.sender:
        return _SENDER
    user = attempt.recipient.partition(b"@")[0].partition(b"+")[0].lower()
    return _RECIPIENT if user in _USERS else None
