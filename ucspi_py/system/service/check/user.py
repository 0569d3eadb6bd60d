"""The user of a service, become as a start does: for good."""

import os

from ....core.errors import Failure
from ....core.service.check.finding import Finding, error
from ...process import privileges

_WHAT = "user"


def looked(uid: int | None, gid: int | None) -> Finding:
    """Become a user and a group. uid, gid: None = as we are."""
    try:
        if not privileges.is_already(uid, gid):
            privileges.become(uid, gid)
    except Failure as failure:
        return error(_WHAT, f"{failure.sentence}; all else is looked at once that can be done")
    user, group = privileges.user_name(os.geteuid()), privileges.group_name(os.getegid())
    return Finding(_WHAT, f"what follows is looked at as user {user}, group {group}")
