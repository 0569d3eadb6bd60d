"""The milters of one process: each client gets its own conversations with them. Never judges itself."""

import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING

from ....core.dns.message import Ask
from ....core.gate.milter.macros import base_facts
from ....core.gate.milter.settings import GateMilters
from ....core.gate.visitor import Visitor
from ....core.smtp.dialogue import Dialogue
from ....core.smtp.envelope import Envelope
from ....core.smtp.reply import Reply
from ..backend.pipe import BackendPipe
from ..lists.client_name import client_name
from .chosen import ChosenMilters, MakeClient
from .client import MilterClient
from .client_milters import ClientMilters, Limits, Streamed
from .hearing import Hearing
from .held import HeldMessage
from .milted_backend import MessageMilters, milted

if TYPE_CHECKING:
    from ..content.checked_backend import SessionChecks

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
        self._say = say
        self._ask = ask

    def put_before(
        self,
        pipe: BackendPipe,
        guest: Visitor,
        dialogue: Dialogue,
        connection: tuple[Mapping[bytes, bytes], bytes],
        checks: "SessionChecks | None",
    ) -> ClientMilters | None:
        """Have milters hear of one client before its backend does -> its conversations with them; None = it has none.

        connection: its environment, and our name. checks: header and body checks of its session; None = there are none.
        """
        clients = self._chosen.of(guest.ip)
        if not clients:
            return None
        facts = base_facts(connection[0], guest, connection[1], self._texts)
        milters = pipe.milters = ClientMilters(clients, self._limits, guest, facts, self._say)
        milters.find_name = lambda: client_name(self._ask, guest.ip, time.monotonic() + _NAME_PATIENCE)
        of_messages = _of_messages(milters, dialogue)
        if checks is None:
            pipe.make = partial(milted, of_messages)
        else:
            from .checked_milted import checked_milted

            pipe.make = partial(checked_milted, checks, of_messages)
        return milters

    def close(self) -> None:
        """Give all connections back that nobody uses."""
        self._chosen.close()


def _of_messages(milters: ClientMilters, dialogue: Dialogue) -> MessageMilters:
    async def data() -> Reply | None:
        return await milters.data(dialogue.envelope) if dialogue.envelope else None

    async def hear(message: HeldMessage) -> Reply | Envelope | None:
        return await milters.hear(message, dialogue.envelope) if dialogue.envelope else None

    def stream(on_room: Callable[[], None], on_refusal: Callable[[], None]) -> Streamed:
        return milters.stream(dialogue.envelope, on_room, on_refusal) if dialogue.envelope else None

    async def end(hearing: Hearing) -> Reply | None:
        return await milters.hear_end(hearing, dialogue.envelope) if dialogue.envelope else None

    return MessageMilters(data, stream, end, hear)
