"""Traps of policy services: one that cannot be asked, and one that is given more time than there is."""

from collections.abc import Iterator

from ...errors import AskedWrongly
from ..check.finding import Finding, warning
from ..check.reading import Reading
from ..check.subject import Subject
from .configured import policy_settings
from .settings import PolicyService, PolicySettings

#: Seconds that all look-ups of one command have.
PATIENCE = 20


def services(reading: Reading) -> Iterator[tuple[PolicyService, str]]:
    """Yield each policy service of the lists, with the place that has it."""
    for restrictions in (*reading.lists.values(), *reading.classes.values()):
        yield from ((one.service, one.where) for one in restrictions if one.name == "check_policy_service")


def settings(reading: Reading) -> PolicySettings:
    """Make what is asked of all services; Postfix's defaults and ours, where that is wrong and has been named."""
    try:
        return policy_settings(reading.configuration, _named)
    except AskedWrongly:
        return PolicySettings()


def _named(_action: bytes) -> None:
    """What is wrong with a default action has been named."""


def policy_services(subject: Subject) -> Iterator[Finding]:
    """Find services that a worker would not reach, and those whose time is never waited for."""
    for service, where in services(subject.reading):
        if service in subject.around.services:
            yield warning(where, f"policy service {service}: {subject.around.services[service]}")
        timeout = service.settings(settings(subject.reading)).timeout
        if timeout > PATIENCE:
            sentence = f"policy service {service} has {timeout} seconds, and no command waits for more than {PATIENCE}"
            yield warning(where, sentence, f"set timeout={PATIENCE}s, or less")
