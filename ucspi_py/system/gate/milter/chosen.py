"""Which milters hear a client: those of the list, or what a table has for its address (smtpd.c, setup_milters)."""

from collections.abc import Callable

from ....core.dns.message import Ask
from ....core.gate.maps.names import Broken
from ....core.gate.milter.service import milters_of
from ....core.gate.milter.settings import GateMilters, Milter, MilterSettings
from ....core.gate.server import UnixServer
from ....core.milter.failure import MilterFailed
from ..tables import Tables
from .client import MilterClient
from .connection import MilterConnection

#: Values of tables whose milters are known: a table may be another one every minute.
_MOST_VALUES = 100

Clients = tuple[MilterClient, ...]
MakeClient = Callable[[Milter, MilterSettings, Ask, Callable[[str], None]], MilterClient]


class ChosenMilters:
    """What connects to the milters of each client.

    ask: queries records. say: of failures, and of tables. make: makes what connects to one.
    """

    def __init__(
        self, settings: GateMilters, ask: Ask, say: Callable[[str], None], make: MakeClient = MilterClient
    ) -> None:
        self._settings = settings
        self._ask = ask
        self._say = say
        self._make = make
        self._tables = Tables(say)
        self._clients: dict[Milter, MilterClient] = {}
        self._by_value: dict[bytes, Clients] = {}
        self._listed = self._of(settings.milters)

    def of(self, ip: bytes) -> Clients:
        """Find the milters of a client. A table that cannot be read has none for anybody, as in Postfix."""
        for name in self._settings.maps:
            value = self._tables.look_up(name, ip)
            if isinstance(value, Broken):
                break
            if value is not None:
                return self._of_value(value)
        return self._listed

    def close(self) -> None:
        """Give all connections back that nobody uses."""
        for client in self._clients.values():
            client.close()

    def _of_value(self, value: bytes) -> Clients:
        if value not in self._by_value:
            if len(self._by_value) >= _MOST_VALUES:
                self._forget()
            try:
                self._by_value[value] = self._of(milters_of(value))
            except ValueError as wrong:
                self._by_value[value] = (self._unknown(value, str(wrong)),)
        return self._by_value[value]

    def _forget(self) -> None:
        self.close()
        self._by_value.clear()
        self._clients.clear()
        self._listed = self._of(self._settings.milters)

    def _of(self, milters: tuple[Milter, ...]) -> Clients:
        for one in milters:
            if one not in self._clients:
                self._clients[one] = self._make(one, one.settings(self._settings.settings), self._ask, self._say)
        return tuple(self._clients[one] for one in milters)

    def _unknown(self, value: bytes, sentence: str) -> "_UnknownMilter":
        milter = Milter(UnixServer(""), value.decode("utf-8", "replace"))
        return _UnknownMilter(milter, self._settings.settings, self._ask, self._say, sentence)


class _UnknownMilter(MilterClient):
    """Stands for what a table has in the place of milters, and is none: its default action is done."""

    def __init__(
        self, milter: Milter, settings: MilterSettings, ask: Ask, say: Callable[[str], None], sentence: str
    ) -> None:
        super().__init__(milter, settings, ask, say)
        self._sentence = sentence

    async def begin(self) -> MilterConnection:
        """Raise MilterFailed."""
        failure = MilterFailed(self._sentence, misconfigured=True)
        self.failed(failure, at_begin=True)
        raise failure
