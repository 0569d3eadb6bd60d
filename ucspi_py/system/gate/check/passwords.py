"""Whoever checks the passwords of a configuration, looked at as a worker will ask. Never asks about a password."""

from ....core.auth.checkpassword import command_flaw
from ....core.errors import AskedWrongly, Failure
from ....core.gate.check.reading import Reading
from ....core.gate.check.subject import PasswordsSeen
from ....core.gate.logins.configured import login_settings
from ...auth import reach
from ...auth.daemon import daemon


def seen(reading: Reading, uid: int | None, gid: int | None) -> PasswordsSeen:
    """Look at the daemon or program of a configuration; nothing is seen where nobody may log in.

    uid, gid: as of reach.flaw().
    """
    if reading.text("smtpd_sasl_auth_enable") != "yes":
        return PasswordsSeen()
    try:
        settings = login_settings(reading.configuration)
    except AskedWrongly:
        return PasswordsSeen()  # Its text has been named.
    try:
        found = daemon(settings)
    except Failure as failure:
        return PasswordsSeen(failure.sentence)
    if found is None:
        return PasswordsSeen(command_flaw(settings.smtpd_sasl_path.split()) or "")
    return PasswordsSeen("", found.without_effect, reach.flaw(found.place, uid, gid) or "")
