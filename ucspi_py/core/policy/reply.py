"""The reply of a policy server, as bytes.

Source: SMTPD_POLICY_README, "Protocol description"; access(5) for the actions.
"""

from ..text import clean

DUNNO = b"DUNNO"


def packed(action: bytes) -> bytes:
    """Make a reply. action: as in access(5), with its text; whatever is in it, the reply ends where this ends."""
    return b"action=%s\n\n" % clean(action)
