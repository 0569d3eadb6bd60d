"""The milters of one process: each client gets its own conversations with them. Never judges itself."""

import time
from collections.abc import Callable
from functools import partial

from ....core.dns.message import Ask
from ....core.gate.milter.macros import client_facts
from ....core.gate.milter.settings import GateMilters, Limits
from ....core.gate.visitor import Visitor
from ....core.smtp.dialogue import Dialogue
from ....core.smtp.envelope import Envelope
from ....core.smtp.reply import Reply
from ..backend.pipe import BackendPipe
from ..lists.client_name import client_name
from ..parts import OfSession
from .chosen import ChosenMilters, MakeClient
from .client import MilterClient
from .client_milters import ClientMilters
from .header_checking import HeaderChecks
from .hearing import Hearing
from .held import HeldMessage
from .milted_backend import MessageMilters, milted

#: Seconds in which a client's name is found out; it waits for its banner meanwhile.
_NAME_PATIENCE = 20.0


class Milting:
    """Makes what milters hear of each client.

    limits: of what they may do. ask: queries records. say: of failures. make: makes what connects to one.
    """

    def __init__(
        self,
        settings: GateMilters,
        limits: Limits,
        ask: Ask,
        say: Callable[[str], None],
        make: MakeClient = MilterClient,
    ) -> None:
        self._chosen = ChosenMilters(settings, ask, say, make)
        self._limits = limits
        self._texts = settings.texts
        self._header_checks = HeaderChecks(settings.header_checks, say) if settings.header_checks else None
        self._say = say
        self._ask = ask

    def put_before(self, pipe: BackendPipe, guest: Visitor, dialogue: Dialogue, session: OfSession) -> None:
        """Have the milters of a client, if it has any, hear of it before its backend does."""
        clients = self._chosen.of(guest.ip)
        if not clients:
            return
        facts = client_facts(session.environment, guest, session.hostname, self._texts, session.holds)
        facts = facts._replace(connections=session.connections)
        milters = pipe.milters = ClientMilters(clients, self._limits, guest, facts, self._say)
        milters.find_name = lambda: client_name(self._ask, guest.ip, time.monotonic() + _NAME_PATIENCE)
        milters.spare = session.log.spared if session.dry_run else None
        milters.note = session.log.filtered
        if self._header_checks:
            milters.check = partial(self._header_checks.check, None if session.dry_run else session.log.checked)
        dialogue.filtered(milters.lasting)
        of_messages = _of_messages(milters, dialogue)
        if session.checks is None:
            pipe.make = partial(milted, of_messages)
        else:
            from .checked_milted import checked_milted

            pipe.make = partial(checked_milted, session.checks, of_messages)

    def close(self) -> None:
        """Give all connections back that nobody uses."""
        self._chosen.close()


def _of_messages(milters: ClientMilters, dialogue: Dialogue) -> MessageMilters:
    async def data() -> Reply | None:
        return await milters.data(dialogue.envelope) if dialogue.envelope else None

    async def hear(message: HeldMessage) -> Reply | Envelope | None:
        return await milters.hear(message, dialogue.envelope) if dialogue.envelope else None

    async def end(hearing: Hearing) -> Reply | None:
        return await milters.hear_end(hearing, dialogue.envelope) if dialogue.envelope else None

    return MessageMilters(data, milters.stream, end, hear)
