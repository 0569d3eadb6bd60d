"""For how long a finding is remembered. Never remembers anything, and never has a clock."""

from .answers import Failing, Finding

#: Bounds in seconds, whatever the zone says: a client that comes back within a minute costs no second question, and one
#: that a zone has delisted waits an hour at most.
LEAST, MOST = 60, 3600
#: Seconds for which a failure is remembered: who comes again at once does not wait for the same zone again.
FAILURE = 15


def lifetime(finding: Finding, ttl: int) -> int:
    """Return for how many seconds a finding is remembered. ttl: what the answer says, in seconds; of a failure nothing.

    Source: RFC 2308, 5 and 7.1: a cache may bound what does not exist, and keep a failure for 5 minutes at most.
    """
    return FAILURE if isinstance(finding, Failing) else min(max(ttl, LEAST), MOST)


def holds(finding: Finding, until: float, answers_since: float, now: float) -> bool:
    """Tell whether a finding still holds.

    until: monotonic second up to which it was to be remembered. answers_since: monotonic second since which the zone
    answers again, so that no failure from before it holds. now: monotonic second.
    """
    is_over = isinstance(finding, Failing) and until - FAILURE < answers_since
    return until > now and not is_over
