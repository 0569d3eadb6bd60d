"""Whether a worker will reach a daemon that checks passwords, tried as its user. Never waits for an answer."""

import errno
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from ...core.auth.place import Place, UnixPlace
from ...core.auth.reach import Need, Step, Who, barrier, missing_group
from ...core.errors import Failure, error_words
from ..process import privileges
from .daemon_socket import connecting

#: What the child that tries says of an end that is no errno.
NO_USER = 255


class Unreached(NamedTuple):
    """Why a socket is not reached. errno: of the connection, or NO_USER. sentence: with who tries."""

    errno: int
    sentence: str


def flaw(place: Place, uid: int | None, gid: int | None) -> str | None:
    """Try to connect to a daemon as a worker will; None = it may, or it cannot be told yet.

    uid, gid: what the worker becomes, with no other group; None = it stays what we are. A TCP port is not tried.
    """
    failure = tried(place, uid, gid) if isinstance(place, UnixPlace) else None
    return failure and failure.sentence


def tried(place: UnixPlace, uid: int | None, gid: int | None) -> Unreached | None:
    """Try to connect to a socket as a worker will; None = it may. uid, gid: as of flaw()."""
    failure = errno_as(lambda: connecting(place).close(), uid, gid)
    if failure in (0, errno.EAGAIN):  # its queue is full, so that it is there
        return None
    if failure == NO_USER:
        return Unreached(failure, f"cannot become the user who is to connect to {place}")
    return Unreached(failure, _explained(place, failure, _who(uid, gid)))


def errno_as(deed: Callable[[], object], uid: int | None, gid: int | None) -> int:
    """Do something in a process of its own, as a worker would, and tell its errno: 0 = it can be done.

    uid, gid: as of flaw(). NO_USER: they cannot be had, or it was no errno.
    """
    child = os.fork()
    if not child:
        os._exit(_tried(deed, uid, gid))
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) % 256


def _tried(deed: Callable[[], object], uid: int | None, gid: int | None) -> int:
    try:
        if os.geteuid() == 0:
            privileges.become(uid, gid)
        deed()
    except OSError as error:
        return error.errno or NO_USER
    except Failure:
        return NO_USER
    return 0


def _who(uid: int | None, gid: int | None) -> Who:
    groups = {gid} if gid is not None and os.geteuid() == 0 else {os.getegid(), *os.getgroups()}
    return Who(os.geteuid() if uid is None or os.geteuid() else uid, frozenset(groups))


def _explained(place: UnixPlace, failure: int, who: Who) -> str:
    sentence = f"user {privileges.user_name(who.uid)} is unable to connect to {place}: {error_words(failure)}"
    if failure != errno.EACCES:
        return sentence
    step = barrier(_steps(place.path), who)
    if step is None:
        return sentence
    group = missing_group(step, who)
    if group is None:
        return f"{sentence}: no group may, {step.path} is for user {privileges.user_name(step.owner)} alone"
    name = privileges.group_name(group)
    return f"{sentence}: {step.path} is for group {name}, which is missing; pytcpserver -g {name} has it"


def _steps(path: str) -> Iterator[Step]:
    """The way to a socket, as far as we may see it ourselves. Symbolic links are followed: their targets count."""
    whole = Path(path)
    real = whole.parent.resolve() / whole.name
    for part in (*reversed(real.parents), real):
        try:
            status = part.stat()
        except OSError:
            return
        need = Need.WRITE if part == real else Need.SEARCH
        yield Step(str(part), status.st_uid, status.st_gid, status.st_mode, need)
