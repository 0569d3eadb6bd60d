"""The policy services of a configuration: its texts become PolicySettings."""

from collections.abc import Collection

from ...errors import AskedWrongly
from ..language.configuration import Configuration
from .parameters import PREFIX
from .service import action_flaw
from .settings import NAMES, PolicySettings


def policy_settings(configuration: Configuration, classes: Collection[str]) -> PolicySettings:
    """Make what is asked of all policy services. classes: names of restriction classes. Raises AskedWrongly."""
    found = PolicySettings(
        queue_directory=configuration.value("queue_directory"),
        **{name: configuration.value(PREFIX + name) for name in NAMES},
    )
    flaw = action_flaw(found.default_action, classes)
    if flaw:
        name = f"{PREFIX}default_action"
        raise AskedWrongly(f"{configuration.where(name)}: {name} {flaw}")
    return found
