"""What logins ask of the guard."""

from ...guard.settings import GuardSettings
from .offered import CRAM_MD5
from .settings import LoginSettings, Mechanism, SaslType


def guard_settings(settings: LoginSettings) -> GuardSettings | None:
    """Make what is asked of the guard; None = nothing."""
    if settings.smtpd_sasl_type is not SaslType.CHECKPASSWORD:
        return None
    named = Mechanism(CRAM_MD5) in settings.smtpd_sasl_mechanism_filter
    return GuardSettings(
        checkpassword=tuple(settings.smtpd_sasl_path.split()),
        mechanisms=(b"PLAIN", b"LOGIN", *((CRAM_MD5,) if named else ())),
        order=settings.checkpassword_cram_order,
    )
