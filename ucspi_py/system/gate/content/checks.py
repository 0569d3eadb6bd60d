"""The header and body checks of one process: their tables, their turns, and the budget of each turn."""

from collections.abc import Callable
from functools import partial

from ....core.errors import AskedWrongly
from ....core.gate.content import actions
from ....core.gate.content.checked import Note
from ....core.gate.content.message import CheckedMessage
from ....core.gate.content.settings import ContentSettings
from ....core.gate.maps.names import Broken
from ....core.smtp.dialogue import Dialogue
from ...expressions.budget import Budget
from ..backend.pipe import MakeBackend
from ..session_log import SessionLog
from ..tables import Tables
from .checked_backend import CheckedBackend, SessionChecks
from .checking import Checking
from .turns import Turns

#: Seconds of one search in a message. Each expression may use them up once in a message, and others wait meanwhile.
_SEARCH = 0.02


class Checks:
    """What checks messages. complain: gets a sentence about a table. dry_run: of all sessions."""

    def __init__(self, settings: ContentSettings, complain: Callable[[str], None], *, dry_run: bool = False) -> None:
        self._dry_run = dry_run
        self._turns = Turns()
        self._settings = settings
        self._complain = complain
        self._tables = Tables(complain)
        self._budget = Budget(_SEARCH)
        # A thousand expressions take a second to read, and no client is to wait for that.
        for name in settings.tables:
            self._tables.inspect(name)

    def maker(self, dialogue: Dialogue, log: SessionLog) -> MakeBackend:
        """Make what makes the backends of one session. dialogue, log: the session's."""
        return partial(CheckedBackend, self.of_session(dialogue, log))

    def of_session(self, dialogue: Dialogue, log: SessionLog) -> SessionChecks:
        """Make what checks the messages of one session. dialogue, log: the session's."""

        def note(found: Note) -> None:
            if dialogue.envelope:
                log.checked(found, dialogue.envelope)

        return SessionChecks(self._begin, self._turns, note)

    def _begin(self) -> Checking:
        return Checking(
            CheckedMessage(self._settings, dry_run=self._dry_run), self._tables, self._budget, self._complain
        )


def check(settings: ContentSettings, complain: Callable[[str], None]) -> None:
    """Look before the first client comes which tables cannot be used, and say so: they may be made later.

    Raises AskedWrongly for a value that the gate cannot do, with the line of its table.
    """
    tables = Tables(complain)
    for name in settings.tables:
        found = tables.inspect(name)
        if isinstance(found, Broken):
            complain(found.sentence)
            continue
        for line, value in tables.values(name):
            flaw = actions.flaw(value, of_header=name not in settings.body_checks)
            if flaw:
                raise AskedWrongly(f"table {name}{f' line {line}' if line else ''}: {flaw}")
