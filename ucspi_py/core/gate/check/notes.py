"""What is worth knowing of a configuration that a gate takes: what is passed over, and what else does the same."""

import shlex
from collections.abc import Iterator

from ..language import passed_over, values
from ..language.configuration import Configuration
from .finding import Finding, Kind
from .subject import Subject

_ACTIONS = ("enforce", "drop")


def passed_by(subject: Subject) -> Iterator[Finding]:
    """Yield a note for each parameter that a gate passes over."""
    last = {(one.name, one.value.place): one for one in subject.reading.configuration.settings}
    for setting in last.values():
        reason = passed_over.reason(setting.name)
        if reason:
            yield Finding(Kind.NOTE, setting.where, f"{setting.name} is passed over: {reason}")


def postscreen(subject: Subject) -> Iterator[Finding]:
    """Yield the words that do what postscreen does. Raises AskedWrongly where its own mean nothing."""
    words = pyrblsmtpd(subject.reading.configuration)
    if words:
        yield Finding(Kind.NOTE, "", f"postscreen does what these words before the gate do: {words}")


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
