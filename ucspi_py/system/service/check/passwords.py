"""Whoever checks passwords with the privileges that we give up, tried as a start does. Never asks about a client's."""

import os
from collections.abc import Iterator

from ....core.errors import Failure
from ....core.service.check.finding import Finding, error, warning
from ....core.service.settings import ServerSettings
from ...supervisor import listeners
from . import user

_WHAT = "guard"


def looked(settings: ServerSettings) -> Iterator[Finding]:
    """Yield what the checker says to a user that nobody has; nothing where the guard checks none."""
    guard = settings.guard
    if guard is None or not guard.checkpassword:
        return
    name = guard.checkpassword[0]
    if user.only_root_knows(settings):
        yield warning(_WHAT, f"only root can tell what {name} says to a user that nobody has")
        return
    from ...guard.launcher import CheckerLauncher
    from ...guard.probe import probe

    checker = CheckerLauncher(guard.checkpassword, guard.limits.cpu_seconds, os.environb)
    try:
        probe(guard, checker, b"%d" % listeners.port_of(settings))
    except Failure as failure:
        yield error(_WHAT, failure.sentence)
    else:
        yield Finding(_WHAT, f"{name} does not let in a user that nobody has")
