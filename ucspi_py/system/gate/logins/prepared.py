"""What logins need, made while we may still read whatever root may. Never checks a password."""

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from ....core.errors import AskedWrongly
from ....core.gate.logins.recipients import PERIOD
from ....core.gate.logins.settings import LoginSettings
from ...accept.client_events import ClientEvents
from ...auth import daemon as daemons
from ...auth.checker import Checker
from ...auth.daemon import Daemon
from ...auth.reach import flaw
from . import logins  # noqa: F401  a worker can import nothing once root is given up
from .tries_table import LoginTries

if TYPE_CHECKING:
    from ...guard.client import GuardChecker

_NO_GUARD = "smtpd_sasl_type checkpassword needs pytcpserver, which starts the guard that runs the program"


class LoginTables(NamedTuple):
    """What all processes of the service count in. recipients: of each user; None = as many as it likes."""

    tries: LoginTries
    recipients: ClientEvents | None


class SharedLogins(NamedTuple):
    """What all processes of the service have for logins. daemon: who is asked; None = the guard is."""

    daemon: Daemon | None
    tables: LoginTables


def prepare(settings: LoginSettings, uid: int | None, gid: int | None, complain: Callable[[str], None]) -> SharedLogins:
    """Find out who is asked, and try that as the user of a worker: a daemon may still be started later.

    uid, gid: None = a worker stays what we are. complain: gets what is wrong. Raises as daemon() does.
    """
    found = daemons.daemon(settings)
    for sentence in found.without_effect if found else ():
        complain(sentence)
    trouble = flaw(found.place, uid, gid) if found else None
    if trouble:
        complain(f"{trouble}: nobody can log in")
    recipients = ClientEvents(PERIOD) if settings.hourly_recipient_limit else None
    return SharedLogins(found, LoginTables(LoginTries(), recipients))


def checker(
    settings: LoginSettings, loop: asyncio.AbstractEventLoop, found: Daemon | None, guard: "GuardChecker | None"
) -> Checker:
    """Make who checks, in the process that asks. found: the daemon; None = the guard is asked.

    guard: None = there is none. Raises AskedWrongly where it is needed.
    """
    if found is not None:
        return daemons.checker(loop, settings, found)
    if guard is None:
        raise AskedWrongly(_NO_GUARD)
    return guard
