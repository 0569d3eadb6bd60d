"""What --check says of a configuration that a gate takes: what is overridden, and what is passed over, and why."""

import shlex
from collections.abc import Iterator

from . import passed_over, values
from .configuration import Configuration
from .syntax import Setting

_ACTIONS = ("enforce", "drop")


def notes(configuration: Configuration) -> Iterator[str]:
    """Yield a line for each note. Raises AskedWrongly where postscreen has words that mean nothing."""
    earlier: dict[tuple[str, str], Setting] = {}
    for setting in configuration.settings:
        key = (setting.name, setting.value.place)
        before = earlier.get(key)
        if before and before.value.text != setting.value.text:
            yield f"{before.where}: {setting.name} is overridden by {setting.where}"
        earlier[key] = setting
    for setting in earlier.values():
        reason = passed_over.reason(setting.name)
        if reason:
            yield f"{setting.where}: {setting.name} is passed over: {reason}"
    words = pyrblsmtpd(configuration)
    if words:
        yield f"postscreen: as {words}"


def pyrblsmtpd(configuration: Configuration) -> str:
    """Find the words of pyrblsmtpd that do what postscreen does; none = it refuses nobody. Raises AskedWrongly."""
    words: list[str] = []
    if configuration.text("postscreen_greet_action").lower() in _ACTIONS:
        words += ["-w", str(configuration.parsed("postscreen_greet_wait", values.seconds(0)))]
    zones = configuration.words("postscreen_dnsbl_sites")
    if zones and configuration.text("postscreen_dnsbl_action").lower() in _ACTIONS:
        threshold = configuration.parsed("postscreen_dnsbl_threshold", values.number(1))
        words += ["-T", f"{threshold}/{threshold}", *(word for zone in zones for word in ("-r", zone.text))]
    return shlex.join(["pyrblsmtpd", *words]) if words else ""
