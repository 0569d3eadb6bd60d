"""The UDP sockets to one name server: a random one of them for each query. Never sends and never reads."""

import asyncio
from typing import Generic

from ...core.dns.message import UNREACHABLE
from ...core.dns.servers import Server
from .query_ids import random_number
from .udp_exchange import Exchange, Q, TellQuery

#: Sockets open to one server: RFC 5452, 9.2 wants several source ports at once, so that a forger has to guess one.
_SOCKETS = 8


class UdpPool(Generic[Q]):
    """Some sockets to one server, a random one for each query. callback: gets the answers, as Exchange's."""

    def __init__(self, loop: asyncio.AbstractEventLoop, server: Server, callback: TellQuery[Q]) -> None:
        self._loop = loop
        self._server = server
        self._callback = callback
        self._exchanges: list[Exchange[Q]] = []
        self._worn: list[Exchange[Q]] = []
        self._chosen: Exchange[Q] | None = None

    def ask(self, query: Q) -> None:
        """Send a query on one of the sockets; where none can be had it gets UNREACHABLE a turn of the loop later."""
        if not self._chosen or not self._chosen.is_collecting:
            try:
                self._chosen = self._any(query.sent)
            except OSError:
                self._loop.call_soon(self._callback, query, UNREACHABLE, query.sent)
                return
        self._chosen.ask(query)

    def missed(self, sent: float) -> None:
        """Replace every socket without an answer since a query was sent. sent: its monotonic second."""
        for exchange in self._exchanges:
            if exchange.heard < sent:
                exchange.wear_out()

    def forget(self, before: float) -> bool:
        """Give up queries sent before a monotonic second; whether any is out still."""
        for exchange in self._exchanges + self._worn:
            exchange.forget(before)
        self._worn = [exchange for exchange in self._worn if not exchange.close_if_done()]
        return bool(self._worn) or not all(exchange.is_idle for exchange in self._exchanges)

    def close(self) -> None:
        """Close every socket, whatever is out."""
        for exchange in self._exchanges + self._worn:
            exchange.close()
        self._exchanges, self._worn, self._chosen = [], [], None

    def _ask_again(self, query: Q) -> None:
        """Send a query again; where one socket has failed, all that are as old are replaced."""
        self.missed(query.sent)
        self.ask(query)

    def _any(self, now: float) -> Exchange[Q]:
        """A random socket, a new one in the place of one that is worn. Raises OSError where none can be had at all."""
        index = random_number() % _SOCKETS
        known = self._exchanges[index] if index < len(self._exchanges) else None
        if known and not known.is_worn(now):
            return known
        try:
            fresh = Exchange(self._loop, self._server, self._callback, self._ask_again)
        except OSError:
            if not self._exchanges:
                raise
            return min(self._exchanges, key=lambda exchange: exchange.is_worn(now))
        if known is None:
            self._exchanges.append(fresh)
            return fresh
        self._exchanges[index] = fresh
        if not known.close_if_done():
            self._worn.append(known)
        return fresh
