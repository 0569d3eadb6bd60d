"""A number of spamdyke.conf."""

from ...numbers import decimal
from .conf import Setting


def number(setting: Setting | None) -> int | None:
    """Read the number of a setting; None without one, or where it is none."""
    return decimal(setting.value) if setting else None
