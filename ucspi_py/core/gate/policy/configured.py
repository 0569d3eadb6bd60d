"""The policy services of a configuration: its texts become PolicySettings."""

from ...errors import AskedWrongly
from ..language.configuration import Configuration
from .parameters import PREFIX
from .service import Flaw, action_flaw
from .settings import NAMES, PolicySettings


def policy_settings(configuration: Configuration, flaw: Flaw) -> PolicySettings:
    """Make what is asked of all policy services. flaw: of a default action. Raises AskedWrongly."""
    found = PolicySettings(
        queue_directory=configuration.value("queue_directory"),
        **{name: configuration.value(PREFIX + name) for name in NAMES},
    )
    wrong = action_flaw(found.default_action, flaw)
    if wrong:
        name = f"{PREFIX}default_action"
        raise AskedWrongly(f"{configuration.where(name)}: {name} {wrong}")
    return found
