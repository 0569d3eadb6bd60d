"""Whether the lists can let a stranger relay: the check with which smtpd starts (smtpd_check.c, smtpd_check_init)."""

from collections.abc import Mapping

from ...errors import AskedWrongly
from .names import RELAY_CHECKS
from .restriction import CLASS, WARN_IF_REJECT, Restriction, Restrictions
from .settings import RestrictionSettings


def check_relay(settings: RestrictionSettings) -> None:
    """Raise AskedWrongly where neither the relay nor the recipient list refuses mail for elsewhere, as Postfix does."""
    lists = (settings.smtpd_recipient_restrictions, settings.smtpd_relay_restrictions)
    if not any(_has_relay_check(one, settings.smtpd_restriction_classes) for one in lists):
        raise AskedWrongly(
            "in smtpd_relay_restrictions or smtpd_recipient_restrictions one of these must stand, outside of "
            f"warn_if_reject and not behind permit: {', '.join(RELAY_CHECKS)}"
        )


def _has_relay_check(restrictions: Restrictions, classes: Mapping[str, Restrictions]) -> bool:
    softened = False
    for one in restrictions:
        if softened or one.name == WARN_IF_REJECT:
            softened = one.name == WARN_IF_REJECT and not softened
        elif one.name == "permit":
            return False
        elif one.name in RELAY_CHECKS or _is_relay_check(one, classes):
            return True
    return False


def _is_relay_check(one: Restriction, classes: Mapping[str, Restrictions]) -> bool:
    return one.name == CLASS and _has_relay_check(classes[one.text], classes)
