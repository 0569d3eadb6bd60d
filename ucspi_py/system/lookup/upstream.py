"""One name server as one process queries it: a limited number of queries out, the others in order behind them.

Never decides which server is asked.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Generic, TypeVar

from ...core.dns.message import UNREACHABLE, Answer, Question
from ...core.dns.resolution import LATE
from ...core.dns.servers import Server
from .tcp_exchange import TcpExchange
from .udp_exchange import TOO_LONG
from .udp_pool import UdpPool

#: Where a query stands. Only what is out counts; the answer to a late one, as to a probe, is welcome all the same.
_QUEUED, _OUT, _LATE, _DONE = range(4)

Owner = TypeVar("Owner")


class Query(Generic[Owner]):
    """A question on its way to one server.

    now: the monotonic second, kept as ``sent``. state: where it stands, one of this module's four. tries: sockets on
    which it was to leave.
    """

    __slots__ = ("asked", "owner", "sent", "state", "tcp", "tries", "upstream")

    def __init__(self, upstream: "Upstream[Owner]", owner: Owner, asked: Question, now: float, state: int) -> None:
        self.upstream = upstream
        self.owner = owner
        self.asked = asked
        self.sent = now
        self.state = state
        self.tries = 0
        self.tcp: TcpExchange | None = None

    @property
    def is_queued(self) -> bool:
        """Whether it waits for its turn."""
        return self.state == _QUEUED

    @property
    def is_spent(self) -> bool:
        """Whether it is answered, or late with no TCP connection that may bring its answer."""
        return self.state == _DONE or (self.state == _LATE and not self.tcp)

    def is_overdue(self, now: float) -> bool:
        """Whether it is out, and should have been answered by now (monotonic seconds)."""
        return self.state == _OUT and self.sent + LATE <= now


class Upstream(Generic[Owner]):
    """Queries one server.

    limit: queries out at most; the others wait in their order. take: gets each query, its answer, once, and the
    monotonic second. heard: the monotonic second of the server's last answer, 0 = none yet.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        server: Server,
        limit: int,
        take: Callable[[Query[Owner], Answer, float], None],
    ) -> None:
        self.server = server
        self.heard = 0.0
        self._loop = loop
        self._limit = limit
        self._take = take
        self._pool: UdpPool[Query[Owner]] = UdpPool(loop, server, self._on_answer)
        self._out = 0
        self._queue: deque[Query[Owner]] = deque()

    def ask(self, owner: Owner, asked: Question, now: float) -> Query[Owner]:
        """Send a query, or queue it while too many are out. now: monotonic second."""
        if self._out < self._limit:
            query = Query(self, owner, asked, now, _OUT)
            self._out += 1
            self._pool.ask(query)
        else:
            query = Query(self, owner, asked, now, _QUEUED)
            self._queue.append(query)
        return query

    def probe(self, owner: Owner, asked: Question, now: float) -> Query[Owner]:
        """Send a query beside all others, to learn whether the server answers. now: monotonic second."""
        query = Query(self, owner, asked, now, _LATE)
        self._pool.ask(query)
        return query

    def ask_over_tcp(self, query: Query[Owner]) -> None:
        """Send a query again, for an answer that is TOO_LONG."""
        query.tcp = TcpExchange(self._loop, self.server, query.asked, partial(self._on_tcp_answer, query))

    def miss(self, query: Query[Owner], now: float) -> bool:
        """Free the turn of a query that is overdue; whether the server has been silent since it was sent.

        now: monotonic second.
        """
        query.state = _LATE
        self._pool.missed(query.sent)
        self._free(now)
        return self.heard < query.sent

    def drop(self, query: Query[Owner], now: float) -> None:
        """Give up a query; its answer, if it comes, only shows that the server is well. now: monotonic second."""
        state, query.state = query.state, _DONE
        if query.tcp:
            query.tcp.close()
        if state == _OUT:
            self._free(now)

    def give_up_queue(self) -> list[Query[Owner]]:
        """Empty the queue: the queries that were waiting in it, which are not sent."""
        queue, self._queue = self._queue, deque()
        given_up = [query for query in queue if query.state == _QUEUED]
        for query in given_up:
            query.state = _DONE
        return given_up

    def forget(self, before: float) -> bool:
        """Give up queries sent before a monotonic second; whether any is out still."""
        return self._pool.forget(before)

    def close(self) -> None:
        """Close every socket; no callback is called any more."""
        self._queue.clear()
        self._pool.close()

    def _free(self, now: float) -> None:
        self._out -= 1
        self._ask_queued(now)

    def _ask_queued(self, now: float) -> None:
        while self._queue and self._out < self._limit:
            query = self._queue.popleft()
            if query.state == _QUEUED:
                query.state = _OUT
                query.sent = now
                self._out += 1
                self._pool.ask(query)

    def _on_answer(self, query: Query[Owner], answer: Answer, now: float) -> None:
        if answer is not UNREACHABLE:
            self.heard = now
        if answer is not TOO_LONG:
            state, query.state = query.state, _DONE
            if state == _OUT:
                self._out -= 1
                if self._queue:
                    self._ask_queued(now)
        self._take(query, answer, now)

    def _on_tcp_answer(self, query: Query[Owner], answer: Answer) -> None:
        query.tcp = None
        self._on_answer(query, answer, time.monotonic())
