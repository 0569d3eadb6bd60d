"""A backend behind header and body checks, which stand before milters, as in Postfix's cleanup."""

from ..backend.pipe import BackendEnds
from ..content.checked_backend import CheckedBackend, SessionChecks
from ..content.checking import Checking
from .held import HeldMessage
from .milted_backend import MessageMilters, MiltedBackend


class CheckedMiltedBackend(CheckedBackend, MiltedBackend):
    """What passes the checks is held for milters, who count those headers of lists that have passed them."""

    def _pass_on(self, checking: Checking) -> None:
        super()._pass_on(checking)
        if isinstance(self._message, HeldMessage):
            self._message.above = checking.message.above


def checked_milted(checks: SessionChecks, milters: MessageMilters, *ends: *BackendEnds) -> CheckedMiltedBackend:
    """Make a backend behind both."""
    backend = CheckedMiltedBackend(checks, *ends)
    backend.milters = milters
    return backend
