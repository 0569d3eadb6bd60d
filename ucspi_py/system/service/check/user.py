"""The user of a service, become as a start does: for good."""

import os

from ....core.errors import Failure
from ....core.service.check.finding import Finding, error
from ....core.service.settings import ServerSettings
from ...process import privileges

_WHAT = "user"


def only_root_knows(settings: ServerSettings) -> bool:
    """Whether a start has privileges that we have not: it gives them up by -u, and we are no root."""
    return settings.uid is not None and os.geteuid() != 0


def looked(uid: int | None, gid: int | None) -> Finding:
    """Become a user and a group. uid, gid: None = as we are."""
    try:
        if not privileges.are(uid, gid):
            privileges.become(uid, gid)
    except Failure as failure:
        return error(_WHAT, f"{failure.sentence}; all else is looked at once that can be done")
    user, group = privileges.user_name(os.geteuid()), privileges.group_name(os.getegid())
    return Finding(_WHAT, f"what follows is looked at as user {user}, group {group}")
