"""Whoever checks passwords with the privileges that we give up, tried as a start does. Never asks about a client's."""

import os
from collections.abc import Iterator

from ....core.errors import Failure
from ....core.service.check.finding import Finding, error
from ....core.service.settings import ServerSettings

_WHAT = "guard"
#: The port of the service, as the checker reads it.
_PORT = b"25"


def looked(settings: ServerSettings) -> Iterator[Finding]:
    """Yield what the checker says to a user that nobody has; nothing where the guard checks none."""
    guard = settings.guard
    if guard is None or not guard.checkpassword:
        return
    from ...guard.launcher import CheckerLauncher
    from ...guard.probe import probe

    name = guard.checkpassword[0]
    try:
        probe(guard, CheckerLauncher(guard.checkpassword, guard.limits.cpu_seconds, os.environb), _PORT)
    except Failure as failure:
        yield error(_WHAT, failure.sentence)
    else:
        yield Finding(_WHAT, f"{name} does not let in a user that nobody has")
