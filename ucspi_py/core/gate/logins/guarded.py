"""What logins ask of the guard."""

from ...auth.checkpassword import command_flaw
from ...errors import AskedWrongly
from ...guard.settings import GuardSettings
from .offered import CRAM_MD5
from .settings import LoginSettings, Mechanism, SaslType


def guard_settings(settings: LoginSettings) -> GuardSettings | None:
    """Make what is asked of the guard; None = nothing. Raises AskedWrongly for what cannot be a checker."""
    if settings.smtpd_sasl_type is not SaslType.CHECKPASSWORD:
        return None
    command = tuple(settings.smtpd_sasl_path.split())
    flaw = command_flaw(command)
    if flaw:
        raise AskedWrongly(flaw)
    named = Mechanism(CRAM_MD5) in settings.smtpd_sasl_mechanism_filter
    return GuardSettings(
        checkpassword=command,
        mechanisms=(b"PLAIN", b"LOGIN", *((CRAM_MD5,) if named else ())),
        order=settings.checkpassword_cram_order,
    )
