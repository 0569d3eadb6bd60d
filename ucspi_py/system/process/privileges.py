"""Giving up root for a user and a group, for good. Never decides which."""

import grp
import os
import pwd
from collections.abc import Callable

from ...core.errors import AskedWrongly, Failure, unable

#: uid_t and gid_t have 32 bits, and all ones means "leave it as it is" to the system calls.
_LAST_ID = 2**32 - 2


def user_id(user: str | None) -> int | None:
    """Look up a user by name or number -> its uid; None for None and for 0: no change. Raises AskedWrongly."""
    return _id(user, "user", lambda name: pwd.getpwnam(name).pw_uid)


def group_id(group: str | None) -> int | None:
    """Look up a group by name or number -> its gid; None for None and for 0: no change. Raises AskedWrongly."""
    return _id(group, "group", lambda name: grp.getgrnam(name).gr_gid)


def user_name(uid: int) -> str:
    """Look up the name of a user; its number where it has none. uid: of the user."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def group_name(gid: int) -> str:
    """Look up the name of a group; its number where it has none. gid: of the group."""
    try:
        return grp.getgrgid(gid).gr_name
    except KeyError:
        return str(gid)


def become(uid: int | None, gid: int | None) -> None:
    """Set gid (and no other group), then uid (tcpserver.c, main; prot.c); None = no change.

    Raises Failure with tcpserver's sentence, also where root could be had back afterwards.
    """
    if gid is not None:
        try:
            os.setgroups([gid])
            os.setgid(gid)
        except OSError as error:
            raise unable("set gid", error) from None
    if uid is not None:
        try:
            os.setuid(uid)
        except OSError as error:
            raise unable("set uid", error) from None
        if uid and _root_is_still_there():
            raise Failure("unable to give up root: setuid(0) still works")


def are(uid: int | None, gid: int | None) -> bool:
    """Whether we are a user and a group, with no way back. uid, gid: theirs, None = whoever we are."""
    users, groups = set(os.getresuid()), {*os.getresgid(), *os.getgroups()}
    return (uid is None or users == {uid}) and (gid is None or groups == {gid})


def _id(text: str | None, what: str, by_name: Callable[[str], int]) -> int | None:
    if text is None:
        return None
    try:
        number = int(text) if text.isascii() and text.isdigit() else by_name(text)
    except (KeyError, ValueError):
        raise AskedWrongly(f"no {what} '{text}', neither a name nor a number") from None
    if number > _LAST_ID:
        raise AskedWrongly(f"no {what} '{text}', the last number is {_LAST_ID}")
    return number or None


def _root_is_still_there() -> bool:
    try:
        os.setuid(0)
    except OSError:
        return False
    return True
