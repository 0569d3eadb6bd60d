"""The milters of a gate, asked as the server asks them, and watched. Never asked where nobody gave a message."""

from collections.abc import Callable

from ...core.dns.message import Ask
from ...core.explain.milters import WatchedDialogue
from ...core.explain.steps import Told
from ...core.gate.milter.settings import Milter, MilterSettings
from ...core.milter.failure import MilterFailed
from ..gate.milter.client import MilterClient
from ..gate.milter.connection import MilterConnection


class WatchedMilter(MilterClient):
    """A milter of which take is told what it says. All else as of MilterClient."""

    def __init__(
        self,
        take: Callable[[Told], None],
        milter: Milter,
        settings: MilterSettings,
        ask: Ask,
        say: Callable[[str], None],
    ) -> None:
        super().__init__(milter, settings, ask, say)
        self._take = take

    async def begin(self) -> MilterConnection:
        """See MilterClient."""
        connection = await super().begin()
        agreed = connection.dialogue.agreed
        connection.dialogue = WatchedDialogue(self.settings.protocol, agreed, str(self.milter), self._take)
        return connection

    def failed(self, failure: MilterFailed, *, at_begin: bool = False) -> None:
        """See MilterClient."""
        super().failed(failure, at_begin=at_begin)
        action = self.settings.default_action.value
        self._take(Told(str(self.milter), f"fails: {failure.sentence}; its default action is done, {action}"))
